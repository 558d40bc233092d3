"""A march that can go on: the windows of time solved, and what the next one depends on, as plain values and tensors."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.attempt import Call
from pinnsine.attempts import answer, better
from pinnsine.chain import Chain
from pinnsine.history import History
from pinnsine.loop import Limits
from pinnsine.outcome import Outcome
from pinnsine.runfile import trial, trial_spec
from pinnsine.solution import Solution
from pinnsine.state import Result


@dataclass(frozen=True)
class March:
    """A march between two windows.

    ``stepping``: what the choice of the next window depends on (``Stepper.kept``); ``call``: that of the next window, where its iterations
    are kept as well; ``ended``: how the march ended, where other attempts follow it.
    """

    chain: Chain
    stepping: Mapping | None = None
    call: Call | None = None
    ended: Outcome | None = None

    def packed(self) -> dict:
        """The march as a tree (``pinnsine.tree``)."""
        windows = [_packed(solution) for solution in self.chain.solved]
        return {"windows": windows, "edges": list(self.chain.edges), "stepping": self.stepping, "ended": self.ended and self.ended.name}

    def shown(self, limits: Limits, best: Result | None, current: Result | None) -> Solution:
        """The answer as far as it goes: the windows solved, with what there is of the one being made."""
        chain = self.chain.copy()
        if self.call is not None and current is not None:
            domain = self.call.problem.domain
            chain.append(answer(better(best, current), self.call), domain.axis(domain.time).upper)
        return chain.joined(limits, Outcome.INTERRUPTED, chain.solved[-1].settings["reason"], estimate=False)


def _packed(solution: Solution) -> dict:
    return {
        **trial_spec(solution.ansatz),
        "theta": solution.ansatz.flat(),
        "frozen": dict(solution.ansatz.named_buffers()),
        "outcome": solution.outcome.name,
        "settings": dict(solution.settings),
        "history": solution.history.packed(),
    }


def unpack(kept: Mapping, chain: Chain, net, dtype: torch.dtype, device: torch.device) -> None:
    """Put the windows of a tree into a chain that is empty; ``net``: the one given, of which every window has a copy if it is a module."""
    for window, upper in zip(kept["windows"], kept["edges"][1:], strict=True):
        part = chain.part(upper)
        ansatz = trial(part, window, copy.deepcopy(net) if isinstance(net, nn.Module) else None, "The run").to(dtype).to(device)
        ansatz.load(window["theta"])
        ansatz.load_state_dict(window["frozen"], strict=False)
        unknown = dict.fromkeys(part.names.shown, math.nan)
        found = Solution(part, ansatz, History(window["history"]), Outcome[window["outcome"]], unknown, window["settings"])
        chain.append(found, upper)
