"""A sound as a function of time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from pinnsine.conditions import Samples
from pinnsine.domain import Time
from pinnsine.errors import ProblemError
from pinnsine.export import replacing, require_suffix
from pinnsine.plot import COLOURS, DPI, FORMATS
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.solution import Solution

FULL = {"uint8": 128.0, "int16": 2.0**15, "int32": 2.0**31}  # full scale of the integers that .wav files hold


def as_sound(source: str | Path | np.ndarray, rate: float | None = None) -> tuple[np.ndarray, float]:
    """Samples (N, channels) in [-1, 1] and their rate in Hz, from a .wav file or an array (N,) or (N, channels) with its ``rate``.

    Raises ProblemError for a file that cannot be read, an array without a rate, and samples that are not finite.
    """
    if isinstance(source, str | Path):
        rate, samples = _read(Path(source))
    elif rate is None or not rate > 0:
        raise ProblemError(f"An array of samples needs its rate= in Hz, got {rate!r}.")
    else:
        samples = np.asarray(source)
    if samples.dtype.name in FULL:
        samples = samples / FULL[samples.dtype.name] - (1.0 if samples.dtype.name == "uint8" else 0.0)
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim not in (1, 2) or len(samples) < 2 or 0 in samples.shape:
        raise ProblemError(f"A sound has at least two samples, in the shape (N,) or (N, channels), got {samples.shape}.")
    if not np.isfinite(samples).all():
        raise ProblemError(f"The sound holds {int((~np.isfinite(samples)).sum())} samples that are not finite.")
    return samples.reshape(len(samples), -1), float(rate)


def _read(path: Path) -> tuple[float, np.ndarray]:
    from scipy.io import wavfile

    if not path.exists():
        raise ProblemError(f"There is no file {str(path)!r} to read a sound from.")
    try:
        return wavfile.read(path)
    except Exception as error:
        raise ProblemError(f"{path.name} is no .wav file that can be read: {error}") from error


def audio(source: str | Path | np.ndarray, rate: float | None = None) -> Problem:
    """The problem of fitting a sound: u(t_k) = f_k at t_k = (k + 1/2) / rate, in seconds; of several channels the fields are c1, c2 ...

    The loss is the mean squared error, over samples and channels. See ``as_sound`` for what ``source`` may be.
    """
    samples, rate = as_sound(source, rate)
    names = ["u"] if samples.shape[1] == 1 else [f"c{k + 1}" for k in range(samples.shape[1])]
    columns = {f"value_{n}": samples[:, k] for k, n in enumerate(names)}
    points = Points({"t": (np.arange(len(samples)) + 0.5) / rate, **columns})
    data = Samples("samples", {n: f"value_{n}" for n in names}, on=points, weight=1 / len(names))
    return Problem(Time(0, len(samples) / rate), names, [data], name="audio")


def sound(solution: Solution, rate: float) -> np.ndarray:
    """The samples (N, channels) of a fit at any rate in Hz."""
    length = solution.problem.domain.axis("t").upper
    times = (np.arange(max(1, round(length * rate))) + 0.5) / rate
    return np.stack(list(solution.predict(t=times).values()), axis=1)


def write_sound(samples: np.ndarray, rate: float, path: str | Path) -> Path:
    """Write samples (N, channels) as a .wav file of 16 bits; what lies beyond [-1, 1] is cut off."""
    from scipy.io import wavfile

    path = require_suffix(path, (".wav",), "A sound")
    with replacing(path) as beside:
        wavfile.write(beside, round(rate), np.round(np.clip(samples, -1, 1) * (2**15 - 1)).astype(np.int16))
    return path


def plot_sound(found: np.ndarray, truth: np.ndarray, rate: float, path: str | Path) -> Path:
    """Draw the samples (N,) of a fit over those of the sound, and their difference, against the seconds.

    Raises ProblemError for an unknown suffix, or a place that cannot be written to.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = require_suffix(path, FORMATS, "A picture")
    figure = Figure(figsize=(9, 5), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    times = (np.arange(len(truth)) + 0.5) / rate
    above.plot(times, truth, color=COLOURS["reference"], linewidth=1.8, label="sound")
    above.plot(times, found, color=COLOURS["field"], linewidth=0.8, label="fit")
    above.set(ylabel="samples", title=f"SNR {snr(found, truth):.1f} dB")
    above.legend(fontsize=8, frameon=False)
    below.plot(times, found - truth, color=COLOURS["error"], linewidth=0.8)
    below.set(xlabel="seconds", ylabel="error")
    with replacing(path) as beside:
        figure.savefig(beside, format=path.suffix[1:])
    return path


def snr(found: np.ndarray, truth: np.ndarray) -> float:
    """The signal-to-noise ratio 10 log10(sum truth^2 / sum (found - truth)^2) in decibels; infinite where they are equal."""
    noise = float(np.square(np.asarray(found) - truth).sum())
    return 10 * math.log10(float(np.square(truth).sum()) / noise) if noise > 0 else math.inf
