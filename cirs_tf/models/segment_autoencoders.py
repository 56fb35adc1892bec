"""K separate bottleneck autoencoders, one a segment, computed side by side."""

import math

import keras

from cirs_tf.config import AirConfig
from cirs_tf.layers.conv_block import normalised_relu
from cirs_tf.layers.dropout import ReplicaDropout
from cirs_tf.layers.segment_dense import SegmentDense


def segment_autoencoders(
    config: AirConfig, height: int, width: int, segments: int, seed: int
) -> keras.Model:
    """Build the autoencoders.

    Layers of each: flattened masked image -> (dense, normalisation, ReLU, dropout) a
    hidden width -> dense bottleneck -> the mirror image of the hidden layers -> dense,
    sigmoid, image. Each has a K-th of the configured widths, rounded up.

    Args:
        config: Total widths, total bottleneck, normalisation, dropout.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K.
        seed: Seed of the weights and of dropout.

    Returns:
        A model from masked images `[batch, K, height, width, 3]` float in [0, 1] to
        reconstructions of the same shape and range.

    Reference: thesis 10 (Figure 11).
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000, segments))
    hidden = [math.ceil(units / segments) for units in config.hidden]
    bottleneck = math.ceil(config.bottleneck / segments)
    masked = keras.Input((segments, height, width, 3), name="masked_images")
    x = keras.layers.Reshape((segments, height * width * 3))(masked)
    for units in hidden:
        x = _hidden_layer(x, segments, units, config, next(seeds))
    x = SegmentDense(bottleneck, seed=next(seeds), name="code")(x)
    for units in reversed(hidden):
        x = _hidden_layer(x, segments, units, config, next(seeds))
    x = SegmentDense(height * width * 3, seed=next(seeds))(x)
    x = keras.layers.Activation("sigmoid")(x)
    reconstructions = keras.layers.Reshape((segments, height, width, 3))(x)
    return keras.Model(masked, reconstructions, name="autoencoders")


def _hidden_layer(x, segments: int, units: int, config: AirConfig, seed: int):
    x = SegmentDense(units, use_bias=config.norm == "none", seed=seed)(x)
    # Statistics of each unit of each segment, never across segments.
    x = keras.layers.Reshape((segments * units,))(x)
    x = normalised_relu(x, config.norm)
    if config.dropout:
        x = ReplicaDropout(config.dropout, seed)(x)
    return keras.layers.Reshape((segments, units))(x)
