"""Problems whose domain, or part of it, is not known beforehand."""

import numpy as np

import pinnsine as ps


def test_a_string_over_an_obstacle_touches_it_where_it_should():
    """Measured with seed 0 and these few sines: 3.2e-4 in u; contact up to a = 0.293."""
    problem = ps.load_problem("obstacle")
    solution = ps.solve(problem, net=ps.FrozenSines(100, omega=30.0), points=400, progress=False, estimate=False)
    assert solution.compare().relative_l2["u"] < 1e-3
    x = np.linspace(-1, 1, 401)
    gap = solution.predict("u", x=x) - (0.5 - x**2)
    assert gap.min() > -1e-3
    assert np.abs(gap[np.abs(x) < 0.25]).max() < 1e-3
    assert gap[np.abs(x) > 0.35].min() > 2e-3
