"""Two reaction rates found from concentrations: one substance decays into another, which decays in turn.

    u_t = -k u,   v_t = k u - m v,   0 <= t <= 4,   u(0) = 1, v(0) = 0

Known are v, without noise, at 20 times, and the start. The samples belong to k = 1.3 and m = 0.4; the search starts from k = m = 1. Exact
solution u = exp(-k t), v = k (exp(-m t) - exp(-k t)) / (k - m) (H. Bateman 1910, Proc. Camb. Phil. Soc. 15).
"""

import torch

import pinnsine as ps


def problem(k: float = 1.3, m: float = 0.4, samples: int = 20) -> ps.Problem:
    domain = ps.Time(0, 4)

    def exact_v(s):
        return k * (torch.exp(-m * s.t) - torch.exp(-k * s.t)) / (k - m)

    times = torch.linspace(0.2, 4, samples, dtype=torch.float64)
    return ps.Problem(
        domain,
        fields=("u", "v"),
        unknowns=[ps.Unknown("k", 1.0, positive=True), ps.Unknown("m", 1.0, positive=True)],
        constraints=[
            ps.Residual("kinetics", lambda s: {"first": s.u_t + s.k * s.u, "second": s.v_t - s.k * s.u + s.m * s.v}),
            ps.Initial("start", u=1.0, v=0.0),
            ps.Data("samples", ps.Points({"t": times}), v=exact_v),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.exp(-k * s.t), v=exact_v),
    )
