"""The error of a solution, estimated without a reference.

If u solves F(u) = 0 and v is the solution found, the error e = u - v solves, to first order, the linearised equation F'(v) e = -F(v) with
the same conditions. It is solved by least squares over functions of another kind: random sines of the network's own last hidden layer
(which already resolves fronts) and of the coordinates, several bandwidths, the one that explains the residual best at points of its own.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from pinnsine.ansatz import Ansatz, Piece
from pinnsine.nets.network import FullyConnected
from pinnsine.objective import Objective

FEATURES = 400
BANDWIDTHS = (0.7, 2.0, 5.0)
CUTOFF = 1e-12  # singular values below this fraction of the largest are dropped


class Corrected(nn.Module):
    """A frozen network plus ``correction``, a linear combination of random sines of its last hidden layer and of the coordinates."""

    def __init__(self, module: nn.Sequential, outputs: int, bandwidth: float, generator: torch.Generator):
        super().__init__()
        self.embedding, self.core = module
        like = next(self.core.parameters())
        inner = self.core.layers[-1].in_features if isinstance(self.core, FullyConnected) else 0
        coordinates = self.embedding.width
        scales = torch.cat([torch.full((coordinates,), 2 * bandwidth), torch.full((inner,), bandwidth)])
        weight = torch.randn(FEATURES, coordinates + inner, generator=generator) * scales
        phase = 2 * math.pi * torch.rand(FEATURES, generator=generator)
        self.register_buffer("weight", weight.to(like))
        self.register_buffer("phase", phase.to(like))
        self.correction = nn.Linear(FEATURES, outputs, bias=False, dtype=like.dtype, device=like.device)
        nn.init.zeros_(self.correction.weight)

    def forward(self, x):
        y = self.embedding(x)
        hidden, parts = y, [y]
        if isinstance(self.core, FullyConnected):
            for layer in self.core.layers[:-1]:
                hidden = self.core.activation(layer(hidden))
            parts.append(hidden)
            out = self.core.layers[-1](hidden)
        else:
            out = self.core(y)
        inputs = torch.cat(parts, dim=-1)
        sines = torch.sin(torch.nn.functional.linear(inputs, self.weight, self.phase))
        return out + self.correction(sines)


def estimate_error(objective: Objective, theta: Tensor, seed: int = 7) -> dict[str, float]:
    """The estimated relative L2 error of every field; NaN where constraints have losses of their own.

    ``objective``: bound at points that were not trained on. ``theta``: the parameters (P,).
    """
    ansatz = objective.ansatz
    names = [f.name for f in ansatz.problem.fields]
    if any(t.constraint.loss is not None for t in objective.terms) or theta.dtype != torch.float64:
        return dict.fromkeys(names, math.nan)
    found = [_corrected(objective, theta, bandwidth, seed) for bandwidth in BANDWIDTHS]
    corrected, before, after = min(found, key=lambda f: f[2])
    grid = ansatz.problem.domain.grid(10_000).to(theta.dtype, theta.device)
    need = {n: {()} for n in names}
    with torch.no_grad():
        old = ansatz.local(ansatz.views(theta), grid, need)
        new = corrected.local(corrected.views(corrected.flat()), grid, need)
        changes = {n: float((getattr(new, n).values - getattr(old, n).values).norm()) for n in names}
        sizes = {n: float(getattr(old, n).values.norm()) for n in names}
    # what the correction leaves of the residual it leaves of the error, roughly: count it in
    rest = math.sqrt(max(0.0, 1 - min(1.0, after / before))) if before > 0 else 1.0
    return {n: changes[n] / sizes[n] / max(rest, 0.1) if sizes[n] > 0 else math.nan for n in names}


def _corrected(objective: Objective, theta: Tensor, bandwidth: float, seed: int) -> tuple[Ansatz, float, float]:
    """The corrected trial function, and |rows|^2 before and after at the second half of the points, which was not fitted."""
    ansatz = objective.ansatz
    ansatz_theta = ansatz.flat()
    ansatz.load(theta)
    generator = torch.Generator().manual_seed(seed)
    pieces = [_with_correction(p, bandwidth, generator) for p in ansatz.pieces]
    trial = Ansatz(ansatz.problem, pieces, ansatz.scales).to(theta.dtype).to(theta.device)
    ansatz.load(ansatz_theta)
    with torch.no_grad():
        trial.unknowns.copy_(ansatz.views(theta)["unknowns"])
    bound = Objective(trial, objective.terms, objective.points, objective.memory)
    start = trial.flat()
    free = [n for n, _ in trial.named_parameters() if n.endswith("correction.weight") or n == "unknowns"]
    small = bound.restrict(free, start)
    origin = torch.cat([trial.views(start)[n].reshape(-1) for n in small.blocks])
    rows, jacobian = small.jacobian(origin)
    step = least_squares(jacobian, -rows)
    before, after = float(rows.square().sum()), float((rows + jacobian @ step).square().sum())
    with torch.no_grad():
        for name, view in small.views(origin + step).items():
            dict(trial.named_parameters())[name].copy_(view)
    return trial, before, after


def _with_correction(piece: Piece, bandwidth: float, generator: torch.Generator) -> Piece:
    import copy

    module = Corrected(copy.deepcopy(piece.module), len(piece.fields), bandwidth, generator)
    return replace(piece, module=module)


def least_squares(matrix: Tensor, right: Tensor) -> Tensor:
    """The minimiser of |matrix x - right| with equilibrated columns, by QR with pivoting (LAPACK gelsy)."""
    scale = matrix.norm(dim=0)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    driver = "gelsy" if matrix.device.type == "cpu" else "gels"
    solution = torch.linalg.lstsq((matrix / scale), right[:, None], rcond=CUTOFF, driver=driver).solution[:, 0]
    return solution / scale
