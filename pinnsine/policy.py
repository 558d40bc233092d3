"""What ``solve`` chooses when nothing is said, and why: rules read off the traced residual.

Attempts are made in turn, the cheap one first, and the best by held-out rows is kept. A smooth problem is first
solved on frozen sines, by least squares if it is linear and by Newton's method on them if it is not: in seconds, and to many more digits
than by training. An evolution equation whose leading space derivative has a small coefficient develops fronts, which
frozen sines do not resolve: there a tanh network with residual-adaptive points was measured 4.7 times better than trained sines (Burgers at
nu = 0.01/pi, two minutes: benchmarks/results/acceptance.md). Where it is not so small, fronts may be wide enough for frozen sines: Fisher's
equation at 0.02 of the time derivative is solved to 6e-9 in eight windows of time, where 470 iterations of the tanh network left 1e-4. What
frozen sines leave tells the two apart: inverse Navier-Stokes with smooth waves (6e-7 left) came in 40 iterations to 1.8e-3 with trained sines,
to 8.7e-3 with the tanh network; inverse Burgers (3e-2 left) to an nu wrong by a quarter with the one, by 1e-6 with the other.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch

from pinnsine.conditions import Inequality
from pinnsine.constraint import Periodic, Residual, row_points
from pinnsine.growth import growth_exponent
from pinnsine.index import Collapsed, Index
from pinnsine.known import Symmetry
from pinnsine.mirror import mirrors, said
from pinnsine.nets import MLP, FrozenSines, LocalSines, Siren
from pinnsine.optim import GaussNewton, LevenbergMarquardt
from pinnsine.places import about, of_rectangle
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.problem import Problem
from pinnsine.regression import APART, is_regression, tanh_width, widths
from pinnsine.shares import POINTS, ROWS_PER_SINE, equations_of
from pinnsine.signals import is_signal, signal_choice

SMALL = 0.04  # the leading term against the time derivative, both in coordinates scaled to [-1, 1], with which fronts are possible
TINY = 0.018  # and with which frozen sines are too few: Burgers at 0.016 took 100 s of windows to no end, Fisher at 0.02 was solved
KEPT = 0.6  # of the time, for training where windows of time on frozen sines are tried before
HELD_OUT = 0.8  # held-out points per training point
FILLED = 3  # coordinates, beyond which so many wave numbers fill space too thinly, and a part of the sines varies along one coordinate each
RESOLVED = 4  # coordinates, beyond which too many points would be wanted on the conditions of a nonlinear problem, for step after step
ALONE = 0.3  # this part, with at least EACH along each coordinate, but no more than MOST_ALONE
EACH = 6
MOST_ALONE = 0.9
FROZEN_SINES = (700, 1400, 2800)  # for all fields together; more where fewer do not do
# Where Newton's method is in more than three coordinates: one step from the solution by the fewer solves for the more, and what sines can fit
# of Beltrami's pressure falls from 3e-4 with 700 a field to 6e-5 with 1,000 and 2e-5 with 1,400.
FROZEN_DENSE = (1400, 4800)
FEW_ROWS = (
    2  # where Newton's method is in more than three coordinates: 350 sines a field left 5e-3 of Beltrami's pressure with 4, 500 1.2e-3 with 2
)
EXACT = 1e-22  # a held-out loss below which more sines are not worth their time
CORNERED = 1e-10  # a held-out loss above which a rectangle's corners may be the cause: on smooth solutions functions there cost digits
PROMISING = 1e-3  # a held-out loss above which more frozen sines will not do either
NOISE = 2.0  # the held-out loss of rows divided by their sigma, which noise alone makes one
TRAINABLE = 1e-14  # a held-out loss below which training, minutes for a few more digits, is left to whoever asks for it


@dataclass(frozen=True)
class Attempt:
    """A network, the phases that train it, a sampler, the row points of equations together, and the reason in words.

    ``linear``: the rows are known to be affine in the fields. ``brief``: given up where it promises little. ``apart``: some of the points
    given are held out, in place of fresh ones. ``kept``: the part of the time that windows of time leave to it. ``early``: see
    ``pinnsine.growth``. ``symmetry``: see ``pinnsine.mirror``, ``lifted``: see ``pinnsine.lift``.
    The attempt is made only if the held-out loss of the best before it lies between ``above`` and ``below``.
    """

    net: object
    phases: tuple
    sampler: str
    reason: str
    points: int = POINTS
    above: float = 0.0
    below: float = math.inf
    linear: bool = False
    brief: bool = False
    apart: bool = False
    kept: float = 0.0
    early: float = 0.0
    symmetry: Mapping[str, tuple[Symmetry, ...]] = dataclasses.field(default_factory=dict)
    lifted: bool = False


def plan(problem: Problem, scales, net, phases: tuple, points, sampler: str | None, start, dtype: str, memory: float) -> tuple[Attempt, ...]:
    """The attempts of a call: what is given is taken, what is not is chosen."""
    each = fields_per_row(problem, scales)
    fitted = [replace(a, net=fitting(a.net, points, each)) for a in attempts(problem, scales, memory)]
    chosen = tuple({a.net: a for a in fitted}.values())  # points given fit one number of sines alone: the same attempt is made once
    if net is None and start is None and not phases and dtype == "float64":
        return tuple(replace(a, sampler=sampler or a.sampler) for a in chosen)
    frozen = isinstance(net, FrozenSines) or (net is None and any(isinstance(p, GaussNewton) for p in phases))
    default = next((a for a in chosen if isinstance(a.net, FrozenSines) == frozen), chosen[-1])
    if net is not None or start is not None:
        given = {} if start is not None else default.symmetry
        default = replace(default, net=net if net is not None else start.ansatz.net, symmetry=given)
        default = replace(default, reason="network given" if net is not None else "the network of the solution begun from")
    if isinstance(default.net, FrozenSines):
        rows = math.ceil(ROWS_PER_SINE * default.net.width * each)
        default = replace(default, phases=(GaussNewton(),), points=rows, linear=is_linear(problem, scales), early=0.0, symmetry={})
    if isinstance(default.net, LocalSines):
        default = replace(default, phases=(GaussNewton(),))
    return (replace(default, phases=phases or default.phases, sampler=sampler or default.sampler, lifted=False),)


def fitting(net, points, each: float):
    """The network, with fewer frozen sines where too few points are asked for to tell them apart; ``each``: see ``fields_per_row``."""
    if not isinstance(net, FrozenSines) or net.lattice is not None or not isinstance(points, int):
        return net
    return replace(net, width=max(1, min(net.width, int(points / (ROWS_PER_SINE * each)))))


def fields_per_row(problem: Problem, scales) -> float:
    """The fields against the rows of an equation at one of its points, at least 1: so many times the points of one field a system needs.

    A system written as one constraint has as many rows as fields at each point, and one of as many constraints one row at each of its own.
    """
    equations = equations_of(problem)
    drawn = (row_points(c, problem.domain, 1, "sobol", torch.Generator().manual_seed(3)) for c in equations)
    rows = [len(trace(problem, c, points, scales).rows) for c, points in zip(equations, drawn, strict=True)]
    return max(1.0, len(problem.fields) * len(rows) / sum(rows)) if rows else float(len(problem.fields))


def attempts(problem: Problem, scales, memory: float) -> tuple[Attempt, ...]:
    """What to try in turn, until the time is up or the rows vanish."""
    if is_regression(problem):
        return regression_attempts(problem)
    if is_signal(problem):
        net, phases, reason = signal_choice(problem, scales, is_linear(problem, scales))
        return (Attempt(net, phases, "sobol", reason),)
    ratio = _least_ratio(problem, scales)
    if ratio < TINY:
        return (_front(problem, scales, ratio, "to be expected"),)
    wrapped = any(isinstance(c, Periodic) and c.hard for c in problem.constraints)
    # in four coordinates sines of omega = 4 left 0.3 after 24 iterations where those of omega = 1 left 1e-2 (Beltrami's flow)
    many = max(len(f.of) for f in problem.fields) > FILLED
    net = Siren(width=20, depth=3, omega=1.0 if many else 2.0 if wrapped else 4.0)
    staged = LevenbergMarquardt(factorisation="staged")
    trained = Attempt(net, (staged,), "sobol", "smooth solution expected: trained sines, fixed points", above=TRAINABLE)
    frozen, least = frozen_attempts(problem, scales, memory), min([ratio, *(_least_ratio(p, scales) for p in _becoming(problem))])
    if least >= SMALL:
        return (*frozen, trained)
    return (*frozen, replace(trained, below=PROMISING), replace(_front(problem, scales, least, "possible"), above=PROMISING, kept=KEPT))


def _front(problem: Problem, scales, ratio: float, likely: str) -> Attempt:
    """The attempt on a problem with fronts."""
    early, symmetry = growth_exponent(problem, scales), mirrors(problem, scales)
    reason = f"evolution equation with a small leading term ({ratio:.1e} of the time derivative): fronts are {likely}{said(symmetry)}"
    return Attempt(MLP(width=20, depth=3), (LevenbergMarquardt(),), "rad", reason, early=early, symmetry=symmetry, lifted=True)


def regression_attempts(problem: Problem) -> tuple[Attempt, ...]:
    """Least squares on more and more frozen sines, then trained ones where much is left; measurements held out decide what is kept."""
    reason = f"measurements alone: regression, one in {APART} of them held out"
    found = [Attempt(FrozenSines(w), (GaussNewton(),), "sobol", reason, linear=True, apart=True) for w in widths(problem)]
    noisy = any(c.sigma is not None for c in problem.constraints)
    # what frozen sines leave of exact data has kinks or fronts: |x - 0.3 y| cos 2y from 3,000 points in 12 s 0.8 with trained sines, 4e-4 with
    # tanh, a front 3e-3 and 3e-4; waves, 6e-4 and 9e-2, are left to frozen sines
    trained = replace(found[0], net=MLP(width=tanh_width(problem), depth=3), phases=(LevenbergMarquardt(),), linear=False)
    return (found[0], *(replace(a, above=EXACT) for a in found[1:]), replace(trained, above=NOISE if noisy else TRAINABLE))


def frozen_attempts(problem: Problem, scales, memory: float) -> tuple[Attempt, ...]:
    """Least squares on frozen sines, or Newton's method on them, where that may do."""
    data = sum(len(c.on) for c in problem.soft if isinstance(c.on, Points))
    if any(c.loss is not None for c in problem.constraints):
        return ()
    coordinates = max(len(f.of) for f in problem.fields)
    linear, each = is_linear(problem, scales), fields_per_row(problem, scales)
    if coordinates > RESOLVED and not linear:
        return ()
    dense = coordinates > FILLED and not linear
    word = "linear problem: least squares on frozen sines" if linear else "smooth problem: Newton's method on frozen sines"
    found = []
    for total in FROZEN_DENSE if dense else FROZEN_SINES:
        if 8 * total * (ROWS_PER_SINE * total + data) <= memory:
            below = PROMISING if found else math.inf
            width = total // len(problem.fields)
            points = math.ceil((FEW_ROWS if dense else ROWS_PER_SINE) * width * each)
            alone = min(max(ALONE, (EACH * coordinates + 1) / width), MOST_ALONE) if coordinates > FILLED and linear else 0.0
            net = FrozenSines(width, alone=alone, **about(problem))
            plain = Attempt(net, (GaussNewton(),), "sobol", word, points, EXACT, below, linear)
            corners = of_rectangle(problem) if found else {}
            found += [replace(plain, below=CORNERED), replace(plain, net=replace(net, **corners), above=CORNERED)] if corners else [plain]
    return tuple(found)


