"""The trial function: networks behind scaled inputs and outputs, hard conditions, unknown numbers; one flat parameter vector.

u = shift + scale * N(embedding(x)) where no hard condition holds, u = lift + cutoff * scale * N where one does; a known part of the field is
added, and N made symmetric where that is declared (``pinnsine.known``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pinnsine.conditions import SIDE
from pinnsine.constraint import Periodic
from pinnsine.domain import Domain, Face
from pinnsine.errors import ProblemError
from pinnsine.evaluate import EVALUATORS, choose_evaluator
from pinnsine.hard import HardPart, cutoff, hard_conditions, lift, smooth_value
from pinnsine.index import Collapsed, Index, held
from pinnsine.jet import Constant, Context, Jet, total, values
from pinnsine.known import Symmetry, known_part, symmetric
from pinnsine.local import Local
from pinnsine.nets import FrozenSines
from pinnsine.nets.network import Embedding
from pinnsine.points import Points
from pinnsine.probe import FieldScale, coordinates_at, data_of
from pinnsine.problem import Problem

Need = Mapping[str, set[Index]]
STEP = 1e-6  # of the size of the domain: how far from an interface its two sides are looked for


@dataclass(frozen=True)
class Piece:
    """One network: the fields it returns, in the order of its columns, the coordinates it takes, the part of the domain it is for, and the
    symmetries of its fields.
    """

    module: nn.Module
    fields: tuple[str, ...]
    inputs: tuple[str, ...]
    evaluator: str
    part: int | None = None
    symmetry: tuple[Symmetry, ...] = ()


class TrialFunction(nn.Module):
    """A module whose parameters are read and written as one flat vector."""

    @property
    def size(self) -> int:
        """The number of parameters, unknowns included."""
        return sum(p.numel() for p in self.parameters())

    def flat(self) -> Tensor:
        """The parameters as one vector (P,), detached."""
        return torch.cat([p.detach().reshape(-1) for _, p in self.named_parameters()])

    def views(self, theta: Tensor) -> dict[str, Tensor]:
        """The named parameters as views of a flat vector (P,)."""
        named = dict(self.named_parameters())
        parts = theta.split([p.numel() for p in named.values()])
        return {n: part.view(p.shape) for (n, p), part in zip(named.items(), parts, strict=True)}

    def load(self, theta: Tensor) -> None:
        """Write a flat vector into the modules."""
        with torch.no_grad():
            for view, parameter in zip(self.views(theta).values(), self.parameters(), strict=True):
                parameter.copy_(view)


class Ansatz(TrialFunction):
    """The trial function of a problem; see ``build_ansatz``."""

    def __init__(self, problem: Problem, pieces: Sequence[Piece], scales: Mapping[str, FieldScale], net=None):
        super().__init__()
        self.problem, self.scales = problem, dict(scales)
        self.__dict__["net"] = net  # past nn.Module's own bookkeeping: a module given by the user is registered once, in networks
        self.pieces = tuple(pieces)
        self.networks = nn.ModuleList(p.module for p in pieces)
        self.unknowns = nn.Parameter(torch.zeros(len(problem.unknowns), dtype=torch.float64))
        self.hard = hard_conditions(problem)
        _check_hard(self)

    def local(
        self,
        views: Mapping[str, Tensor],
        points: Points,
        need: Need,
        tape: list | None = None,
        unknowns: Mapping[str, Tensor] | None = None,
    ) -> Local:
        """The state at a batch of points, for parameters given as views.

        ``tape`` collects the linear layers; ``unknowns`` replaces the raw unknown parameters by leaves of shape (N,).
        """
        context = Context(self.problem.domain.names, self.problem.domain.space, points.normal, tape=tape)
        numbers = {n: Constant(v.values.expand(len(points)), context) for n, v in self._numbers(views, unknowns, context).items()}
        coordinates = coordinates_at(self.problem, points, context)
        fields: dict[str, Jet] = {}
        for i, piece in enumerate(self.pieces):
            wanted = set().union(*(need[f] for f in piece.fields))
            if wanted:
                found = self._fields(piece, f"networks.{i}.", views, points, wanted, context)
                fields.update(found if not piece.part else {n: self._joined(n, piece.part, fields[n], jet, points) for n, jet in found.items()})
        fields = {n: self._finish(n, jet, coordinates, context, numbers) for n, jet in fields.items()}

        def elsewhere(nodes: Points) -> Local:
            repeats = len(nodes) // len(points)
            leaves = None if unknowns is None else {n: v.repeat_interleave(repeats) for n, v in unknowns.items()}
            return self.local(views, nodes, need, tape, leaves)

        return Local(self.problem.names, context, coordinates, fields, numbers, data_of(self.problem, points), elsewhere)

    def _fields(self, piece: Piece, prefix: str, views, points, wanted, context) -> dict[str, Jet]:
        own = {n.removeprefix(prefix): v for n, v in views.items() if n.startswith(prefix)}
        module, needed = _Bound(piece.module, own), _own_need(wanted, piece.inputs)

        last = piece.module[-1] if isinstance(piece.module, nn.Sequential) else piece.module
        if getattr(last, "sums_waves", False) and not self.hard.keys() & set(piece.fields):  # a product asks for all derivatives below
            context = replace(context, wanted=held(needed))

        def at(there: Points) -> Jet:
            return EVALUATORS[piece.evaluator](module, there.matrix(piece.inputs), piece.inputs, needed, context)

        out = symmetric(at, points, piece.symmetry)
        partial = len(piece.inputs) < len(self.problem.domain.names)
        return {f: _OfFewer(out[:, k], piece.inputs) if partial else out[:, k] for k, f in enumerate(piece.fields)}

    def _joined(self, name: str, part: int, others: Jet, jet: Jet, points: Points) -> Jet:
        """A field that is ``jet`` on a part of the domain and outside of those before it, and ``others`` elsewhere."""
        before = self.problem.field(name).parts[:part]
        if SIDE in points.names:  # points of an interface belong to the part on their side of it
            step = STEP * max(a.length for a in self.problem.domain.axes) * points[SIDE]
            points = Points({n: c + step * points.normal[n] if n in points.normal else c for n, c in points.columns.items()})
        return torch.where(torch.stack([p.contains(points) for p in before]).any(dim=0), others, jet)

    def _numbers(self, views, leaves, context) -> dict[str, Jet]:
        return {u.name: Constant(self._number(k, views, leaves), context) for k, u in enumerate(self.problem.unknowns)}

    def _finish(self, name: str, net: Jet, coordinates, context, numbers) -> Jet:
        """Output scaling, hard conditions, and the known part."""
        size, parts, plus = self.scales[name], self.hard.get(name), self.problem.field(name).plus
        if parts:
            found = self._lift(parts, coordinates, context, numbers) + cutoff(parts, coordinates) * _scaled(net, size.scale)
        else:
            found = _scaled(net, size.scale) + size.shift if size.shift else _scaled(net, size.scale)
        if plus is None:
            return found
        return found + known_part(name, plus, Local(self.problem.names, context, coordinates, {}, numbers), len(net))

    def _lift(self, parts: Sequence[HardPart], coordinates, context, numbers) -> Jet:
        return lift(parts, coordinates, lambda there: Local(self.problem.names, context, there, {}, numbers))

    def _number(self, k: int, views, leaves) -> Tensor:
        unknown = self.problem.unknowns[k]
        return unknown.value(leaves[unknown.name] if leaves is not None else views["unknowns"][k])

    def unknown_slopes(self, theta: Tensor) -> dict[str, float]:
        """The derivatives of the unknown numbers by their raw parameters."""
        raw = self.views(theta)["unknowns"].detach().requires_grad_()
        slopes = {}
        for k, u in enumerate(self.problem.unknowns):
            [slope] = torch.autograd.grad(self._number(k, {"unknowns": raw}, None), raw)
            slopes[u.name] = float(slope[k])
        return slopes

    def unknown_values(self, theta: Tensor) -> dict[str, float]:
        """The unknown numbers."""
        views = self.views(theta)
        return {u.name: float(self._number(k, views, None)) for k, u in enumerate(self.problem.unknowns)}


class _Bound:
    """A module with its parameters given from outside, and its buffers in their number type."""

    def __init__(self, module: nn.Module, parameters: Mapping[str, Tensor]):
        dtype = next((p.dtype for p in parameters.values()), None)
        other = {n: b.to(dtype) for n, b in module.named_buffers() if b.is_floating_point() and dtype not in (None, b.dtype)}
        self.module, self.parameters = module, {**other, **parameters}

    def __call__(self, x):
        return torch.func.functional_call(self.module, self.parameters, (x,))


class _OfFewer(Jet):
    """A field of some of the coordinates: its derivatives by the others vanish."""

    def __init__(self, jet: Jet, inputs: tuple[str, ...]):
        super().__init__(jet.context)
        self.jet, self.inputs = jet, inputs

    def _component(self, index):
        if all(n in self.inputs for n in _names_of(index)):
            return self.jet.at(index)
        if isinstance(index, Collapsed):
            return total(self.jet.at((n, n)) for n in index.names if n in self.inputs)
        return None


def _own_need(need: set[Index], inputs: Sequence[str]) -> set[Index]:
    """The part of a need that does not vanish for a function of ``inputs`` alone."""
    own = {i for i in need if all(n in inputs for n in _names_of(i))}
    parts = {(n, n) for i in need - own if isinstance(i, Collapsed) for n in i.names if n in inputs}
    return own | parts


def _names_of(index: Index) -> tuple[str, ...]:
    return index.names if isinstance(index, Collapsed) else index


def _scaled(jet: Jet, factor: float) -> Jet:
    return jet if factor == 1.0 else factor * jet


def build_ansatz(
    problem: Problem,
    net,
    scales: Mapping[str, FieldScale],
    generator: torch.Generator,
    evaluator: str = "auto",
) -> Ansatz:
    """The trial function with freshly drawn networks: one for all fields of the same coordinates.

    ``net``: a specification (``Siren``, ``MLP``) or any module (N, d) -> (N, m) of the scaled coordinates, columns in the order of the
    fields. Raises ProblemError if a module returns another shape.
    """
    periodic = [c.coordinate for c in problem.constraints if isinstance(c, Periodic) and c.hard]
    groups: dict[tuple, list[str]] = {}
    for field in problem.fields:
        for part in range(len(field.parts)) or (None,):
            groups.setdefault((field.of, field.parts, part, field.symmetry), []).append(field.name)
    if isinstance(net, nn.Module) and len(groups) > 1:
        raise ProblemError(
            "The fields depend on different coordinates, have parts or differ in symmetry, so each group needs a network of its own: give a "
            "specification."
        )
    pieces = []
    for (inputs, _, part, symmetry), fields in groups.items():
        module = _network(problem.domain, net, inputs, len(fields), periodic, generator)
        chosen = _probe_module(module, problem.domain, inputs, len(fields), evaluator)
        pieces.append(Piece(module, tuple(fields), inputs, chosen, part, symmetry))
    return Ansatz(problem, pieces, scales, net)


def _network(domain: Domain, net, inputs: tuple[str, ...], outputs: int, periodic: Sequence[str], generator: torch.Generator) -> nn.Sequential:
    """The embedding of the coordinates and the network behind it."""
    if isinstance(net, FrozenSines):  # periodic by its wave numbers
        return nn.Sequential(Embedding(domain, inputs), net.build(len(inputs), outputs, generator, [n in periodic for n in inputs]))
    embedding = Embedding(domain, inputs, periodic)
    if isinstance(net, nn.Module):
        return nn.Sequential(embedding, net.double())
    if isinstance(net, type) or not hasattr(net, "build"):
        got = f"the class {net.__name__}" if isinstance(net, type) else repr(net)
        raise ProblemError(f"A network is Siren(...), MLP(...), another of pinnsine.nets or a torch module, got {got}.")
    return nn.Sequential(embedding, net.build(embedding.width, outputs, generator))


def _probe_module(module: nn.Module, domain: Domain, inputs: tuple[str, ...], outputs: int, evaluator: str) -> str:
    """The evaluator for a module, after a look at its output's shape."""
    points = torch.tensor([[domain.axis(n).lower for n in inputs], [domain.axis(n).upper for n in inputs]], dtype=torch.float64)
    try:
        shape = tuple(module(points).shape)
    except RuntimeError as error:
        raise ProblemError(f"The network cannot take inputs of shape (N, {len(inputs)}): {error}") from error
    if shape != (2, outputs):
        raise ProblemError(f"The network must map (N, {len(inputs)}) to (N, {outputs}), one column a field; it gave (N, ...) = {shape}.")
    return choose_evaluator(evaluator, module, points, inputs)


