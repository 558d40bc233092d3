"""A chord with two beats as a function of time.

python examples/fitting/audio.py [TIME]      # 60s by default
"""

import sys

import numpy as np

import pinnsine as ps

rate = 8000
t = (np.arange(rate // 8) + 0.5) / rate
beats = sum(np.exp(-60 * np.maximum(t - start, 0)) * (t >= start) for start in (0.01, 0.07))
chord = 0.25 * beats * sum(np.sin(2 * np.pi * tone * t) for tone in (261.6, 329.6, 392.0))
solution = ps.solve(ps.fit.audio(chord, rate), time=sys.argv[1] if len(sys.argv) > 1 else "60s")
found = ps.fit.sound(solution, rate)
print(f"SNR {ps.fit.snr(found[:, 0], chord):.1f} dB, written to", ps.fit.write_sound(found, rate, "chord.wav"))
print("picture:", ps.fit.plot_sound(found[:, 0], chord, rate, "audio.png"))
