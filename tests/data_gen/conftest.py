import pytest

from data_gen.draw_dataset import draw
from data_gen.options import SceneOptions


@pytest.fixture(scope="session")
def small_options():
    return SceneOptions(train=40, val=16, test=16, seed=5, shards=3)


@pytest.fixture(scope="session")
def small_set(tmp_path_factory, small_options):
    """Return the folder of a finished data set; tests must not change it."""
    out = tmp_path_factory.mktemp("data") / "fruit"
    draw(small_options, out)
    return out
