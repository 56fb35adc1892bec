"""CIRS with reconstruction, through the command and piece by piece."""

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from tiny_methods import tiny_config

from cirs_tf import train
from cirs_tf.methods.registry import build_method
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options

SMALL = (
    "segmenter.width=4",
    "segmenter.depth=2",
    "training.strategy=single",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plus")
    options = default_options(train=200, val=40, test=0, size=32, shards=1)
    draw(options, folder / "fruit")
    argv = ["--model", "cirs_plus", "--data", str(folder / "fruit")]
    argv += ["--run", str(folder / "run"), "--epochs", "1", "--steps-per-epoch", "20"]
    assert train.main([*argv, "--batch-size", "16", *set_flags(SMALL)]) == 0
    return RunFolder(folder / "run")


def test_segments_are_objects_within_seconds(run):
    row = run.read_metrics()[-1]
    # k-means on color: about 0.32; one segment everywhere: 0.21.
    assert row["validation"]["miou"] > 0.45
    assert min(row["validation"]["segment_share"]) > 0.005
    assert "components of 200 images" in run.log_file.read_text()


def build(tiny, *overrides):
    options = ("cirs_plus.hidden=[8]", *overrides)
    return build_method(tiny_config(tiny, "cirs_plus", *options), 16, 16)


def batch():
    images = np.random.default_rng(0).random((4, 16, 16, 3)).astype(np.float32)
    return {"image": tf.constant(images)}


@pytest.mark.parametrize("training", [False, True])
def test_the_loss_is_the_weighted_sum_of_its_terms(tiny, training):
    weights = ("cirs_plus.cirs_weight=3", "cirs_plus.alpha_2=0.5")
    weights += ("cirs_plus.usage_weight=5", "cirs_plus.usage_floor=0.25")
    method = build(tiny, *weights, "cirs_plus.pseudo_label_weight=0.7")
    loss = method.phases[0].loss if training else method.validation_terms
    found = {name: np.mean(value.numpy()) for name, value in loss(batch()).items()}
    assert set(found) == set(method.phases[0].terms)
    assert min(found["min_usage_penalty"], found["pseudo_label_loss"]) > 0
    expected = found["error"] + 3 * (found["within"] - 0.5 * found["between"])
    expected += 0.7 * found["pseudo_label_loss"] + 5 * found["min_usage_penalty"]
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


def test_features_are_of_unit_length(tiny):
    """So the length of the codes does not matter."""
    method = build(tiny)
    before = method.validation_terms(batch())
    # On the unit sphere the variance of a segment's features is at most 1.
    assert 0 < before["within"] <= 1
    assert 0 < before["between"] <= 4
    code = method.autoencoders.get_layer("code")
    for variable in code.trainable_variables:
        variable.assign(100 * variable.value)
    after = method.validation_terms(batch())
    for name in ("within", "between"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3)


def test_batch_normalization_learns_in_training_alone(tiny):
    method = build(tiny)
    names = ("moving_mean", "moving_variance")
    statistics = [
        variable
        for network in method.networks.values()
        for variable in network.variables
        if variable.name in names
    ]
    assert statistics
    before = [variable.numpy() for variable in statistics]
    method.validation_terms(batch())
    for old, variable in zip(before, statistics, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    method.phases[0].loss(batch())
    for old, variable in zip(before, statistics, strict=True):
        assert (old != variable.numpy()).any()
