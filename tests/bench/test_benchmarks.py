"""The scripts of benchmarks/ that compare choices: tables made of records, without solving anything."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"


def script(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_policy_is_judged_against_the_best_of_the_forced_choices():
    policy = script("policy")
    errors = {"frozen sines": (1e-3, 1e-3, 1e-3), "quasi-Newton on tanh": (1e-6, 2e-7, 1e-7)}
    run = {"label": "Poisson", "time": 3.0, "clock": "wall", "load": 1.0, "machine": "here"}
    records = [
        {**run, "choice": choice, "seed": seed, "error": errors.get(choice, (1e-5,) * 3)[seed]} for choice in policy.FORCED for seed in range(3)
    ]
    records.append({**run, "label": "Heat", "choice": "frozen sines", "seed": 0, "failure": "no"})
    known = {"Poisson": {"error": 4e-6, "seconds": 3.0}, "Heat": {"error": 1.0, "seconds": 3.0}}
    table = policy.table(records, known)
    assert "| Poisson | 3 | 4.0e-06 | 1.0e-03 | 1.0e-05 | 2.0e-07 | 20 |" in table
    assert "| Heat | 3 | 1.0e+00 | failed | - | - |  |" in table
    assert "Within 10 times the best on 0 of 1 rows; the row's target met on 0." in table


def test_a_lever_is_judged_by_ratios_to_the_base_of_the_same_seed():
    ablation = script("ablation")
    made = [("base", 0, 1e-3), ("base", 1, 1e-5), ("weights", 0, 2e-3), ("weights", 1, 8e-5)]
    records = [{"problem": "wave", "lever": n, "seed": k, "iterations": 9, "error": e, "process seconds": 2.0} for n, k, e in made]
    assert "| 9 | wave | weights | 2 | 1.04e-03 | 4 | 1 |" in ablation.table(records)


@pytest.mark.parametrize("name", ["helmholtz", "wave", "burgers"])
def test_every_lever_changes_one_thing_and_leaves_a_sound_problem(name):
    ablation = script("ablation")
    for lever, moved in ablation.levers(name).items():
        assert len(moved) == (lever != "base")
        parts = (moved.get(part) for part in ("fields", "weight", "coefficients"))
        assert ablation.changed(name, *parts).check()