def is_linear(problem: Problem, scales) -> bool:
    """Whether all rows are affine in the fields: r(a u + (1 - a) v) = a r(u) + (1 - a) r(v), tried on probes. Unknown numbers count as not."""
    if any(isinstance(c, Inequality) for c in problem.constraints):
        return False
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, 64, "sobol", torch.Generator().manual_seed(3))
        ends = [trace(problem, constraint, points, scales, seed=k) for k in (0, 1)]
        if ends[0].unknowns:
            return False
        for a in (0.3, 2.0):
            mixed = trace(problem, constraint, points, scales, seed={0: a, 1: 1 - a})
            for name, row in mixed.rows.items():
                parts = a * ends[0].rows[name], (1 - a) * ends[1].rows[name]
                size = max(float(p.abs().nan_to_num().max()) for p in parts)
                if float((row - sum(parts)).abs().nan_to_num().max()) > 1e-9 * size:
                    return False
    return True


def _becoming(problem: Problem) -> Iterator[Problem]:
    """The problem with each of its unknown numbers, in turn, at either end of what it may be expected to become."""
    for k, unknown in enumerate(problem.unknowns):
        for value in unknown.reach:
            other = copy.copy(problem)
            other.unknowns = (*problem.unknowns[:k], replace(unknown, start=value), *problem.unknowns[k + 1 :])
            yield other


