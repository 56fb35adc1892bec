"""What a run has learned comes back, and no more than is asked for is built."""

import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from cirs_tf.errors import CheckpointError, ConfigError
from cirs_tf.methods.registry import build_method
from cirs_tf.runs import restore
from cirs_tf.runs.restore import (
    check_resumable,
    load_networks,
    load_segmenter,
    open_run,
    read_config,
)
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder

GOLDEN = Path(__file__).parents[1] / "golden"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def old_run(tmp_path_factory):
    """A run folder that version 0.1.0 wrote: `cirs_plus`, started from colors."""
    folder = tmp_path_factory.mktemp("old")
    with zipfile.ZipFile(GOLDEN / "run_0_1_0.zip") as archive:
        archive.extractall(folder)
    return RunFolder.open(folder)


def test_the_segmenter_is_that_of_the_checkpoint(finished):
    run = open_run(finished)
    restored = load_segmenter(run, "last")
    assert (restored.checkpoint, restored.step) == ("last", 20)
    assert (restored.height, restored.width) == (16, 16)
    method = build_method(read_config(run), 16, 16)
    CheckpointStore(run.checkpoints).restore("last", method.networks)
    pairs = zip(
        restored.segmenter.get_weights(),
        method.networks["segmenter"].get_weights(),
        strict=True,
    )
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


def test_loading_the_segmenter_builds_nothing_else(finished, monkeypatch):
    def build(*_):
        raise AssertionError("all networks were built")

    monkeypatch.setattr(restore, "build_method", build)
    built = []
    original = keras.Model.__init__

    def counted(self, *arguments, **keywords):
        built.append(self)
        original(self, *arguments, **keywords)

    monkeypatch.setattr(keras.Model, "__init__", counted)
    load_segmenter(open_run(finished))
    # The U-Net with all heads, and the same layers with the best one.
    assert sorted(model.name for model in built) == ["heads", "segmenter"]


def test_all_networks_come_back_together(finished):
    method, step = load_networks(open_run(finished), "last")
    assert step == 20
    assert set(method.networks) == {"segmenter", "feature_net"}


def test_a_run_of_the_earlier_version_has_its_settings_by_their_new_names(old_run):
    config = read_config(old_run)
    assert config.method == "cirs_plus"
    assert config.pretraining.pseudo_labels == "colors"
    assert config.pretraining.steps == 2
    assert config.cirs_plus.hidden == (8,)
    assert config.training.strategy == "single"
    assert (config.segmenter.width, config.segmenter.depth) == (2, 1)


def test_a_run_of_the_earlier_version_segments_as_it_did(old_run):
    """`logits.npy` was computed by version 0.1.0 from this checkpoint."""
    restored = load_segmenter(old_run, "last")
    logits = restored.segmenter(IMAGES / np.float32(255), training=False)
    expected = np.load(old_run.path / "logits.npy")
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_a_run_of_the_earlier_version_is_not_trained_further(old_run):
    with pytest.raises(CheckpointError, match="trained by cirs_tf 0.1.0; it can be"):
        check_resumable(old_run)


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="not a run folder"):
        open_run(tmp_path)


def test_a_method_without_a_segmenter_is_named(finished, tmp_path):
    (tmp_path / "config.yaml").write_text("method: autoencoder\n")
    shutil.copy(finished / "manifest.json", tmp_path)
    with pytest.raises(ConfigError, match="autoencoder has no segmenter"):
        load_segmenter(open_run(tmp_path))
