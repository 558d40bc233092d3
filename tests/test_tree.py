"""Trees in HDF5: equal to the last bit, in every number type."""

import io
import math

import h5py
import torch

from pinnsine import tree


def test_a_tree_comes_back_bit_for_bit():
    stored = {
        "numbers": [1, -0.1, 1e-310, math.inf, True, None, "text"],
        "nested": {"a": {"b": torch.tensor([0.1, -math.inf, 5e-324], dtype=torch.float64)}, "empty": {}, "none": []},
        "kinds": [torch.tensor([1.5], dtype=torch.float32), torch.arange(6, dtype=torch.uint8).view(2, 3), torch.tensor(3)],
    }
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        tree.store(file.create_group("state"), stored)
        found = tree.restore(file["state"])
    assert found["numbers"] == stored["numbers"]
    assert (found["nested"]["empty"], found["nested"]["none"]) == ({}, [])
    pairs = [(found["nested"]["a"]["b"], stored["nested"]["a"]["b"]), *zip(found["kinds"], stored["kinds"], strict=True)]
    assert all(a.dtype == b.dtype and torch.equal(a, b) for a, b in pairs)


def test_numbers_that_are_no_numbers_come_back_as_such():
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        tree.store(file.create_group("state"), {"error": math.nan})
        assert math.isnan(tree.restore(file["state"])["error"])
