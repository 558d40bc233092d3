"""``pinnsine fit`` in the process itself."""

import inspect
import json
import sys
from dataclasses import fields

import numpy as np
import pytest
from scipy.io import wavfile

from pinnsine.cli import main
from pinnsine.fit_commands import fit_app
from pinnsine.fit_options import FitOptions

Image = pytest.importorskip("PIL.Image")
SHORT = ["--net", "siren:width=12,depth=2,omega=8", "--optimizer", "lm:damping=1e-3,factor=16", "--iterations", "3"]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    return end.value.code or 0, *capsys.readouterr()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 8), dtype=np.uint8)).save(path)
    return path


def test_an_image_is_fitted_drawn_and_reported(picture, tmp_path, capsys):
    pytest.importorskip("skimage")
    plot, out = tmp_path / "fit.png", tmp_path / "fit.h5"
    status, printed, _ = run(capsys, "fit", "image", picture, *SHORT, "--plot", plot, "--out", out, "--json")
    found = json.loads(printed)
    assert status == 0
    assert found["problem"] == "image"
    assert found["psnr"] == pytest.approx(-10 * np.log10(found["mse"]))
    assert plot.stat().st_size > 0 < out.stat().st_size


@pytest.mark.parametrize("source", ["gradient", "laplacian", "both"])
def test_a_poisson_problem_is_solved(picture, capsys, source):
    status, printed, _ = run(capsys, "fit", "poisson", picture, "--from", source, *SHORT, "--quiet", "--json")
    assert status == 0
    assert json.loads(printed)["psnr"] > 5


@pytest.mark.parametrize(("source", "stencil"), [("laplacian", "sobel"), ("both", "sobel"), ("laplacian", "exact"), ("gradient", "exact")])
def test_differences_that_cannot_be_taken_and_inverted_are_refused(picture, capsys, source, stencil):
    status, _, said = run(capsys, "fit", "poisson", picture, "--from", source, "--stencil", stencil, *SHORT)
    assert status == 2
    assert "forward" in said


def test_two_images_are_blended(picture, capsys):
    status, printed, _ = run(capsys, "fit", "blend", picture, picture, "--weight", "0.5", "--weight", "0.5", *SHORT)
    assert status == 0
    assert "blend: " in printed


def test_a_cloud_becomes_a_surface(tmp_path, capsys):
    pytest.importorskip("trimesh")
    points = np.random.default_rng(0).standard_normal((80, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cloud, surface = tmp_path / "ball.xyz", tmp_path / "ball.stl"
    np.savetxt(cloud, np.hstack([points, points]))
    options = ["--points", "80", "--resolution", "12", "--surface", surface, "--net", "siren:width=10,depth=2,omega=1.5", *SHORT[2:]]
    status, printed, _ = run(capsys, "fit", "sdf", cloud, *options, "--json")
    assert status == 0
    found = json.loads(printed)
    assert found["components"] >= 1
    assert 0 < found["chamfer"] < 1  # the ball has the radius one
    assert surface.exists()


def test_losses_of_a_shape_are_named_or_refused(tmp_path, capsys):
    cloud = tmp_path / "ball.xyz"
    points = np.random.default_rng(0).standard_normal((60, 3))
    np.savetxt(cloud, points / np.linalg.norm(points, axis=1, keepdims=True))
    options = ["--points", "60", "--resolution", "12", "--net", "siren:width=8,depth=2,omega=1.5", "--iterations", "2"]
    status, _, errors = run(capsys, "fit", "sdf", cloud, *options, "--losses", "heat")
    assert status == 2
    assert "'squares'" in errors
    assert run(capsys, "fit", "sdf", cloud, *options, "--losses", "singular")[0] == 0


def test_a_sound_is_fitted_and_written(tmp_path, capsys):
    source, copy = tmp_path / "tone.wav", tmp_path / "copy.wav"
    wavfile.write(source, 8000, np.sin(np.arange(200) / 3).astype(np.float32))
    status, printed, _ = run(capsys, "fit", "audio", source, "--sound", copy, *SHORT, "--json")
    assert status == 0
    assert json.loads(printed)["snr"] > 0
    assert copy.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["image", "nowhere.png"], "There is no file 'nowhere.png'"),
        (["sdf", "nowhere.ply"], "There is no file 'nowhere.ply'"),
        (["audio", "nowhere.wav"], "There is no file 'nowhere.wav'"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_line(arguments, message, capsys):
    status, _, errors = run(capsys, "fit", *arguments)
    assert status == 2
    assert errors.startswith("error: ")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_film_is_fitted_from_its_frames(tmp_path, capsys):
    frames = [tmp_path / f"{k}.png" for k in range(3)]
    for k, path in enumerate(frames):
        Image.fromarray(np.full((7, 8), 60 * k + 40, dtype=np.uint8)).save(path)
    status, printed, _ = run(capsys, "fit", "video", *frames, *SHORT, "--plot", tmp_path / "film.png", "--json")
    found = json.loads(printed)
    assert status == 0
    assert found["frames"] == 3
    assert found["psnr"] > 15  # 19.9 after three iterations; the mean of all frames alone is at 14.3
    assert (tmp_path / "film.png").stat().st_size > 0


@pytest.mark.parametrize(("command", "module"), [("image", "skimage.metrics"), ("sdf", "skimage.measure"), ("sdf", "trimesh")])
def test_a_missing_library_is_said_before_any_work(command, module, picture, tmp_path, capsys, monkeypatch):
    np.savetxt(cloud := tmp_path / "cloud.xyz", np.random.default_rng(0).random((9, 6)))
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("pinnsine.solve", lambda *_, **__: pytest.fail("the work was started"))
    status, _, errors = run(capsys, "fit", command, picture if command == "image" else cloud)
    assert status == 2
    assert "pip install 'pinnsine[" in errors


@pytest.mark.parametrize(
    ("command", "module"), [("image", "skimage.metrics"), ("image", "PIL"), ("sdf", "skimage.measure"), ("sdf", "trimesh")]
)
def test_a_missing_file_is_said_before_a_missing_library(command, module, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    status, _, errors = run(capsys, "fit", command, "nowhere.png")
    assert status == 2
    assert "There is no file 'nowhere.png'" in errors


def test_all_commands_share_the_same_options():
    shared = {f.name for f in fields(FitOptions)}
    for command in fit_app.registered_commands:
        assert shared <= set(inspect.signature(command.callback).parameters)
