"""Residual and parameter gradient, as first-order methods take them, beside the matrix products alone and beside nested autograd.

    OMP_NUM_THREADS=1 python benchmarks/throughput.py [--points 10000] [--compile] [--device cuda] [--dtype float32] [--write]

A sine network of four hidden layers of 128; Burgers' equation (second order) and Kuramoto and Sivashinsky's (fourth). Each way runs in a
process of its own: the least time of several calls, and what they add to the highest resident memory (on a GPU to the memory allocated). The
limit is the time of the products of the same shapes: forward with all derivatives stacked, and two backward, for inputs and weights.
"compiled" is what ``solve(..., compile=True)`` does, in blocks of points; "compiled whole" is the same of all points at once, as all the other
ways are.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import torch

import pinnsine as ps
import pinnsine.compiled
from pinnsine.ansatz import build_ansatz
from pinnsine.bench.measure import machine
from pinnsine.compiled import Compiler
from pinnsine.constraint import row_points
from pinnsine.index import closure
from pinnsine.objective import bind
from pinnsine.scaling import field_scales

WIDTH, DEPTH, REPEATS = 128, 4, 5
NU = 0.01
EQUATIONS = {"burgers": lambda s: s.u_t + s.u * s.u_x - NU * s.u_xx, "kuramoto_sivashinsky": lambda s: s.u_t + s.u * s.u_x + s.u_xx + s.u_xxxx}
COMPILED = ("compiled", "compiled whole")
ORDERS = {"burgers": 2, "kuramoto_sivashinsky": 4}


def jets(equation: str, points: int, dtype: torch.dtype, device: str, compiler: Compiler | None, memory: float = 2e9):
    """Loss and gradient by the package, and the shapes (rows, in, out) of its matrix products."""
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    problem = ps.Problem(domain, "u", [ps.Residual("pde", EQUATIONS[equation])])
    generator = torch.Generator().manual_seed(0)
    drawn = {"pde": row_points(problem.constraints[0], domain, points, "sobol", generator).to(dtype, torch.device(device))}
    ansatz = build_ansatz(problem, ps.Siren(WIDTH, DEPTH, omega=4.0), field_scales(problem), generator).to(dtype).to(device)
    objective, theta = bind(ansatz, drawn, memory, compiler), ansatz.flat()
    rows = points * len(closure(objective.terms[0].need["u"]))
    shapes = [(rows, *reversed(p.shape)) for p in ansatz.parameters() if p.ndim == 2]
    return lambda: objective.loss_and_gradient(theta), shapes


def products(shapes, dtype: torch.dtype, device: str):
    """The products alone, into memory that is there: X W^T, and backward G^T X and, but for the first layer, G W."""
    layers = [tuple(torch.randn(*s, dtype=dtype, device=device) for s in ((n, i), (o, i), (n, o))) for n, i, o in shapes]
    outputs = [tuple(torch.empty(*s, dtype=dtype, device=device) for s in ((n, o), (o, i), (n, i))) for n, i, o in shapes]

    def call():
        for number, ((x, w, g), (forward, weights, inputs)) in enumerate(zip(layers, outputs, strict=True)):
            torch.mm(x, w.T, out=forward)
            torch.mm(g.T, x, out=weights)
            if number:
                torch.mm(g, w, out=inputs)

    return call


def nested(equation: str, points: int, dtype: torch.dtype, device: str):
    """The same by nested torch.autograd.grad, as it is usually written."""
    torch.manual_seed(0)
    sine = type("Sine", (torch.nn.Module,), {"forward": lambda self, x: torch.sin(x)})
    sizes = [2, *[WIDTH] * DEPTH]
    layers = [m for i, o in itertools.pairwise(sizes) for m in (torch.nn.Linear(i, o), sine())]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(WIDTH, 1)).to(dtype).to(device)
    x, t = (torch.rand(points, 1, dtype=dtype, device=device).requires_grad_() for _ in range(2))

    def slope(f, by):
        return torch.autograd.grad(f.sum(), by, create_graph=True)[0]

    def call():
        u = net(torch.cat([t, x], dim=1))
        u_t, derivatives = slope(u, t), [u]
        for _ in range(ORDERS[equation]):
            derivatives.append(slope(derivatives[-1], x))
        highest = -NU * derivatives[2] if equation == "burgers" else derivatives[2] + derivatives[4]
        loss = (u_t + u * derivatives[1] + highest).square().mean()
        torch.autograd.grad(loss, list(net.parameters()))

    return call


def peak(device: str) -> int:
    """The most bytes held so far."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def measured(way: str, equation: str, points: int, dtype: torch.dtype, device: str) -> dict:
    """The least seconds of a call, and the bytes that the calls add to those of a call on few points."""
    compiler, memory = Compiler() if way in COMPILED else None, 2e9
    if way == "compiled whole":
        pinnsine.compiled.BLOCK, memory = points, 1e12

    def made(count: int):
        if way == "nested":
            return nested(equation, count, dtype, device)
        call, shapes = jets(equation, count, dtype, device, compiler, memory)
        return products(shapes, dtype, device) if way == "limit" else call

    if way not in COMPILED:
        made(64)()
    before, call, times = peak(device), made(points), []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return {"seconds": min(times[1:]), "bytes": peak(device) - before, "cold": compiler.seconds if compiler else 0.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/throughput.md")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--equation", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        dtype = getattr(torch, arguments.dtype)
        print(json.dumps(measured(arguments.way, arguments.equation, arguments.points, dtype, arguments.device)))
        return
    ways = ["limit", "jets", *(COMPILED if arguments.compile else []), "nested"]
    lines = ["| equation | way | ms | against the limit | against nested autograd | MB | compiled in |", "|---|---|---|---|---|---|---|"]
    for equation in EQUATIONS:
        found = {}
        for way in ways:
            command = [sys.executable, *sys.argv, "--way", way, "--equation", equation]
            found[way] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for way, f in found.items():
            limit, other = f["seconds"] / found["limit"]["seconds"], found["nested"]["seconds"] / f["seconds"]
            cold = f"{f['cold']:.0f} s" if f["cold"] else ""
            lines.append(f"| {equation} | {way} | {1e3 * f['seconds']:.0f} | {limit:.2f} | {other:.2f} x | {f['bytes'] / 1e6:.0f} | {cold} |")
    threads = torch.get_num_threads()
    heading = f"{machine()}, {threads} threads, {arguments.points:,} points, {arguments.dtype} on {arguments.device}"
    said = (
        f'"compiled" computes at most {pinnsine.compiled.BLOCK:,} points at a time on a processor, all other ways all points at once (nested '
        "autograd would hold less in blocks as well: see --points 1000); its memory is also what the compiler itself takes."
    )
    text = "\n".join([heading, *(["", said] if arguments.compile else []), "", *lines])
    print(text)
    if arguments.write:
        (Path(__file__).parent / "results" / "throughput.md").write_text(f"# Residual and gradient\n\n{text}\n")


if __name__ == "__main__":
    main()
