"""The convolution block against SciPy, its normalizations against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from cirs_tf.layers.conv_block import conv_block, normalization
from cirs_tf.layers.dropout import ReplicaDropout

EPSILON = 1e-3  # Keras's default of both normalizations


def block(norm: str = "none", dropout: float = 0.0, seed: int = 0) -> keras.Model:
    inputs = keras.Input((5, 6, 2))
    return keras.Model(inputs, conv_block(inputs, 3, norm, dropout, seed))


def convolved(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """3x3 convolution of `[height, width, in]` by SciPy, zeros around the image."""
    outputs = []
    for filter_, offset in zip(np.moveaxis(kernel, -1, 0), bias, strict=True):
        channels = zip(
            np.moveaxis(image, -1, 0), np.moveaxis(filter_, -1, 0), strict=True
        )
        total = sum(correlate2d(x, w, mode="same") for x, w in channels)
        outputs.append(total + offset)
    return np.stack(outputs, axis=-1)


def test_block_is_two_convolutions_each_with_relu():
    model = block()
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=w.shape) for w in model.get_weights()]
    model.set_weights(weights)
    image = rng.normal(size=(5, 6, 2))
    expected = np.maximum(convolved(image, *weights[:2]), 0)
    expected = np.maximum(convolved(expected, *weights[2:]), 0)
    found = model(image[None].astype(np.float32))[0]
    # Values near 30, sums of 27 float32 products.
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("norm", "dropout", "layers"),
    [
        ("none", 0.0, "Conv2D ReLU Conv2D ReLU"),
        ("none", 0.3, "Conv2D ReLU Conv2D ReLU ReplicaDropout"),
        (
            "batch",
            0.0,
            "Conv2D BatchNormalization ReLU Conv2D BatchNormalization ReLU",
        ),
        (
            "layer",
            0.0,
            "Conv2D GroupNormalization ReLU Conv2D GroupNormalization ReLU",
        ),
    ],
)
def test_order_of_the_layers(norm, dropout, layers):
    model = block(norm, dropout)
    assert [type(layer).__name__ for layer in model.layers[1:]] == layers.split()
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            assert layer.use_bias == (norm == "none")


def test_dropout_drops_whole_channels():
    model = block(dropout=0.5)
    weights = model.get_weights()
    # Zero kernels and biases of 1: every channel is 1 everywhere before dropout.
    model.set_weights([w * 0 + (w.ndim == 1) for w in weights])
    dropped = model(np.ones((8, 5, 6, 2), np.float32), training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, 2.0}
    np.testing.assert_array_equal(dropped.min(axis=(1, 2)), dropped.max(axis=(1, 2)))
    assert isinstance(model.layers[-1], ReplicaDropout)


def test_batch_normalization_takes_statistics_over_the_batch():
    (layer,) = normalization("batch", momentum=0.75)
    values = np.random.default_rng(0).normal(3, 2, (4, 5, 6, 2)).astype(np.float32)
    found = layer(values, training=True)
    mean = values.mean(axis=(0, 1, 2), dtype=np.float64)
    variance = values.var(axis=(0, 1, 2), dtype=np.float64)
    expected = (values - mean) / np.sqrt(variance + EPSILON)
    # Values of 3 to 10 are reduced in float32 before they are normalized.
    np.testing.assert_allclose(found, expected, atol=5e-6)
    np.testing.assert_allclose(layer.moving_mean, 0.25 * mean, rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, 0.75 + 0.25 * variance, rtol=1e-6)


def test_batch_normalization_forgets_fast_and_is_synchronized():
    (layer,) = normalization("batch")
    assert layer.momentum == 0.9
    assert layer.synchronized


def test_layer_normalization_takes_statistics_of_each_example():
    (layer,) = normalization("layer")
    values = np.random.default_rng(0).normal(3, 2, (4, 5, 6, 2)).astype(np.float32)
    values[2] *= 10
    mean = values.mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64)
    variance = values.var(axis=(1, 2, 3), keepdims=True, dtype=np.float64)
    expected = (values - mean) / np.sqrt(variance + EPSILON)
    # Values of up to 100 are reduced in float32 before they are normalized.
    np.testing.assert_allclose(layer(values), expected, atol=5e-6)


def test_no_and_unknown_normalization():
    assert normalization("none") == []
    with pytest.raises(ValueError, match="instance or current_batch, got 'group'"):
        normalization("group")


def test_weights_depend_on_the_seed_alone():
    first, again, other = block(seed=0), block(seed=0), block(seed=2)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(first.get_weights()[::2], other.get_weights()[::2], strict=True):
        assert (a != b).all()


@pytest.mark.parametrize(
    ("convolution", "expected"),
    [
        # By hand, 5 channels in, 7 out, two layers, biases where nothing normalizes.
        ("plain", (9 * 5 * 7 + 7) + (9 * 7 * 7 + 7)),
        ("depthwise_first", (9 * 5 + 5 * 7 + 7) + (9 * 7 + 7 * 7 + 7)),
        ("pointwise_first", (5 * 7 + 9 * 7 + 7) + (7 * 7 + 9 * 7 + 7)),
    ],
)
def test_parameters_of_each_kind_of_convolution(convolution, expected):
    inputs = keras.Input((4, 4, 5))
    outputs = conv_block(inputs, 7, "none", 0.0, 0, convolution)
    model = keras.Model(inputs, outputs)
    assert model.count_params() == expected
    assert model.output_shape == (None, 4, 4, 7)


def test_dropout_of_elements_is_after_every_relu():
    inputs = keras.Input((5, 6, 2))
    outputs = conv_block(inputs, 3, "none", 0.5, 0, dropout_of="elements")
    model = keras.Model(inputs, outputs)
    names = [type(layer).__name__ for layer in model.layers[1:]]
    assert names == ["Conv2D", "ReLU", "ReplicaDropout"] * 2
    for variable in model.trainable_variables:  # all values are 1, or dropped
        variable.assign(tf.fill(variable.shape, float(variable.ndim == 1)))
    image = np.random.default_rng(0).random((4, 5, 6, 2)).astype(np.float32)
    dropped = model(image, training=True).numpy() == 0
    # Single values are dropped: a channel has some of either kind.
    shares = dropped.mean(axis=(1, 2))
    assert ((shares > 0) & (shares < 1)).all()
