"""The objective as the method of a phase sees it: with the weights it adapts, and in the number type it asks for."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.state import State


def adapted(state: State, method) -> bool:
    """Begin or change the weights of a method that has a strategy for them, where that is due; whether they are others now."""
    weights = getattr(method, "weights", None)
    if weights is None:
        return False
    if state.weights is None:
        state.weights = weights.start(state.objective, state.theta)
    elif state.iteration > state.since and (state.iteration - state.since) % weights.every == 0:
        state.weights = weights.update(state.objective, state.theta, state.weights)
    else:
        return False
    return True


def view(state: State, method):
    """The objective with the weights as they stand, for parameters of the method's number type."""
    objective = state.objective if state.weights is None else state.objective.weighted(state.weights["factors"])
    dtype = _dtype(state, method)
    return objective if dtype is state.theta.dtype else objective.to(dtype)


def parameters(state: State, method) -> Tensor:
    """The parameters (P,) in the method's number type."""
    return state.theta.to(_dtype(state, method))


def _dtype(state: State, method) -> torch.dtype:
    name = getattr(method, "dtype", None)
    return state.theta.dtype if name is None else getattr(torch, name)
