"""One thread for every test: sums are then added in one order, and shared cores stay usable."""

import torch

torch.set_num_threads(1)
