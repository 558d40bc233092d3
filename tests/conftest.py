"""One thread for every test: sums are then added in one order, and shared cores stay usable. No test touches the user's own cache."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PINNSINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
