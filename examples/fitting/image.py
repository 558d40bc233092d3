"""An image as a function: fitted exactly at its pixels, then asked for what lies between and beyond them.

u(x_j, y_i) = f_ij

python examples/fitting/image.py [TIME]      # needs scikit-image; 60s by default
"""

import sys

from skimage import data

import pinnsine as ps

camera = data.camera().reshape(128, 4, 128, 4).mean((1, 3)) / 255  # 4 x 4 pixels are one
face = camera[16:64, 44:92]  # 48 x 48
solution = ps.solve(ps.fit.image(face), time=sys.argv[1] if len(sys.argv) > 1 else "60s", callbacks=[ps.fit.stop_at(psnr=80)])
print(ps.fit.quality(solution, face))
print("picture:", ps.fit.plot_image(solution, "image.png", face))
