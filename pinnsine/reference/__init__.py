"""What a solution is compared with: exact solutions, numerical solvers and tables, each with its own error floor."""

from pinnsine.reference.cole_hopf import burgers as burgers
from pinnsine.reference.exact import Reference as Reference
from pinnsine.reference.spectral import spectral as spectral
