"""g on segments: its input, the segment's number, and its pretraining."""

import numpy as np
import pytest
import tensorflow as tf
from method_steps import run_phases

from cirs_tf.config.sections import PretrainingConfig
from cirs_tf.errors import ConfigError
from cirs_tf.methods.segment_features import FeatureNetConfig, SegmentFeatures
from cirs_tf.training.phases import StepPlan

SIDE, SEGMENTS = 8, 3
SMALL = {"hidden": (16,), "features": 4, "dropout": 0.0, "norm": "none"}
RNG = np.random.default_rng(0)
IMAGES = RNG.random((5, SIDE, SIDE, 3)).astype(np.float32)
MASKS = np.eye(SEGMENTS, dtype=np.float32)[RNG.integers(0, SEGMENTS, (5, SIDE, SIDE))]
MASKS = MASKS.transpose(0, 3, 1, 2)[..., None]


def build(**changes):
    config = FeatureNetConfig(**{**SMALL, **changes})
    return SegmentFeatures(config, SIDE, SIDE, SEGMENTS, seed=1)


@pytest.mark.parametrize("kind", ["image", "pooled", "area_normalized"])
def test_every_segment_is_seen_with_its_number(kind):
    features = build(input=kind, cells=4, output="none")
    found = features(tf.constant(IMAGES), tf.constant(MASKS), training=False)
    assert found.shape == (5, SEGMENTS, 4)
    for image, segment in np.ndindex(5, SEGMENTS):
        inputs = IMAGES[image] * MASKS[image, segment]
        if kind != "image":
            inputs = inputs.reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
        if kind == "area_normalized":
            inputs = inputs / MASKS[image, segment].mean()
        alone = features.network([inputs[None], np.array([segment])])[0]
        np.testing.assert_allclose(found[image, segment], alone, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_per_segment_batch_statistics_are_those_of_one_segment(training):
    """Each hidden unit and output of a segment has mean 0 over the images."""
    features = build(
        per_segment=True, norm="current_batch", output="none", segment_number="one_hot"
    )
    found = features(tf.constant(IMAGES), tf.constant(MASKS), training=training)
    first, second = (weight.numpy() for weight in _kernels(features.network))
    for segment in range(SEGMENTS):
        masked = (IMAGES * MASKS[:, segment]).reshape(5, -1)
        number = np.repeat(np.eye(SEGMENTS)[segment][None], 5, axis=0)
        hidden = np.concatenate([masked, number], axis=1) @ first
        hidden = (hidden - hidden.mean(0)) / np.sqrt(hidden.var(0) + 1e-3)
        expected = np.maximum(hidden, 0) @ second
        np.testing.assert_allclose(found[:, segment], expected, atol=1e-4)


def test_per_segment_without_batch_statistics_changes_nothing():
    options = {"output": "none", "segment_number": "one_hot"}
    together, apart = build(**options), build(per_segment=True, **options)
    found, expected = (
        features(tf.constant(IMAGES), tf.constant(MASKS), training=True)
        for features in (apart, together)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def _kernels(network):
    return [weight for weight in network.weights if weight.name == "kernel"]


def test_cells_must_divide_the_image():
    with pytest.raises(ConfigError, match="feature_net.cells: expected a divisor"):
        build(input="pooled", cells=3)
    assert build(cells=3).network.inputs[0].shape == (None, SIDE, SIDE, 3)


def test_segments_of_one_call_each_need_another_output():
    with pytest.raises(ConfigError, match="feature_net.output: expected none or l2"):
        FeatureNetConfig(per_segment=True)


def test_convolutions_need_a_layer():
    with pytest.raises(ConfigError, match="feature_net.hidden: expected at least one"):
        FeatureNetConfig(kind="conv", hidden=())


def test_g_learns_to_encode_gray_levels():
    """A linear code of images of one gray level each tells the levels apart."""
    levels = np.arange(0, 250, 10, dtype=np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (25, SIDE, SIDE, 3))

    def unexplained(network):
        inputs = [images.astype(np.float32) / 255, np.zeros(25, np.int32)]
        code = network(inputs).numpy()
        decoder = np.linalg.lstsq(code, levels, rcond=None)[0]
        return np.abs(code @ decoder - levels).max()

    features = build(output="none")
    before = features.network.get_weights()
    decoder = features.build_decoder(seed=0)
    options = PretrainingConfig(images=30)
    phase = features.pretraining_phase(decoder, 100, options)
    assert (phase.name, phase.steps, phase.num_images) == ("feature_net", 100, 30)
    sums = run_phases([phase], StepPlan(1, (100,)), images, size=8)
    assert sums[0].totals / 100 < 0.1
    assert unexplained(features.network) < 5
    changed = zip(before, features.network.get_weights(), strict=True)
    assert any(np.abs(a - b).max() > 0.01 for a, b in changed)


def test_the_encoder_loss_is_the_mean_squared_error_of_the_input():
    features = build(input="area_normalized", cells=4)
    decoder = features.build_decoder(seed=0)
    phase = features.pretraining_phase(decoder, 1, PretrainingConfig())
    inputs = IMAGES.reshape(5, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    numbers = np.zeros(5, np.int32)
    code = features.network([inputs, numbers], training=True)
    expected = np.mean((decoder(code).numpy() - inputs.reshape(5, -1)) ** 2)
    loss = phase.loss({"image": tf.constant(IMAGES)})["loss"]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
