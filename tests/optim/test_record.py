"""Methods as plain values, as JSON and as the command line writes them."""

import json
from dataclasses import dataclass

import pytest

from pinnsine.errors import ProblemError
from pinnsine.optim import OPTIMIZERS, Adam, Cosine, LevenbergMarquardt, Muon, NTKTrace, ReLoBRaLo, SSBroyden
from pinnsine.optim.record import from_record, to_record
from pinnsine.options import parse_optimizer

METHODS = [
    *(kind() for kind in OPTIMIZERS.values()),
    Adam(50, lr=1e-2, schedule=Cosine(warmup=5), weights=ReLoBRaLo(every=3), dtype="float32"),
    SSBroyden(7, weights=NTKTrace(memory=0.5)),
]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_method_comes_back_from_its_record(method):
    assert from_record(json.loads(json.dumps(to_record(method)))) == method


def test_what_is_the_users_own_has_no_record():
    @dataclass(frozen=True)
    class Mine(NTKTrace):
        pass

    assert to_record(Adam(weights=Mine())) is None
    assert to_record(object()) is None


def test_strategies_are_written_on_the_command_line():
    found = parse_optimizer("adam:iterations=50,weights=relobralo(every=3,memory=0.5),schedule=cosine(warmup=5)+muon:clip=1+lm")
    assert found == [Adam(50, weights=ReLoBRaLo(every=3, memory=0.5), schedule=Cosine(warmup=5)), Muon(clip=1.0), LevenbergMarquardt()]
    with pytest.raises(ProblemError, match=r"there is no 'ntk'.*gradientnorm, ntktrace, relobralo, selfadaptive"):
        parse_optimizer("adam:weights=ntk")
