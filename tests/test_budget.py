import math

import pytest

from pinnsine.budget import seconds
from pinnsine.errors import ProblemError


@pytest.mark.parametrize(("text", "value"), [(5, 5), (0.5, 0.5), ("60s", 60), ("2m", 120), ("1.5h", 5400), ("30", 30), (None, math.inf)])
def test_budgets_are_read_in_seconds(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", [0, -1, "-5s", "soon", "5 days", "1..5s"])
def test_other_budgets_are_refused(text):
    with pytest.raises(ProblemError, match="positive number of seconds"):
        seconds(text)
