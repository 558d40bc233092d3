"""The advection equation at thirty times the speed, where gradient methods fail.

    u_t + c u_x = 0,   0 <= x <= 2 pi periodic,  0 <= t <= 1,   u(x, 0) = sin(x),   c = 30

Exact solution u = sin(x - c t), which comes by five times (A. S. Krishnapriyan et al. 2021, Adv. Neural Inf. Process. Syst. 34).
"""

import pinnsine as ps


def problem(c: float = 30.0) -> ps.Problem:
    return ps.load_problem("advection", c=c)
