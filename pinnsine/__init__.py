"""pinnsine: partial differential equations solved by physics-informed sinusoidal networks, with an honest error beside every answer."""

from pinnsine import domain as domain
from pinnsine import reference as reference
from pinnsine.calculus import D as D
from pinnsine.calculus import Vector as Vector
from pinnsine.calculus import advect as advect
from pinnsine.calculus import curl as curl
from pinnsine.calculus import div as div
from pinnsine.calculus import grad as grad
from pinnsine.calculus import laplacian as laplacian
from pinnsine.calculus import normal_derivative as normal_derivative
from pinnsine.conditions import Inequality as Inequality
from pinnsine.conditions import Interface as Interface
from pinnsine.conditions import Neumann as Neumann
from pinnsine.conditions import Robin as Robin
from pinnsine.constraint import Data as Data
from pinnsine.constraint import Dirichlet as Dirichlet
from pinnsine.constraint import Initial as Initial
from pinnsine.constraint import Integral as Integral
from pinnsine.constraint import Periodic as Periodic
from pinnsine.constraint import Residual as Residual
from pinnsine.domain import Ball as Ball
from pinnsine.domain import Box as Box
from pinnsine.domain import Disk as Disk
from pinnsine.domain import Interval as Interval
from pinnsine.domain import Parameter as Parameter
from pinnsine.domain import Polygon as Polygon
from pinnsine.domain import Rectangle as Rectangle
from pinnsine.domain import Time as Time
from pinnsine.errors import EvaluationError as EvaluationError
from pinnsine.errors import ProblemError as ProblemError
from pinnsine.march import march as march
from pinnsine.nets import MLP as MLP
from pinnsine.nets import FrozenSines as FrozenSines
from pinnsine.nets import Siren as Siren
from pinnsine.optim import ENGDW as ENGDW
from pinnsine.optim import LBFGS as LBFGS
from pinnsine.optim import SPRING as SPRING
from pinnsine.optim import SSBFGS as SSBFGS
from pinnsine.optim import Adam as Adam
from pinnsine.optim import GaussNewton as GaussNewton
from pinnsine.optim import LevenbergMarquardt as LevenbergMarquardt
from pinnsine.optim import SSBroyden as SSBroyden
from pinnsine.outcome import Outcome as Outcome
from pinnsine.points import Points as Points
from pinnsine.problem import Field as Field
from pinnsine.problem import Problem as Problem
from pinnsine.problem import Unknown as Unknown
from pinnsine.problem import load_problem as load_problem
from pinnsine.reference import Reference as Reference
from pinnsine.runfile import load as load
from pinnsine.solution import Comparison as Comparison
from pinnsine.solution import Solution as Solution
from pinnsine.solve import solve as solve
from pinnsine.version import VERSION

__version__ = VERSION
