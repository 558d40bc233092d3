"""Nested dicts and lists of numbers, texts and tensors, in an HDF5 group: the shape as JSON, each tensor as a dataset. No pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

SHAPE, TENSOR = "tree", "\0tensor"


def store(group, tree: Mapping) -> None:
    """Write a tree whose leaves are None, booleans, numbers, texts and tensors; tuples become lists."""
    tensors: list[Tensor] = []

    def plain(node):
        if isinstance(node, Tensor):
            tensors.append(node)
            return {TENSOR: len(tensors) - 1}
        if isinstance(node, Mapping):
            return {key: plain(value) for key, value in node.items()}
        return [plain(value) for value in node] if isinstance(node, list | tuple) else node

    group[SHAPE] = json.dumps(plain(tree))
    for number, tensor in enumerate(tensors):
        group[str(number)] = tensor.detach().cpu().numpy()


def restore(group, device: torch.device | None = None) -> dict:
    """The tree that was stored; its tensors are torch's own memory, aligned as if they had just been computed."""

    def real(node):
        if isinstance(node, dict) and TENSOR in node:
            return torch.from_numpy(np.asarray(group[str(node[TENSOR])])).clone().to(device or "cpu")
        if isinstance(node, dict):
            return {key: real(value) for key, value in node.items()}
        return [real(value) for value in node] if isinstance(node, list) else node

    return real(json.loads(group[SHAPE].asstr()[()]))
