"""Every example runs as a user would run it, with its work cut short, and draws its picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
FITTING = sorted((ROOT / "examples" / "fitting").glob("*.py"))
NETWORKS = {  # the first argument, small: the width, the samples, the steps; and what is printed
    "activations": ("16", "gradients' growth a layer"),
    "low_pass": ("20", "bandwidth of the tangent kernel"),
    "depth": ("2", "depth 32"),
    "rotated": ("2", "half a step off"),
}


def run(example, folder, argument="3s"):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, example, argument], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_size > 10_000 for path in folder.glob("*.png"))
    assert list(folder.glob("*.png"))
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(example, tmp_path):
    assert "relative L2" in run(example, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("example", FITTING, ids=lambda path: path.stem)
def test_the_fit_runs(example, tmp_path):
    for library in ("skimage", "trimesh"):
        pytest.importorskip(library)
    printed = run(example, tmp_path)
    assert " dB" in printed or "part(s)" in printed


@pytest.mark.parametrize("name", NETWORKS)
def test_the_figure_of_networks_is_drawn(name, tmp_path):
    if name == "rotated":
        pytest.importorskip("skimage")
    argument, said = NETWORKS[name]
    assert said in run(ROOT / "examples" / "networks" / f"{name}.py", tmp_path, argument)


def test_every_example_of_networks_is_run():
    assert {path.stem for path in (ROOT / "examples" / "networks").glob("*.py")} == set(NETWORKS)
