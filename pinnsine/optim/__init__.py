"""Optimizers: algorithms on a flat parameter vector that see nothing but an Objective. One method a file."""

from pinnsine.optim.adam import Adam as Adam
from pinnsine.optim.engdw import ENGDW as ENGDW
from pinnsine.optim.gauss_newton import GaussNewton as GaussNewton
from pinnsine.optim.lbfgs import LBFGS as LBFGS
from pinnsine.optim.levenberg_marquardt import LevenbergMarquardt as LevenbergMarquardt
from pinnsine.optim.muon import Muon as Muon
from pinnsine.optim.schedule import SCHEDULES as SCHEDULES
from pinnsine.optim.schedule import Constant as Constant
from pinnsine.optim.schedule import Cosine as Cosine
from pinnsine.optim.schedule import Steps as Steps
from pinnsine.optim.self_scaled import SSBFGS as SSBFGS
from pinnsine.optim.self_scaled import SSBroyden as SSBroyden
from pinnsine.optim.soap import SOAP as SOAP
from pinnsine.optim.spring import SPRING as SPRING
from pinnsine.weighting import WEIGHTINGS as WEIGHTINGS
from pinnsine.weighting import GradientNorm as GradientNorm
from pinnsine.weighting import NTKTrace as NTKTrace
from pinnsine.weighting import ReLoBRaLo as ReLoBRaLo
from pinnsine.weighting import SelfAdaptive as SelfAdaptive

OPTIMIZERS = {
    "lm": LevenbergMarquardt,
    "gn": GaussNewton,
    "adam": Adam,
    "muon": Muon,
    "soap": SOAP,
    "lbfgs": LBFGS,
    "ssbfgs": SSBFGS,
    "ssbroyden": SSBroyden,
    "engdw": ENGDW,
    "spring": SPRING,
}
