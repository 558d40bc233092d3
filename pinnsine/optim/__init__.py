"""Optimizers: algorithms on a flat parameter vector that see nothing but an Objective. One method a file."""

from pinnsine.optim.adam import Adam as Adam
from pinnsine.optim.engdw import ENGDW as ENGDW
from pinnsine.optim.gauss_newton import GaussNewton as GaussNewton
from pinnsine.optim.lbfgs import LBFGS as LBFGS
from pinnsine.optim.levenberg_marquardt import LevenbergMarquardt as LevenbergMarquardt
from pinnsine.optim.self_scaled import SSBFGS as SSBFGS
from pinnsine.optim.self_scaled import SSBroyden as SSBroyden
from pinnsine.optim.spring import SPRING as SPRING

OPTIMIZERS = {
    "lm": LevenbergMarquardt,
    "gn": GaussNewton,
    "adam": Adam,
    "lbfgs": LBFGS,
    "ssbfgs": SSBFGS,
    "ssbroyden": SSBroyden,
    "engdw": ENGDW,
    "spring": SPRING,
}
