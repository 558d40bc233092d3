"""A second of a chord with three beats, at 44,100 samples, as a function of time.

python examples/fitting/audio.py [TIME]      # 60s by default
"""

import sys

import numpy as np

import pinnsine as ps

rate = 44_100
t = (np.arange(rate) + 0.5) / rate
beats = sum(np.exp(-8 * np.maximum(t - start, 0)) * (t >= start) for start in (0.05, 0.4, 0.7))
chord = 0.2 * beats * sum(np.sin(2 * np.pi * tone * t) for tone in (261.6, 329.6, 392.0))
problem, budget = ps.fit.audio(chord, rate), sys.argv[1] if len(sys.argv) > 1 else "60s"
for share, net in (("as many unknowns as samples", None), ("half as many", ps.nets.LocalSines(1400, 16))):
    solution = ps.solve(problem, net=net, time=budget)
    found = ps.fit.sound(solution, rate)
    print(f"{share}: {solution.ansatz.size:,} parameters, SNR {ps.fit.snr(found[:, 0], chord):.1f} dB")
print("written to", ps.fit.write_sound(found, rate, "chord.wav"))
print("picture:", ps.fit.plot_sound(found[:, 0], chord, rate, "audio.png"))
