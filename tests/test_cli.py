"""The command line: what it passes on, what it prints where, and how it exits."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

import pinnsine as ps
from pinnsine import cli
from pinnsine.comparison import Comparison
from pinnsine.nets import NETWORKS, describe
from pinnsine.optim import OPTIMIZERS
from pinnsine.options import assignment, parse_net, parse_optimizer

NETS, METHODS = ", ".join(NETWORKS), ", ".join(OPTIMIZERS)
MINE = '''"""A straight line. And more.

    u'' = 0
"""
import pinnsine as ps

def problem(slope: float = 1.0):
    domain = ps.Interval("x", 0, 1)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_xx),
            ps.Dirichlet("left", u=0.0, on=domain.side(x=0)),
            ps.Dirichlet("right", u=slope, on=domain.side(x=1)),
        ],
        reference=ps.Reference.exact(u=lambda s: slope * s.x),
    )
'''


@pytest.fixture
def mine(tmp_path):
    """A problem file of the user's own."""
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return str(path)


@pytest.fixture
def solved(monkeypatch):
    """Replaces the solver; collects what it was called with and returns whatever ``outcome`` says."""
    calls = SimpleNamespace(outcome=ps.Outcome.TIME, kept={})

    def solve(problem, **options):
        calls.problem, calls.options = problem, options
        settings = {"net": "mlp:width=20", "optimizer": "LevenbergMarquardt", "reason": "a front", "threads": 1}
        settings |= {"loss": math.nan, "iterations": 7, "evaluations": 9, "seconds": 1.25, "parameters": np.int64(61)}
        settings |= {"points": 800, "dtype": "float64", "device": "cpu", "seed": 0, "versions": {"torch": "2"}}
        return SimpleNamespace(
            problem=problem,
            outcome=calls.outcome,
            settings=settings,
            unknowns={"D": np.float64(0.25)},
            estimate={"u": math.inf},
            compare=lambda: Comparison({"u": 3.1e-6}, {"u": 2e-5}, {"u": 3e-16}, 51_813),
            plot=lambda path: calls.kept.update(plot=path),
        )

    monkeypatch.setattr(ps, "solve", solve)
    return calls