def _least_ratio(problem: Problem, scales) -> float:
    return min((front_ratio(problem, c, scales) for c in problem.constraints if isinstance(c, Residual)), default=1.0)


def front_ratio(problem: Problem, constraint: Residual, scales) -> float:
    """The size of the leading space derivative, if of second order, against the time derivative in a residual's rows; 1 where none has both.

    In a system such as Schroedinger's the one stands in the row of the other's field: that disperses, and makes no fronts. Both are measured
    by how much a row of a probe changes with that derivative, times the derivative's natural size: the amplitude of the field over
    half-lengths of the coordinates. In a family it is the smallest one at the ends of the parameters.
    """
    domain = problem.domain
    if domain.time is None:
        return 1.0
    points = row_points(constraint, domain, 64, "sobol", torch.Generator().manual_seed(2))
    parameters = [a for a in domain.axes if a.role == "parameter" and a.name in points.names]
    corners = itertools.product(*((a.lower, a.upper) for a in parameters))
    ends = ({a.name: torch.full_like(points[a.name], v) for a, v in zip(parameters, corner, strict=True)} for corner in corners)
    return min(_ratio_at(problem, constraint, Points({**points.columns, **end}, points.normal), scales) for end in ends)


def _ratio_at(problem: Problem, constraint: Residual, points: Points, scales) -> float:
    domain, ratios = problem.domain, [1.0]
    need = trace(problem, constraint, points, scales).need
    for field, indices in need.items():
        leading = _leading(indices, domain.space)
        if leading is None or (domain.time,) not in indices:
            continue
        slow = _sensitivities(problem, constraint, points, scales, field, (domain.time,))
        fast = _sensitivities(problem, constraint, points, scales, field, leading)
        ratios.extend(fast[row] / slow[row] for row in slow if slow[row] > 0 and fast[row] > 0)
    return min(ratios)


