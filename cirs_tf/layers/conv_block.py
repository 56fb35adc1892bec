"""Convolution, normalization and ReLU, once or as the two of the U-Net's block."""

import keras

from cirs_tf.layers.batch_norm import BatchNormalization
from cirs_tf.layers.current_batch_norm import CurrentBatchNormalization
from cirs_tf.layers.dropout import ReplicaDropout


def normalization(kind: str, momentum: float = 0.9) -> list[keras.layers.Layer]:
    """Return the layers of one normalization.

    `none`, `batch`, `current_batch`, `layer` or `instance`.

    Batch statistics are those of the global batch on any number of replicas. The
    momentum of their running means is lower than Keras's 0.99, because a run of a
    few hundred steps must already predict with settled statistics. `layer`
    normalizes each example over all its axes (group normalization of one group),
    `instance` each channel of each example. `current_batch` is `batch` without running
    means: inference too uses the statistics of its own batch.
    """
    if kind == "none":
        return []
    if kind == "batch":
        return [BatchNormalization(momentum=momentum, synchronized=True)]
    if kind == "current_batch":
        return [CurrentBatchNormalization()]
    if kind == "layer":
        return [keras.layers.GroupNormalization(groups=1)]
    if kind == "instance":
        return [keras.layers.GroupNormalization(groups=-1)]
    raise ValueError(
        "normalization: expected none, batch, layer, instance or current_batch, got "
        f"{kind!r}"
    )


def normalized_relu(x, norm: str):
    """Apply a normalization and ReLU."""
    for layer in normalization(norm):
        x = layer(x)
    return keras.layers.ReLU()(x)


def conv_layer(x, filters: int, size: int, norm: str, seed: int, strides: int = 1):
    """Apply a convolution, normalization and ReLU.

    Args:
        x: `[batch, height, width, channels]` KerasTensor.
        filters: Output channels.
        size: Side of the kernel.
        norm: See `normalization`; the convolution has a bias where it is `none`.
        seed: Seed of the weights.
        strides: Strides of the convolution, whose padding is "same".
    """
    x = _plain(x, filters, size, norm == "none", seed, strides)
    return normalized_relu(x, norm)


def conv_block(
    x,
    filters: int,
    norm: str,
    dropout: float,
    seed: int,
    convolution: str = "plain",
    dropout_of: str = "channels",
):
    """Apply (3x3 convolution, normalization, ReLU) twice, with dropout.

    Args:
        x: `[batch, height, width, channels]` KerasTensor.
        filters: Output channels.
        norm: See `normalization`.
        dropout: Rate of dropout.
        seed: Seed of the weights and of dropout; the next three belong to it too.
        convolution: `plain`, or a depthwise 3x3 and a 1x1 one, `depthwise_first` (Xia
            and Kulis 2017) or `pointwise_first`.
        dropout_of: `channels`, whole ones after the block, or single `elements` after
            every ReLU.

    Returns:
        `[batch, height, width, filters]`.

    Reference: Ronneberger et al. 2015, with "same" padding.
    """
    for layer_seed in (seed, seed + 2):
        x = _convolve(x, filters, convolution, norm == "none", layer_seed)
        x = normalized_relu(x, norm)
        if dropout and dropout_of == "elements":
            x = ReplicaDropout(dropout, layer_seed)(x)
    if dropout and dropout_of == "channels":
        x = ReplicaDropout(dropout, seed + 4, noise_shape=(None, 1, 1, None))(x)
    return x


def _convolve(x, filters: int, kind: str, use_bias: bool, seed: int):
    if kind == "plain":
        return _plain(x, filters, 3, use_bias, seed)
    if kind == "pointwise_first":
        x = _plain(x, filters, 1, False, seed)
    x = keras.layers.DepthwiseConv2D(
        3,
        padding="same",
        use_bias=use_bias and kind == "pointwise_first",
        depthwise_initializer=keras.initializers.HeNormal(seed=seed + 1),
    )(x)
    if kind == "depthwise_first":
        x = _plain(x, filters, 1, use_bias, seed)
    return x


def _plain(x, filters: int, size: int, use_bias: bool, seed: int, strides: int = 1):
    return keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
    )(x)
