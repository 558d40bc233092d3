"""Learning rates over the iterations: warm-up, cosine, steps; and what a method does with them."""

import math

import pytest
import torch
from optim.toys import Toy

import pinnsine as ps
from pinnsine.optim import Adam, Constant, Cosine, Muon, Steps


def factors(schedule, count):
    return [schedule.factor(k, count) for k in range(1, count + 1)]


def test_a_warm_up_is_linear_and_ends_at_one():
    assert factors(Constant(warmup=4), 6) == [0.25, 0.5, 0.75, 1, 1, 1]


def test_a_cosine_falls_from_one_to_its_floor_after_the_warm_up():
    found = factors(Cosine(floor=0.1, warmup=2), 10)
    assert found[:2] == [0.5, 1.0]
    assert found[2:] == pytest.approx([0.55 + 0.45 * math.cos(math.pi * k / 8) for k in range(1, 9)], rel=1e-14)
    assert found[-1] == pytest.approx(0.1, rel=1e-14)


def test_steps_fall_by_their_ratio():
    assert factors(Steps(ratio=0.5, every=2), 6) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert factors(Steps(ratio=0.5, every=2, warmup=2), 5) == [0.5, 1, 1, 1, 0.5]


@pytest.mark.parametrize("method", [Adam, Muon])
def test_the_steps_of_a_method_have_the_lengths_of_its_schedule(method):
    """Along a slope that stays the same Adam's steps are of the length of the rate."""
    slope = type("Slope", (Toy,), {"loss_and_gradient": lambda self, theta: (float(theta.sum()), torch.ones_like(theta))})(None)
    theta, lengths = torch.zeros(2, dtype=torch.float64), []
    chosen = method(6, lr=0.1, schedule=Steps(ratio=0.5, every=2, warmup=2))
    state = chosen.start(slope, theta)
    for _ in range(6):
        step = chosen.step(slope, theta, state)
        lengths.append(float((theta - step.theta)[0]))
        theta, state = step.theta, step.state
    assert lengths == pytest.approx([0.05, 0.1, 0.1, 0.1, 0.05, 0.05], rel=1e-9)


@pytest.mark.parametrize(("clip", "factor"), [(5.0, 1.0), (10.0, 1.0), (1.0, 0.2)])
def test_a_gradient_longer_than_the_clip_is_shortened_to_it(clip, factor):
    toy, theta = Toy(lambda t: t), torch.tensor([1.5, 2.0], dtype=torch.float64)  # gradient 2 theta, of length 5
    state = Adam(clip=clip).step(toy, theta, Adam().start(toy, theta)).state
    torch.testing.assert_close(state["mean"], 0.1 * factor * 2 * theta, rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Steps(ratio=1.5), "Steps needs warmup >= 0, every >= 1 and factors in"),
        (lambda: Cosine(warmup=-1), "Cosine needs warmup >= 0"),
        (lambda: Adam(schedule=Cosine()), "Adam: a cosine needs the number of iterations"),
        (lambda: Muon(clip=0.0), "Muon needs .* clip above 0"),
        (lambda: Adam(dtype="float16"), "dtype= must be 'float32' or 'float64', got 'float16'"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ps.ProblemError, match=message):
        make()