def run(*arguments):
    """The exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    return ended.value.code


def refused(capsys, *arguments):
    """The one line of complaint about a command that exits with status 2 and prints nothing else."""
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    return line


def test_list_gives_each_problem_a_line_with_the_first_sentence(capsys, monkeypatch, tmp_path):
    (tmp_path / "line.py").write_text(MINE)
    (tmp_path / "bare.py").write_text("x = 1")
    (tmp_path / "_private.py").write_text("")
    monkeypatch.setattr("pinnsine.problem.problems_folder", lambda: tmp_path)
    monkeypatch.setattr(cli, "measured_errors", lambda: {"line": "3.0e-12 in 4 s"})
    assert run("list") == 0
    assert capsys.readouterr().out == "bare  -\nline  3.0e-12 in 4 s    A straight line.\n"


def test_the_errors_listed_are_those_of_the_acceptance_table(tmp_path, monkeypatch):
    (tmp_path / "measured.json").write_text('{"poisson": {"error": 2.4e-16, "seconds": 3.6, "commit": "abc"}}')
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "cli.py"))
    assert cli.measured_errors() == {"poisson": "2.4e-16 in 4 s"}
    (tmp_path / "measured.json").unlink()
    assert cli.measured_errors() == {}


def test_check_prints_the_dry_run(capsys, mine):
    assert run("check", mine, "--set", "slope=3") == 0
    table = capsys.readouterr().out
    assert "u_xx" in table
    assert "the side x = 1" in table


def test_solve_passes_every_option_on(solved, mine, tmp_path):
    out = tmp_path / "runs" / "a.h5"
    options = "--set slope=2 --net siren:width=32,depth=4 --optimizer adam:iterations=1e3,lr=1e-3+lm --time 60s --seed 5"
    more = f"--iterations 9 --target 1e-6 --points 100 --threads 1 --dtype float32 --device cpu --out {out} --quiet --memory 500MB --compile"
    assert run("solve", mine, *options.split(), *more.split()) == 0
    assert solved.options == {
        "net": ps.Siren(width=32, depth=4),
        "optimizer": [ps.Adam(iterations=1000, lr=1e-3), ps.LevenbergMarquardt()],
        "time": "60s",
        "iterations": 9,
        "target": 1e-6,
        "points": 100,
        "threads": 1,
        "memory": "500MB",
        "compile": True,
        "dtype": "float32",
        "device": "cpu",
        "seed": 5,
        "out": out,
        "progress": False,
    }
    assert solved.problem.constraints[2].targets["u"] == 2
    assert out.parent.is_dir()


def test_solve_leaves_to_the_solver_what_is_not_given(solved, mine):
    assert run("solve", mine) == 0
    given = {name: value for name, value in solved.options.items() if value is not None}
    assert given == {"dtype": "float64", "device": "auto", "seed": 0, "compile": False, "progress": True}


def test_solve_reports_choice_outcome_errors_and_files(solved, mine, tmp_path, capsys):
    picture = tmp_path / "u.png"
    assert run("solve", mine, "--plot", picture) == 0
    text = capsys.readouterr().out
    assert solved.kept == {"plot": picture}
    for part in (
        "mine: the time budget is spent",
        "mlp:width=20 (61 parameters; a front)",
        "7 iterations in 1.2 s",
        "D = 0.25",
        "estimate   u: relative L2 inf",
        "u: relative L2 3.1e-06, max 2.0e-05 on 51,813 points (reference floor 3e-16)",
        f"written    {picture}",
    ):
        assert part in text


def test_json_is_one_valid_object_and_alone_on_the_standard_output(solved, tmp_path, capsys):
    mine = tmp_path / "mine.py"
    mine.write_text(f"{MINE}\nprint('noise')\n")
    assert run("solve", mine, "--json") == 0
    printed = capsys.readouterr()
    assert "noise" in printed.err

    def no_constant(name):
        raise AssertionError(f"{name} is not JSON")

    assert json.loads(printed.out, parse_constant=no_constant) == {
        "problem": "mine",
        "outcome": "time",
        "unknowns": {"D": 0.25},
        "relative_l2": {"u": 3.1e-6},
        "max_error": {"u": 2e-5},
        "estimate": {"u": None},
        "loss": None,
        "iterations": 7,
        "evaluations": 9,
        "seconds": 1.25,
        "parameters": 61,
        "points": 800,
        "dtype": "float64",
        "device": "cpu",
        "seed": 0,
        "versions": {"torch": "2"},
    }


def test_without_a_reference_there_is_nothing_to_compare(solved, tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(MINE.replace("reference=ps.Reference.exact(u=lambda s: slope * s.x),", ""))
    assert run("solve", path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["relative_l2"] == found["max_error"] == {}


@pytest.mark.parametrize(
    ("outcome", "status", "message"),
    [
        ("CONVERGED", 0, ""),
        ("CALLBACK", 0, ""),
        ("BROKEN", 3, "error: stopped on numbers that are not finite"),
        ("INTERRUPTED", 130, "interrupted: not saved, since --out names no file"),
    ],
)
def test_the_outcome_decides_the_exit_status(solved, mine, capsys, outcome, status, message):
    solved.outcome = ps.Outcome[outcome]
    assert run("solve", mine, "--json") == status
    printed = capsys.readouterr()
    assert json.loads(printed.out)["outcome"] == outcome.lower()
    assert printed.err.startswith(message)


def test_an_interrupted_run_says_where_it_is_saved(solved, mine, tmp_path, capsys):
    solved.outcome = ps.Outcome.INTERRUPTED
    assert run("solve", mine, "--out", tmp_path / "a.h5", "--quiet") == 130
    assert f"interrupted: saved to {tmp_path / 'a.h5'}" in capsys.readouterr().err


def test_a_run_is_resumed_with_the_arguments_it_was_started_with(mine, tmp_path, capsys):
    out = tmp_path / "a.h5"
    options = ("--net", "siren:width=4,depth=1", "--points", "20", "--set", "slope=2.0", "--optimizer", "lbfgs:memory=3")
    assert run("solve", mine, *options, "--iterations", "3", "--out", out, "--quiet") == 0
    assert run("diagnose", out, mine, "--set", "slope=2.0", "--plot", tmp_path / "map.png") == 0
    assert (tmp_path / "map.png").stat().st_size > 5000
    assert "violated by" in capsys.readouterr().out
    assert run("resume", out, "--iterations", "7") == 2
    assert "give it again, as in `pinnsine resume a.h5 mine.py`" in capsys.readouterr().err
    assert run("resume", out, mine, "--iterations", "7") == 2
    assert "constraint 'right' gives other rows" in capsys.readouterr().err
    assert run("resume", out, mine, "--set", "slope=2.0", "--iterations", "7", "--json", "--quiet") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["iterations"], found["outcome"]) == (7, "iterations")


@pytest.mark.parametrize(("text", "windows"), [("auto", "auto"), ("4", 4)])
def test_windows_are_chosen_or_counted(mine, solved, monkeypatch, text, windows):
    monkeypatch.setattr(ps, "march", lambda problem, windows, **options: solved.kept.update(windows=windows) or ps.solve(problem, **options))
    run("solve", mine, "--windows", text)
    assert solved.kept["windows"] == windows


def test_windows_are_a_number_or_auto(mine, capsys):
    assert "--windows takes a number of windows or auto, got 'many'" in refused(capsys, "solve", mine, "--windows", "many")


def test_an_evaluation_that_fails_exits_with_3(mine, monkeypatch, capsys):
    def solve(problem, **options):
        raise ps.EvaluationError("The residual is\nnot finite.")

    monkeypatch.setattr(ps, "solve", solve)
    assert run("solve", mine) == 3
    assert capsys.readouterr().err == "error: The residual is not finite.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--net siern:width=3", f"--net: there is no 'siern'. Did you mean siren? Known: {NETS}."),
        ("--net siren:widht=3", "--net: siren has no setting 'widht': it has width, depth, omega"),
        (
            "--net bsnn:encoding=octave(octaves=3)",
            "--net: bsnn:encoding: there is no 'octave'. Did you mean octaves? Known: randomfourier, fourier",
        ),
        ("--net bsnn:encoding=octaves(3)", "--net: bsnn:encoding takes name=value, got '3'"),
        ("--net bsnn:encoding=octaves(octaves=no)", "--net: bsnn:encoding: octaves:octaves takes int, got 'no'."),
        ("--net bsnn:encoding=3", "--net: bsnn:encoding takes one of randomfourier, fourier, octaves, rotatedoctaves, got 3."),
        ("--net siren:width=wide", "--net: siren:width takes int, got 'wide'."),
        ("--net siren:width=2.5", "--net: siren:width takes int, got 2.5."),
        ("--net siren:width", "--net takes name=value, got 'width'"),
        ("--net width=3", f"--net starts with a name, got 'width=3': choose from {NETS}."),
        ("--net siren+mlp", "--net takes one network, got 2"),
        ("--net siren:width=0", "Siren needs a whole width"),
        ("--net frozensines:omega=wide", "--net: frozensines:omega takes float or tuple, got 'wide'."),
        ("--net frozensines:omega=(1,wide)", "--net: frozensines:omega takes float or tuple, got '(1,wide)'."),
        ("--net frozensines:omega=-3", "FrozenSines needs a width of at least 1 and every omega above 0"),
        ("--optimizer gn:damping=2", "GaussNewton needs 0 < damping < 1"),
        ("--optimizer lm,sgd", f"--optimizer: there is no 'sgd'. Known: {METHODS}."),
        ("--optimizer lm:geodesic=1", "--optimizer: lm:geodesic takes bool, got 1."),
        ("--set slope", "--set takes name=value, got 'slope'"),
        ("--set solpe=2", "Problem 'mine' has no coefficient 'solpe': it has slope."),
        ("--out run.txt", "A run is a file that ends in .h5, .hdf5, got 'run.txt'"),
        ("--plot u.bmp", "A picture is a file that ends in .png"),
        ("--out /dev/null/run.h5", "'/dev/null/run.h5' cannot be written"),
    ],
)
def test_wrong_options_are_refused_in_one_line_before_solving(solved, mine, capsys, options, message):
    assert refused(capsys, "solve", mine, *options.split()).startswith(f"error: {message}")
    assert not hasattr(solved, "options")


@pytest.mark.parametrize("options", ["--points 0", "--iterations many", "--colour red"])
def test_usage_errors_exit_with_2(solved, mine, capsys, options):
    assert run("solve", mine, *options.split()) == 2
    assert "Error: " in capsys.readouterr().err


def test_unknown_problems_are_refused_with_the_near_misses(capsys):
    assert "Did you mean burgers" in refused(capsys, "check", "burgres")


def test_errors_in_a_problem_file_are_told_in_one_line_with_their_place(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("def problem():\n    return 1 / 0\n")
    assert "ZeroDivisionError: division by zero (mine.py, line 2)" in refused(capsys, "check", path)
    path.write_text("def problem(:\n")
    assert "SyntaxError" in refused(capsys, "check", path)


@pytest.mark.parametrize("command", [["compare"], ["plot"], ["export", "u.csv"]])
def test_files_that_are_no_runs_are_refused(tmp_path, capsys, command):
    path = tmp_path / "text.h5"
    path.write_text("text")
    name, *more = command
    assert str(path) in refused(capsys, name, path, *more)


def test_a_problem_of_ones_own_from_solve_to_export(mine, tmp_path, capsys):
    out, table = tmp_path / "run.h5", tmp_path / "u.csv"
    small = ["--net", "siren:width=4,depth=1", "--points", "20", "--iterations", "2", "--threads", "1"]
    assert run("solve", mine, *small, "--out", out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["problem"], found["iterations"]) == ("mine", 2)
    assert found["relative_l2"]["u"] < 1
    assert run("export", out, table) == 0
    assert ps.Points.read(table).names == ("x", "u")
    assert run("plot", out) == 0
    assert out.with_suffix(".png").exists()


@pytest.mark.parametrize(
    ("text", "value"),
    [("nu=0.003", 0.003), ("n = 3", 3), ("on=true", True), ("kind=sine", "sine"), ("to=(1, 2)", (1, 2))],
)
def test_values_of_assignments_are_literals_or_strings(text, value):
    assert assignment(text, "--set")[1] == value


def test_specifications_are_read_with_their_settings():
    assert parse_net(None) is None
    assert parse_net("mlp:activation=sin,depth=2") == ps.MLP(depth=2, activation="sin")
    assert parse_optimizer(None) is None
    assert parse_optimizer("lbfgs") == [ps.LBFGS()]
    assert parse_optimizer("ssbroyden:iterations=9+lm:factorisation=qr,scaled=true+engdw:batch=2e2") == [
        ps.optim.SSBroyden(9),
        ps.LevenbergMarquardt(factorisation="qr", scaled=True),
        ps.optim.ENGDW(batch=200),
    ]
    assert parse_optimizer("adam:lr=1e+0,iterations=3,lm:geodesic=false") == [
        ps.Adam(iterations=3, lr=1.0),
        ps.LevenbergMarquardt(geodesic=False),
    ]


def test_frozen_sines_and_their_method_are_read_by_name():
    assert parse_net("frozensines") == ps.FrozenSines()
    assert parse_net("frozensines:width=100,omega=5") == ps.FrozenSines(width=100, omega=5.0)
    assert parse_net("frozensines:omega=(5, 2.5),width=1e2") == ps.FrozenSines(width=100, omega=(5.0, 2.5))
    assert parse_optimizer("gn") == [ps.GaussNewton()]
    assert parse_optimizer("adam:iterations=3,gn:damping=1e-9") == [ps.Adam(iterations=3), ps.GaussNewton(damping=1e-9)]


@pytest.mark.parametrize(
    "net",
    [
        ps.Siren(width=7, omega=2.5),
        ps.Siren(init=5.0, inside=True),
        ps.SimpleSine(omega="auto"),
        ps.MLP(activation="sin"),
        ps.FrozenSines(100, 5.0),
        ps.FrozenSines(100, (5.0, 0.3125, 2e-9)),
        ps.BSNN(encoding=ps.nets.RotatedOctaves(4, nyquist=40.0)),
        ps.nets.Mixed(sines=2, encoding=ps.nets.RandomFourier(20, 1e-9)),
    ],
)
def test_a_network_is_read_as_it_is_described(net):
    assert parse_net(describe(net)) == net
