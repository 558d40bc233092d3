"""The signed distance to a torus from points and normals on it, and its surface as triangles.

u = 0 and grad u = n on the points, |grad u| = 1 off them

python examples/fitting/sdf.py [TIME]      # needs scikit-image and trimesh; 60s by default
"""

import sys

import numpy as np

import pinnsine as ps
from pinnsine.fit.picture import draw_panels

rng = np.random.default_rng(0)
around, along = 2 * np.pi * rng.random((2, 600))
normals = np.stack([np.cos(around) * np.cos(along), np.cos(around) * np.sin(along), np.sin(around)], axis=1)
points = np.stack([np.cos(along), np.sin(along), 0 * along], axis=1) + 0.4 * normals
problem = ps.fit.sdf(np.hstack([points, normals]), points=600)
solution = ps.solve(
    problem, net=ps.Siren(20, 3, omega=2.0), optimizer=ps.LevenbergMarquardt(), time=sys.argv[1] if len(sys.argv) > 1 else "60s"
)


def distance(p):
    return np.hypot(np.hypot(p[:, 0], p[:, 1]) - 1, p[:, 2]) - 0.4


print(ps.fit.distance_error(solution, distance))
surface = solution.surface(resolution=64)
print(f"{surface.components()} part(s), {len(surface.faces):,} triangles:", surface.export("torus.stl"))
x, z = np.linspace(-1.6, 1.6, 200), np.linspace(-1.6, 1.6, 200)[:, None]
slice_ = solution.predict("u", x=x, y=0.0, z=z)
exact = np.hypot(abs(x) - 1, z) - 0.4
panels = [("distance in the plane y = 0", slice_, "RdBu_r", None), ("error", slice_ - exact, "RdBu_r", None)]
print("picture:", draw_panels(panels, "sdf.png", "torus"))
