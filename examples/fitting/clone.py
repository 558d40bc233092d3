"""A part of one image laid into another without a seam: inside, the gradient of the first; outside, the values of the second.

python examples/fitting/clone.py [TIME]      # needs scikit-image; 60s by default
"""

import sys

import numpy as np
from skimage import data

import pinnsine as ps
from pinnsine.fit.picture import draw_panels

moon = data.moon()[160:352, 160:352].reshape(32, 6, 32, 6).mean((1, 3)) / 255
coins = data.coins()[5:101, 53:149].reshape(32, 3, 32, 3).mean((1, 3)) / 255
y, x = np.mgrid[0:32, 0:32]
mask = (x - 15.5) ** 2 + (y - 15.5) ** 2 < 81
solution = ps.solve(ps.fit.clone(coins, moon, mask), time=sys.argv[1] if len(sys.argv) > 1 else "60s")
found = ps.fit.render(solution)
print(f"outside the mask: {ps.fit.psnr(found[~mask][:, None], moon[~mask][:, None]):.1f} dB")
pasted = np.where(mask, coins, moon)
panels = [(label, picture, "gray", (0, 1)) for label, picture in (("pasted", pasted), ("cloned", found), ("source", coins))]
print("picture:", draw_panels(panels, "clone.png", "seamless cloning"))
