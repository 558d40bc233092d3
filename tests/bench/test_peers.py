"""The comparison with peers: what can be told without any of them installed."""

import sys

import pytest
from helpers import exact_points, exact_rows
from test_benchmarks import FOLDER, script

EXACT = ("helmholtz_short", "helmholtz_line", "wave_fast", "wave_membrane", "kovasznay_20")


@pytest.fixture
def problems(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    yield script("peer_problems")
    sys.modules.pop("peer_problems", None)


@pytest.fixture
def peers(problems):
    return script("peers")


@pytest.mark.parametrize("name", EXACT)
def test_the_statements_of_peers_are_met_by_their_exact_solutions(problems, name):
    problem = problems.STATEMENTS[name]()
    for constraint in problem.constraints:
        if not constraint.hard:
            rows = exact_rows(problem, constraint, exact_points(problem, constraint, 200))
            assert all(float(row.detach().abs().max()) <= 1e-9 for row in rows.values()), constraint.name


def test_the_viscosity_that_jinns_looks_for_belongs_to_its_data(problems):
    problem = problems.viscosity(samples=200)
    for constraint in problem.constraints:
        rows = exact_rows(problem, constraint, exact_points(problem, constraint, 200), problems.TRUE["viscosity"])
        assert all(float(row.detach().abs().max()) <= 1e-8 for row in rows.values()), constraint.name


def test_every_solver_is_measured_against_the_reference_on_one_grid(problems):
    problem = problems.helmholtz_short()
    found = problems.grid(problem)
    assert len(found["x"]) == len(problem.domain.grid())
    assert problems.field_error(problem, lambda columns: {"u": 1.01 * problems.truth(problem, columns)["u"]}) == pytest.approx(0.01)
    assert problems.number_error("source_place", {"mu1": 0.5, "mu2": 0.45}) == pytest.approx(0.1)


def row(solver, **changed):
    made = {"problem": "wave", "peer": "pina", "seed": 0, "share": 1.0, "solver": solver, "statement": "wave_membrane", "seconds": 40.0}
    made |= {"iterations": 1000, "error": 1e-2, "versions": {"torch": "2"}, "load": 1.5, "commit": "abc", "machine": "a machine"}
    said = {"reached": None} if solver == "pinnsine" else {"source": "a script", "remark": "changed here"}
    return made | said | changed


def test_the_table_shows_ours_beside_the_peer_and_says_which_script(peers):
    ours = row("pinnsine", error=1e-8, seconds=30.0)
    text = peers.table([row("pina"), ours, row("deepxde", peer="deepxde", error=0.5, statement="wave_fast")])
    assert "| wave_membrane | PINA | 0 | 1.0e-02 | 40 | 1,000 | 1.0e-08 | 30 | 30 | 1e+06 |" in text
    assert "| wave_fast | DeepXDE | 0 | 5.0e-01 | 40 | 1,000 | - | - | - | - |" in text
    assert "- wave_membrane, PINA: a script; changed here." in text
    assert "never | 0.5 |" in peers.table([row("pina"), {**ours, "error": 2e-2}])
    assert "| 7 | 1e+06 |" in peers.table([row("pina"), {**ours, "reached": 7.0}])


def test_rows_that_are_there_are_not_measured_again(peers, monkeypatch):
    runs = []

    def child(*words):
        runs.append(words)
        history = {"history": {"seconds": [1.0, 2.0, 3.0], "error": [float("nan"), 5e-3, 1e-3]}}
        theirs = {"solver": "pina", "statement": "wave_membrane", "error": 1e-2, "seconds": 40.0}
        return theirs if words[0] == "peer" else {"solver": "pinnsine", "error": 1e-3, **history}

    monkeypatch.setattr(peers, "in_child", child)
    first = list(peers.both("pina", "wave", 0, 1.0, []))
    assert runs == [("peer", "pina", "wave", 0, 1.0), ("ours", "wave_membrane", 0, 40.0)]
    assert first[1]["reached"] == 2.0
    assert list(peers.both("pina", "wave", 0, 1.0, first)) == []
    assert [r["solver"] for r in peers.both("pina", "wave", 0, 1.0, first[:1])] == ["pinnsine"]
    assert runs[2:] == [("ours", "wave_membrane", 0, 40.0)]


@pytest.mark.parametrize("words", [["heat"], ["--peers", "nobody"], ["--share", "0.1", "--write"], ["--share", "0"]])
def test_wrong_words_are_refused(peers, words, capsys):
    with pytest.raises(SystemExit):
        peers.parse(words)
    assert "error" in capsys.readouterr().err
