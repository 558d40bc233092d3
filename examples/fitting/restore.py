"""Pixels that are missing, and detail below a pixel, filled in by a prior, beside biharmonic inpainting and bicubic interpolation.

u = f at the known pixels, or the mean of u over a pixel is f; |grad u| or |Hessian u| small everywhere

python examples/fitting/restore.py [TIME]      # needs scikit-image; 60s by default, for each of three problems
"""

import sys

import numpy as np
from skimage import data
from skimage.restoration import inpaint_biharmonic
from skimage.transform import resize

import pinnsine as ps
from pinnsine.fit.picture import draw_panels

SIZE = 32
camera = data.camera().reshape(128, 4, 128, 4).mean((1, 3)) / 255
face = camera[24 : 24 + SIZE, 52 : 52 + SIZE]
budget = sys.argv[1] if len(sys.argv) > 1 else "60s"

known = np.random.default_rng(0).random(face.shape) < 0.3
filled = {prior: ps.fit.render(ps.solve(ps.fit.inpaint(face, known, prior), time=budget)) for prior in ("bending", "tv")}
filled["biharmonic"] = inpaint_biharmonic(face, ~known)
coarse = face.reshape(SIZE // 2, 2, SIZE // 2, 2).mean((1, 3))
fine = {"bending": ps.fit.render(ps.solve(ps.fit.super_resolve(coarse, 2, "bending"), time=budget), face.shape)}
fine["bicubic"] = resize(coarse, face.shape, order=3, mode="edge", anti_aliasing=False)

panels = [("image", face, "gray", (0, 1)), ("known: 30 %", np.where(known, face, 1), "gray", (0, 1)), ("coarse", coarse, "gray", (0, 1))]
for task, found in (("filled in", filled), ("twice as fine", fine)):
    for name, image in found.items():
        score = f"{task}, {name}: {ps.fit.psnr(image, face):.1f} dB"
        print(score)
        panels.append((score, image, "gray", (0, 1)))
print("picture:", draw_panels(panels, "restore.png", "priors"))
