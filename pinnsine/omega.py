"""``omega="auto"``: the bandwidth of a trained network, read off the data's spectrum or found by trial.

Where values are given on a grid, their spectrum says how far the network must reach. Elsewhere the output layer behind a few frozen sines,
which are a network's first layer, is fitted over a range of bandwidths: linear least squares, whose rows at held-out points decide.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import replace

from pinnsine.bandwidth import common_bandwidth
from pinnsine.nets import SimpleSine
from pinnsine.nets.network import AUTO
from pinnsine.objective import Objective
from pinnsine.problem import Problem
from pinnsine.spectrum import data_reach

PER_REACH = 0.55  # omega of a Siren per wave number to reach: the best of sweeps over a chirp, two tones and a row of an image, within 1.2
PER_SINES = 0.5  # omega of a Siren per bandwidth of few frozen sines, which cannot move theirs as trained ones do (Helmholtz; wave scatters)
BEYOND = 6.0  # times omega: from there on trained Sirens of two layers were measured more than 10 % off


def is_free(net) -> bool:
    """Whether the bandwidth of a specification is still to be found."""
    return getattr(net, "omega", None) == AUTO and net.encoding is None


def from_data(net, problem: Problem):
    """The network with the bandwidth that the spectrum of the problem's data asks for; None where no data lie on a grid."""
    reach = data_reach(problem)
    return None if reach is None else replace(net, omega=per_siren(net, problem) * PER_REACH * max(reach, 1.0))


def from_trials(net, objective: Objective, held_out: Objective, seed: int, left: Callable[[], float]):
    """The network with the bandwidth of the few frozen sines that fit a problem best, which both objectives are bound to."""
    found = common_bandwidth(objective, held_out, seed, False, left)
    return replace(net, omega=per_siren(net, objective.ansatz.problem) * PER_SINES * found)


def warn_beyond(net, problem: Problem) -> None:
    """Warn where the data hold wave numbers above the reach of a network whose bandwidth was given."""
    omega = getattr(net, "omega", None)
    if not isinstance(omega, int | float) or getattr(net, "encoding", None) is not None:
        return
    reach = data_reach(problem)
    if reach is not None and reach > BEYOND * omega / per_siren(net, problem):
        warnings.warn(
            f"The data hold wave numbers up to {reach:.0f} (coordinates in [-1, 1]), above the reach of omega={omega:g}: "
            f"omega='auto' takes {from_data(net, problem).omega:.3g}.",
            stacklevel=2,
        )


def per_siren(net, problem: Problem) -> float:
    """omega of a network over that of the Siren with equal wave numbers: U(-omega, omega) has the deviation omega / sqrt(3)."""
    inputs = max(len(f.of) for f in problem.fields)
    return math.sqrt(inputs / 6) if isinstance(net, SimpleSine) else 1.0
