"""One TensorFlow for the whole test session: two logical CPUs, and a tiny data set."""

import gc
import os

# Graphs of TensorFlow are many small objects: looking through all of them less often
# saves 3 % of the time.
gc.set_threshold(100_000, 50, 1000)
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import hypothesis
import pytest
from command_line import set_flags

import cirs_tf  # noqa: F401  (first, so that TensorFlow imports quietly)

import tensorflow as tf  # isort: skip

# No test is timed: a machine may have other work.
hypothesis.settings.register_profile("cirs_tf", deadline=None)
hypothesis.settings.load_profile("cirs_tf")

_CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    _CPU, [tf.config.LogicalDeviceConfiguration()] * 2
)

# Begun first, so that two processes end at about the same time.
_LONG_FILES = (
    "test_loop",
    "test_reproduce_command",
    "test_notebooks",
    "test_session",
    "test_resume",
    "test_multi_worker",
    "test_examples",
    "test_sweep",
    "test_train",
)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep converted weights out of the developer's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in _LONG_FILES)


# The smallest networks and batches that still have every part.
TINY = (
    "segmenter.width=2",
    "segmenter.depth=1",
    "feature_net.hidden=[8]",
    "feature_net.features=4",
    "cirs.xla=false",
    "training.batch_size=8",
    "training.strategy=single",
    "training.log_every=5",
)


@pytest.fixture(scope="session")
def tiny():
    """Return overrides for a configuration that trains in a second."""
    return TINY


@pytest.fixture(scope="session")
def tiny_air():
    """Return such overrides for methods without a feature network."""
    return tuple(
        text for text in TINY if not text.startswith(("feature_net.", "cirs."))
    )


@pytest.fixture(scope="session")
def fruit(tmp_path_factory):
    """Return the folder of a fruit set of 48, 16 and 16 images of 16 pixels a side."""
    from data_gen.draw_dataset import draw
    from data_gen.options import default_options

    folder = tmp_path_factory.mktemp("data") / "fruit"
    draw(default_options(train=48, val=16, test=16, size=16, shards=2), folder)
    return folder


@pytest.fixture(scope="session")
def command(tiny, fruit):
    """Return arguments of `train` for a tiny run on the tiny set."""
    return ["--data", str(fruit), "--steps-per-epoch", "10", *set_flags(tiny)]


@pytest.fixture(scope="session")
def finished(command, tmp_path_factory):
    """Return the folder of a finished run of two epochs; tests must not change it."""
    from cirs_tf import train

    run = tmp_path_factory.mktemp("train") / "run"
    assert train.main(["--epochs", "2", "--run", str(run), *command]) == 0
    return run