def _check_hard(ansatz: Ansatz) -> None:
    """Refuse hard conditions whose values disagree where their faces meet: the blend cannot take both."""
    problem = ansatz.problem
    for parts in ansatz.hard.values():
        for part in (p for p in parts if isinstance(p.face, Face)):
            points = part.face.sample(64, "grid", torch.Generator().manual_seed(0))
            points = _edges(part.face, points)
            context = Context(problem.domain.names, problem.domain.space)
            coordinates = coordinates_at(problem, points, context)
            numbers = ansatz._numbers(ansatz.views(ansatz.flat()), None, context)
            local = Local(problem.names, context, coordinates, {}, numbers)
            wanted = torch.as_tensor(values(smooth_value(part, local)), dtype=torch.float64)
            gap = (ansatz._lift(parts, coordinates, context, numbers).values - wanted).abs().max()
            if not gap <= 1e-8 * (1 + wanted.abs().max()):
                raise ProblemError(
                    f"Constraint {part.constraint!r}: its values on {part.face.describe()} disagree by {float(gap):.2g} with those of another "
                    "hard condition where the two meet: use hard=False for one of them."
                )


def _edges(face: Face, points: Points) -> Points:
    """The points, and the same moved to the ends of every other coordinate, where faces meet."""
    parts = []
    for axis in face.box.axes:
        for end in (axis.lower, axis.upper) if axis.name != face.name else ():
            parts.append(Points({**points.columns, axis.name: torch.full_like(points[axis.name], end)}))
    return Points.join([Points(points.columns), *parts])
