"""K separate bottleneck autoencoders, one a segment, computed side by side."""

import math
from collections.abc import Iterator

import keras

from cirs_tf.config import AirConfig
from cirs_tf.layers.conv_block import normalized_relu
from cirs_tf.layers.dropout import ReplicaDropout
from cirs_tf.layers.gaussian_code import GaussianCode
from cirs_tf.layers.segment_dense import SegmentDense


def segment_autoencoders(
    config: AirConfig, height: int, width: int, segments: int, seed: int
) -> keras.Model:
    """Build the autoencoders.

    Layers of each: flattened masked image -> (dense, normalization, ReLU, dropout) a
    hidden width -> dense bottleneck -> the mirror image of the hidden layers -> dense,
    sigmoid, image. Each has a K-th of the configured widths, rounded up.

    Args:
        config: Total widths, total bottleneck, normalization, dropout.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K.
        seed: Seed of the weights and of dropout.

    Returns:
        A model from masked images `[batch, K, height, width, 3]` float in [0, 1] to
        reconstructions of the same shape and range.

    Reference: thesis 10 (Figure 11).
    """
    seeds = _layer_seeds(seed, segments)
    masked = keras.Input((segments, height, width, 3), name="masked_images")
    x = _encoded(masked, config, seeds)
    code = SegmentDense(_code_units(config, segments), seed=next(seeds), name="code")(x)
    reconstructions = _decoded(code, config, height, width, seeds)
    return keras.Model(masked, reconstructions, name="autoencoders")


def variational_autoencoders(
    config: AirConfig, height: int, width: int, segments: int, seed: int
) -> keras.Model:
    """Build autoencoders whose codes are drawn from a diagonal Gaussian.

    The layers of `segment_autoencoders`, but for the bottleneck: a dense layer of twice
    its width gives mean and log-variance, and `GaussianCode` draws (in inference: takes
    the mean). The decoders are a model of their own, `get_layer("decoders")`, from
    codes `[batch, K, bottleneck / K]` to reconstructions.

    Args:
        config: Total widths, total bottleneck, normalization, dropout.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K.
        seed: Seed of the weights, of dropout and of the codes.

    Returns:
        A model from masked images `[batch, K, height, width, 3]` float in [0, 1] to
        reconstructions of the same shape and range, and means and log-variances
        `[batch, K, bottleneck / K]`.

    Reference: thesis 11 (future work).
    """
    seeds = _layer_seeds(seed, segments)
    units = _code_units(config, segments)
    masked = keras.Input((segments, height, width, 3), name="masked_images")
    x = _encoded(masked, config, seeds)
    x = SegmentDense(2 * units, seed=next(seeds), name="gaussian")(x)
    code, mean, log_variance = GaussianCode(next(seeds), name="code")(x)
    given = keras.Input((segments, units), name="codes")
    shown = _decoded(given, config, height, width, seeds)
    decoders = keras.Model(given, shown, name="decoders")
    outputs = (decoders(code), mean, log_variance)
    return keras.Model(masked, outputs, name="autoencoders")


def _layer_seeds(seed: int, segments: int) -> Iterator[int]:
    return iter(range(seed * 1_000, (seed + 1) * 1_000, segments))


def _code_units(config: AirConfig, segments: int) -> int:
    return math.ceil(config.bottleneck / segments)


def _encoded(masked, config: AirConfig, seeds: Iterator[int]):
    _, segments, height, width, channels = masked.shape
    x = keras.layers.Reshape((segments, height * width * channels))(masked)
    for units in config.hidden:
        x = _hidden_layer(x, math.ceil(units / segments), config, next(seeds))
    return x


def _decoded(code, config: AirConfig, height: int, width: int, seeds: Iterator[int]):
    segments = code.shape[1]
    x = code
    for units in reversed(config.hidden):
        x = _hidden_layer(x, math.ceil(units / segments), config, next(seeds))
    x = SegmentDense(height * width * 3, seed=next(seeds))(x)
    x = keras.layers.Activation("sigmoid")(x)
    return keras.layers.Reshape((segments, height, width, 3))(x)


def _hidden_layer(x, units: int, config: AirConfig, seed: int):
    segments = x.shape[1]
    x = SegmentDense(units, use_bias=config.norm == "none", seed=seed)(x)
    # Statistics of each unit of each segment, never across segments.
    x = keras.layers.Reshape((segments * units,))(x)
    x = normalized_relu(x, config.norm)
    if config.dropout:
        x = ReplicaDropout(config.dropout, seed)(x)
    return keras.layers.Reshape((segments, units))(x)
