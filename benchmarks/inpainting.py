"""Learned inpainting on patches of real photographs, against the mean colour, the nearest pixel and biharmonic inpainting.

    [OMP_NUM_THREADS=1] python benchmarks/inpainting.py [ENCODER...] [--steps 3000] [--time DURATION] [--write] [--plot FILE.png]

Colour patches of 16 x 16 pixels, each the mean over 4 x 4, of scikit-image's cat, coffee and rocket, every 4 pixels and in their eight
symmetries, are learned from; those of its astronaut, side by side, are filled in. Figures are PSNR of values in [0, 1] over the unknown
pixels of all held-out patches together, at 10 % and 30 % known pixels.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from pinnsine.bench.measure import machine
from pinnsine.fit.learned import Learning, learn_inpainting

SIDE, BLOCK, STRIDE = 16, 4, 4
RESULTS = Path(__file__).parent / "results" / "inpainting.md"
KNOWN = (0.1, 0.3)
ENCODERS = {
    "set": Learning("set"),
    "grid": Learning("grid"),
    "codes": Learning("codes"),
    "set, conditional": Learning("set", parts="biases"),
}


def patches(name: str, stride: int) -> np.ndarray:
    """(S, SIDE, SIDE, 3) from an image of scikit-image."""
    from skimage import data

    image = getattr(data, name)().astype(float) / 255
    h, w = (n // BLOCK for n in image.shape[:2])
    small = image[: h * BLOCK, : w * BLOCK].reshape(h, BLOCK, w, BLOCK, 3).mean((1, 3))
    corners = [(i, j) for i in range(0, h - SIDE + 1, stride) for j in range(0, w - SIDE + 1, stride)]
    return np.stack([small[i : i + SIDE, j : j + SIDE] for i, j in corners])


def symmetries(images: np.ndarray) -> np.ndarray:
    turned = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    return np.concatenate([*turned, *(t[:, :, ::-1] for t in turned)])


def mean_colour(image, mask):
    return np.broadcast_to(image[mask].mean(axis=0), image.shape)


def nearest_pixel(image, mask):
    from scipy.ndimage import distance_transform_edt

    i, j = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return image[i, j]


def biharmonic(image, mask):
    from skimage.restoration import inpaint_biharmonic

    return inpaint_biharmonic(image, ~mask, channel_axis=-1)


def scores(fill, images, masks) -> tuple[float, np.ndarray]:
    """PSNR over the unknown pixels, and the filled patches."""
    found = np.stack([fill(image, mask) for image, mask in zip(images, masks, strict=True)])
    return -10 * np.log10(np.square(found - images)[~masks].mean()), found


def draw(path: str, images, masks, found: dict[str, np.ndarray]) -> None:
    from pinnsine.fit.picture import draw_panels

    def joined(parts):
        return np.concatenate([np.concatenate(list(parts[r : r + 8]), axis=1) for r in (0, 8, 16, 24, 32, 40, 48, 56)])

    shown = {"held out": images, "known": np.where(masks[..., None], images, 1.0), **found}
    draw_panels([(name, joined(np.clip(parts, 0, 1)), "gray", (0, 1)) for name, parts in shown.items()], path, "learned inpainting")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="*", default=list(ENCODERS))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--time")
    parser.add_argument("--write", action="store_true", help="add the figures to benchmarks/results/inpainting.md")
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seen = symmetries(np.concatenate([patches(name, STRIDE) for name in ("cat", "coffee", "rocket")]))
    images, rng = patches("astronaut", SIDE), np.random.default_rng(0)
    masks = {part: rng.random(images.shape[:3]) < part for part in KNOWN}
    for mask in masks.values():
        mask[:, 0, 0] |= ~mask.any(axis=(1, 2))
    lines = [f"{machine()}; load {os.getloadavg()[0]:.1f}; {len(seen)} patches to learn from, {len(images)} held out, {arguments.steps} steps"]
    found = {}

    def note(name: str, fill, more: str = "") -> None:
        figures = []
        for part, mask in masks.items():
            score, found[f"{name}, {part:.0%}"] = scores(fill, images, mask)
            figures.append(f"{score:.2f} dB at {part:.0%}")
        lines.append(f"- {name}: {', '.join(figures)}{more}")
        print(lines[-1], flush=True)

    for fill in (mean_colour, nearest_pixel, biharmonic):
        note(fill.__name__.replace("_", " "), fill)
    for name in arguments.encoders:
        settings, started = ENCODERS[name], time.process_time()
        model = learn_inpainting(seen, learning=Learning(**{**vars(settings), "steps": arguments.steps, "time": arguments.time}))
        count = sum(p.numel() for p in model.parameters())
        note(name, model.fill, f" ({count:,} parameters, {time.process_time() - started:.0f} s of processor time)")
    if arguments.write:
        before = RESULTS.read_text() if RESULTS.exists() else f"# Learned inpainting\n\n{__doc__}"
        RESULTS.write_text(before + "\n" + "\n".join([lines[0], "", *lines[1:]]) + "\n")
    if arguments.plot:
        part = f"{KNOWN[-1]:.0%}"
        draw(arguments.plot, images, masks[KNOWN[-1]], {n: f for n, f in found.items() if n.endswith(part)})


if __name__ == "__main__":
    main()
