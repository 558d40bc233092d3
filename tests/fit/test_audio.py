"""Sounds: read, fitted and written."""

import numpy as np
import pytest
from scipy.io import wavfile

import pinnsine as ps
from pinnsine.fit import audio, plot_sound, snr, sound, write_sound
from pinnsine.fit.audio import as_sound

TIMES = (np.arange(400) + 0.5) / 8000
TONE = 0.4 * np.sin(2 * np.pi * 440 * TIMES) + 0.2 * np.sin(2 * np.pi * 1100 * TIMES)


@pytest.mark.parametrize(("kind", "full"), [("int16", 32768), ("int32", 2**31), ("float32", 1)])
def test_samples_are_read_between_minus_one_and_one(tmp_path, kind, full):
    path = tmp_path / "tone.wav"
    wavfile.write(path, 8000, (TONE * full).astype(kind))
    samples, rate = as_sound(path)
    assert rate == 8000
    assert abs(samples[:, 0] - TONE).max() < 1e-4
    wavfile.write(path, 8000, np.array([0, 128, 255], dtype=np.uint8))
    assert np.allclose(as_sound(path)[0][:, 0], [-1, 0, 127 / 128])


def test_a_tone_is_fitted_and_written(tmp_path):
    """739 parameters for 400 samples: 292 dB; 16 bits cost the rest."""
    solution = ps.solve(audio(TONE, 8000), net=ps.Siren(18, 3, omega=120.0), iterations=25, progress=False,
                        optimizer=ps.LevenbergMarquardt(damping=1e-3, factor=16))  # fmt: skip
    found = sound(solution, 8000)
    assert found.shape == (400, 1)
    assert snr(found[:, 0], TONE) > 280
    assert len(sound(solution, 16000)) == 800
    assert plot_sound(found[:, 0], TONE, 8000, tmp_path / "fit.png").stat().st_size > 10_000
    path = write_sound(found, 8000, tmp_path / "fit.wav")
    assert snr(as_sound(path)[0][:, 0], TONE) > 60


def test_two_channels_are_two_fields():
    problem = audio(np.stack([TONE, -TONE], axis=1), 8000)
    assert problem.names.fields == ("c1", "c2")
    assert problem.domain.axis("t").upper == pytest.approx(0.05)


def test_snr_is_that_of_its_definition():
    assert snr(1.1 * TONE, TONE) == pytest.approx(20.0)
    assert snr(TONE, TONE) == np.inf


@pytest.mark.parametrize(
    ("source", "rate", "message"),
    [
        (TONE, None, "needs its rate"),
        (TONE, 0, "needs its rate"),
        (TONE[:1], 8000, "at least two samples"),
        (np.zeros((0, 2)), 8000, "at least two samples"),
        (np.array([0.0, np.nan]), 8000, "1 samples that are not finite"),
        ("nowhere.wav", None, "There is no file"),
    ],
)
def test_what_is_no_sound_is_refused(source, rate, message):
    with pytest.raises(ps.ProblemError, match=message):
        audio(source, rate)


def test_a_file_that_is_no_sound_is_refused(tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF no sound")
    with pytest.raises(ps.ProblemError, match=r"broken\.wav is no \.wav file"):
        as_sound(path)
