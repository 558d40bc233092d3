"""What a solution is compared with: exact solutions, numerical solvers and tables, each with its own error floor."""

from pinnsine.reference.cavity import cavity as cavity
from pinnsine.reference.chebyshev import chebyshev as chebyshev
from pinnsine.reference.cole_hopf import burgers as burgers
from pinnsine.reference.dispersive import dispersive as dispersive
from pinnsine.reference.exact import Reference as Reference
from pinnsine.reference.finite_elements import finite_elements as finite_elements
from pinnsine.reference.ode import lines as lines
from pinnsine.reference.ode import ode as ode
from pinnsine.reference.plane import spectral_2d as spectral_2d
from pinnsine.reference.spectral import spectral as spectral
from pinnsine.reference.table import table as table
