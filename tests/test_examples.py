"""Every example runs as a user would run it, with a short budget, and draws its picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(example, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, example, "3s"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "relative L2" in done.stdout
    assert list(tmp_path.glob("*.png"))


NETWORKS = {
    "activations": ("16", "gradients' growth a layer"),
    "low_pass": ("20", "bandwidth of the tangent kernel"),
    "depth": ("2", "depth 32"),
    "rotated": ("2", "half a step off"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_example_of_networks_draws_its_figure(name, tmp_path):
    """With the first argument small: the width, the samples, the steps."""
    if name == "rotated":
        pytest.importorskip("skimage")
    size, said = NETWORKS[name]
    script, environment = ROOT / "examples" / "networks" / f"{name}.py", os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script, size], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_every_example_of_networks_is_run():
    assert {path.stem for path in (ROOT / "examples" / "networks").glob("*.py")} == set(NETWORKS)