def _leading(indices: set[Index], space: tuple[str, ...]) -> Index | None:
    """The highest space derivative among the indices, if it is of second order.

    Such a one diffuses, and where it is small an advected field steepens until it balances that. One of odd order disperses; of fourth
    order are equations whose waves have a length of their own (Kuramoto-Sivashinsky's, Swift & Hohenberg's), many to a domain and no front.
    """

    def order(index: Index) -> int:
        return 2 if isinstance(index, Collapsed) else len(index)

    found = [i for i in indices if i and (isinstance(i, Collapsed) or all(n in space for n in i))]
    top = max(found, key=order, default=None)
    return top if top is not None and order(top) == 2 else None


def _sensitivities(problem, constraint, points, scales, field: str, index: Index) -> dict[str, float]:
    """By row, the rms of d row / d (derivative) times half-lengths, found by perturbing that derivative of the probe alone."""
    names = index.names[:1] * 2 if isinstance(index, Collapsed) else index
    size = scales[field].scale
    for name in names:
        size /= problem.domain.axis(name).length / 2
    step = 1e-6 * size
    plain = trace(problem, constraint, points, scales).rows
    moved = trace(problem, constraint, points, scales, shift=(field, index, step)).rows
    return {n: float((moved[n] - plain[n]).nan_to_num().square().mean().sqrt()) / 1e-6 for n in plain}
