"""Every example runs as a user would run it, with a short budget, and draws its picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
FITTING = sorted((ROOT / "examples" / "fitting").glob("*.py"))


def run(example, folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, example, "3s"], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
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
