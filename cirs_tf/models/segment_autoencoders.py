"""K separate bottleneck autoencoders, one per segment, computed side by side."""

import itertools
import math
from collections.abc import Iterator, Sequence

import keras

from cirs_tf.layers.conv_block import normalized_relu
from cirs_tf.layers.dropout import ReplicaDropout
from cirs_tf.layers.gaussian_code import GaussianCode
from cirs_tf.layers.precision import hidden_layers
from cirs_tf.layers.segment_dense import SegmentDense


def segment_autoencoders(
    height: int,
    width: int,
    segments: int,
    *,
    hidden: Sequence[int],
    bottleneck: int,
    dropout: float,
    norm: str,
    seed: int,
    channels: int = 3,
    activation: str = "sigmoid",
) -> keras.Model:
    """Build the autoencoders.

    Layers of each: flattened masked image -> (dense, normalization, ReLU, dropout) per
    hidden width -> dense bottleneck -> the mirror image of the hidden layers -> dense,
    activation, image. Each has a K-th of the given widths, rounded up.

    Args:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K.
        hidden: Hidden widths of all encoders together; the decoders mirror them.
        bottleneck: Length of all codes together.
        dropout: Rate after every hidden layer.
        norm: Normalization after every hidden layer: `none`, `batch` or `layer`.
        seed: Seed of the weights and of dropout.
        channels: Of the images.
        activation: Of the reconstructions: `sigmoid` for images in [0, 1], `linear`.

    Returns:
        A model from masked images `[batch, K, height, width, channels]` float to
        reconstructions of the same shape. Its layer `code` gives the codes
        `[batch, K, bottleneck / K]`.

    Reference: thesis 10 (Figure 11).
    """
    seeds = _layer_seeds(seed, segments)
    masked = keras.Input((segments, height, width, channels), name="masked_images")
    x = _encode(masked, hidden, norm, dropout, seeds)
    units = _units(bottleneck, segments)
    code = SegmentDense(units, seed=next(seeds), name="code")(x)
    shape = (height, width, channels)
    reconstructions = _decode(code, shape, hidden, norm, dropout, seeds, activation)
    return keras.Model(masked, reconstructions, name="autoencoders")


def variational_autoencoders(
    height: int,
    width: int,
    segments: int,
    *,
    hidden: Sequence[int],
    bottleneck: int,
    dropout: float,
    norm: str,
    seed: int,
) -> keras.Model:
    """Build autoencoders whose codes are drawn from a diagonal Gaussian.

    The layers of `segment_autoencoders`, but for the bottleneck: a dense layer of twice
    its width gives mean and log-variance, and `GaussianCode` draws (in inference: takes
    the mean). The decoders are a model of their own, `get_layer("decoders")`, from
    codes `[batch, K, bottleneck / K]` to reconstructions.

    Args:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K.
        hidden: Hidden widths of all encoders together; the decoders mirror them.
        bottleneck: Length of all codes together.
        dropout: Rate after every hidden layer.
        norm: Normalization after every hidden layer: `none`, `batch` or `layer`.
        seed: Seed of the weights, of dropout and of the codes.

    Returns:
        A model from masked images `[batch, K, height, width, 3]` float in [0, 1] to
        reconstructions of the same shape and range, and means and log-variances
        `[batch, K, bottleneck / K]`.

    Reference: thesis 11 (future work).
    """
    seeds = _layer_seeds(seed, segments)
    units = _units(bottleneck, segments)
    masked = keras.Input((segments, height, width, 3), name="masked_images")
    x = _encode(masked, hidden, norm, dropout, seeds)
    x = SegmentDense(2 * units, seed=next(seeds), name="gaussian")(x)
    code, mean, log_variance = GaussianCode(next(seeds), name="code")(x)
    given = keras.Input((segments, units), name="codes")
    shape = (height, width, 3)
    decoded = _decode(given, shape, hidden, norm, dropout, seeds, "sigmoid")
    decoders = keras.Model(given, decoded, name="decoders")
    outputs = (decoders(code), mean, log_variance)
    return keras.Model(masked, outputs, name="autoencoders")


def _layer_seeds(seed: int, segments: int) -> Iterator[int]:
    """Yield one seed for each layer of all segments, which take those between."""
    return itertools.count(seed * 1_000, segments)


def _units(total: int, segments: int) -> int:
    return math.ceil(total / segments)


def _encode(
    masked, hidden: Sequence[int], norm: str, dropout: float, seeds: Iterator[int]
):
    _, segments, height, width, channels = masked.shape
    x = keras.layers.Reshape((segments, height * width * channels))(masked)
    for total in hidden:
        x = _hidden_layer(x, _units(total, segments), norm, dropout, next(seeds))
    return x


def _decode(
    code,
    image_shape: tuple[int, int, int],
    hidden: Sequence[int],
    norm: str,
    dropout: float,
    seeds: Iterator[int],
    activation: str,
):
    segments = code.shape[1]
    x = code
    for total in reversed(hidden):
        x = _hidden_layer(x, _units(total, segments), norm, dropout, next(seeds))
    x = SegmentDense(math.prod(image_shape), seed=next(seeds))(x)
    x = keras.layers.Activation(activation)(x)
    return keras.layers.Reshape((segments, *image_shape))(x)


def _hidden_layer(x, units: int, norm: str, dropout: float, seed: int):
    segments = x.shape[1]
    with hidden_layers():
        x = SegmentDense(units, use_bias=norm == "none", seed=seed)(x)
        # Statistics of each unit of each segment, never across segments.
        x = keras.layers.Reshape((segments * units,))(x)
        x = normalized_relu(x, norm)
        if dropout:
            x = ReplicaDropout(dropout, seed)(x)
        return keras.layers.Reshape((segments, units))(x)
