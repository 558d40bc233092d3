"""What counts as progress: the held-out loss, and its parts where the sum has stopped."""

import math

import pytest

from pinnsine.monitor import merit


def test_of_one_constraint_it_is_the_logarithm_of_the_loss():
    assert merit([3e-7]) == pytest.approx(math.log(3e-7), rel=1e-15)


def test_a_constraint_that_falls_beside_one_that_cannot_is_a_gain():
    floor = 1.3e-8
    assert merit([1e-9, 1.05 * floor]) < merit([1e-8, floor])
    assert merit([1e-9, 2.5 * floor]) > merit([1e-8, floor])  # but not at any price


def test_what_is_satisfied_has_nothing_more_to_say():
    assert merit([1e-3, 1e-20]) == merit([1e-3, 1e-30])
    assert merit([1e-3, 0.0]) == merit([1e-3, 1e-30])


@pytest.mark.parametrize("factor", [1e-12, 0.1, 1e9])
def test_it_does_not_depend_on_the_unit(factor):
    first, second = [3e-4, 2e-6, 1e-9], [1e-4, 3e-6, 2e-9]
    change = merit(second) - merit(first)
    assert merit([factor * x for x in second]) - merit([factor * x for x in first]) == pytest.approx(change, rel=1e-12)


def test_nothing_left_is_best_and_no_number_worst():
    assert merit([0.0, 0.0]) == -math.inf
    assert merit([math.nan, 1.0]) == merit([math.inf, 1.0]) == math.inf
