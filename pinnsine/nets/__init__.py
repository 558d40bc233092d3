"""Networks by name: specifications that are built once the problem tells their inputs and outputs."""

from pinnsine.nets.bsnn import BSNN as BSNN
from pinnsine.nets.encoding import Fourier as Fourier
from pinnsine.nets.encoding import Octaves as Octaves
from pinnsine.nets.encoding import RandomFourier as RandomFourier
from pinnsine.nets.encoding import RotatedOctaves as RotatedOctaves
from pinnsine.nets.finer import FINER as FINER
from pinnsine.nets.frozen_sines import FrozenSines as FrozenSines
from pinnsine.nets.gabor import Gabor as Gabor
from pinnsine.nets.hypernetwork import GridEncoder as GridEncoder
from pinnsine.nets.hypernetwork import Hypernetwork as Hypernetwork
from pinnsine.nets.hypernetwork import SetEncoder as SetEncoder
from pinnsine.nets.lifted_sines import LiftedSines as LiftedSines
from pinnsine.nets.local_sines import LocalSines as LocalSines
from pinnsine.nets.mixed import Mixed as Mixed
from pinnsine.nets.mlp import MLP as MLP
from pinnsine.nets.modified_mlp import ModifiedMLP as ModifiedMLP
from pinnsine.nets.modified_mlp import ResidualMLP as ResidualMLP
from pinnsine.nets.record import NETWORKS as NETWORKS
from pinnsine.nets.record import describe as describe
from pinnsine.nets.record import from_record as from_record
from pinnsine.nets.record import to_record as to_record
from pinnsine.nets.simple_sine import SimpleSine as SimpleSine
from pinnsine.nets.siren import Siren as Siren
