"""Networks by name: specifications that are built once the problem tells their inputs and outputs."""

from pinnsine.nets.frozen_sines import FrozenSines as FrozenSines
from pinnsine.nets.mlp import MLP as MLP
from pinnsine.nets.siren import Siren as Siren

NETWORKS = {"siren": Siren, "mlp": MLP, "frozensines": FrozenSines}
