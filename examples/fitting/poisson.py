"""An image from the differences of its neighbouring pixels, beside the cosine transform, and without a part of them.

u(x + 1, y) - u(x, y) = g_x,   u(x, y + 1) - u(x, y) = g_y

python examples/fitting/poisson.py [TIME]      # needs scikit-image; 60s by default
"""

import sys

import numpy as np
from skimage import data

import pinnsine as ps
from pinnsine.fit.picture import draw_panels

camera = data.camera().reshape(128, 4, 128, 4).mean((1, 3)) / 255
face = camera[8:80, 36:108]  # 72 x 72
slopes = ps.fit.gradient(face, "forward")
known = np.random.default_rng(0).random(face.shape) < 0.9
solution = ps.solve(ps.fit.poisson(slopes, stencil="forward", mask=known), time=sys.argv[1] if len(sys.argv) > 1 else "60s")
found = ps.fit.render(solution)
touched = known | np.pad(known, ((1, 0), (0, 0)))[:-1] | np.pad(known, ((0, 0), (1, 0)))[:, :-1]
score = ps.fit.psnr(found[touched][:, None], face[touched][:, None], offset=True)
print(f"from nine tenths of the differences: {score:.1f} dB after the free constant; {(~touched).sum()} pixels stand in none of them")
print(f"cosine transform, which needs all of them: {ps.fit.psnr(ps.fit.poisson_dct(slopes), face, offset=True):.1f} dB")
panels = [("differences along x", slopes[0], "RdBu_r", None), ("found", found - found.mean() + face.mean(), "gray", (0, 1)),
          ("image", face, "gray", (0, 1))]  # fmt: skip
print("picture:", draw_panels(panels, "poisson.png", "an image from its differences"))
