"""The feature network g: from one masked image to a feature vector."""

from collections.abc import Sequence

import keras

from cirs_tf.layers.conv_block import conv_layer, normalized_relu
from cirs_tf.layers.dropout import ReplicaDropout
from cirs_tf.layers.precision import hidden_layers


def feature_net(
    height: int,
    width: int,
    segments: int,
    *,
    kind: str,
    hidden: Sequence[int],
    features: int,
    norm: str,
    dropout: float,
    segment_number: str,
    output: str,
    seed: int,
) -> keras.Model:
    """Build g.

    `dense`: flattened image -> (dense, normalization, ReLU, dropout) per hidden width.
    `conv`: (3x3 convolution of stride 2, normalization, ReLU) per hidden width, then
    global average pooling and dropout. A final linear layer gives the features.

    Args:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        segments: K, the range of the segment number.
        kind: `dense` or `conv`.
        hidden: Widths of the hidden layers.
        features: Length of the feature vector.
        norm: Normalization after every hidden layer, see `conv_block.normalization`.
        dropout: Rate after every hidden layer (`conv`: after pooling).
        segment_number: How k enters: `off`, `scalar` (k / (K - 1)) or `one_hot`.
        output: `none`, `l2` (unit length) or `batch_norm` (unit variance per feature).
        seed: Seed of the weights and of dropout.

    Returns:
        A model of `images` `[batch, height, width, 3]` float in [0, 1] (masked) and
        `segment` `[batch]` int32 in [0, K), to `[batch, features]` float. With
        `segment_number` off the second input is accepted and not used.

    Reference: thesis 6 (fully connected, segment number appended).
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000))
    images = x = keras.Input((height, width, 3), name="images")
    segment = keras.Input((), dtype="int32", name="segment")
    with hidden_layers():
        if kind == "dense":
            x = keras.layers.Flatten()(x)
            x = _append_segment(x, segment, segment_number, segments)
            for units in hidden:
                x = _dense(x, units, norm, next(seeds))
                x = normalized_relu(x, norm)
                dropout_seed = next(seeds)
                if dropout:
                    x = ReplicaDropout(dropout, dropout_seed)(x)
        else:
            for filters in hidden:
                x = conv_layer(x, filters, 3, norm, next(seeds), strides=2)
            x = keras.layers.GlobalAveragePooling2D()(x)
            if dropout:
                x = ReplicaDropout(dropout, next(seeds))(x)
            x = _append_segment(x, segment, segment_number, segments)
    # The objective does not see a shift of all features; only L2 output does.
    outputs = keras.layers.Dense(
        features,
        use_bias=output == "l2",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        name="features",
    )(x)
    outputs = _constrain(outputs, output)
    return keras.Model([images, segment], outputs, name="feature_net")


def _append_segment(x, segment, how: str, segments: int):
    """Concatenate the segment number to `[batch, n]`: as k / (K - 1) or one-hot."""
    if how == "off":
        return x
    if how == "one_hot":
        encoded = keras.ops.one_hot(segment, segments)
    else:
        encoded = keras.ops.cast(segment, "float32")[:, None] / (segments - 1)
    return keras.layers.Concatenate()([x, encoded])


def _dense(x, units: int, norm: str, seed: int):
    return keras.layers.Dense(
        units,
        use_bias=norm == "none",
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
    )(x)


def _constrain(features, output: str):
    """Bound the features: not at all, to the unit sphere, or to unit variance."""
    if output == "l2":
        return keras.layers.UnitNormalization()(features)
    if output == "batch_norm":
        return keras.layers.BatchNormalization(
            momentum=0.9, center=False, scale=False, synchronized=True
        )(features)
    return features
