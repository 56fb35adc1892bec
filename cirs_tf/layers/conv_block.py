"""The two-convolution block of which the U-Net is made."""

import keras

from cirs_tf.layers.dropout import ReplicaDropout


def normalisation(kind: str, momentum: float = 0.9) -> list[keras.layers.Layer]:
    """Return the layers of one normalisation: `none`, `batch` or `layer`.

    Batch statistics are those of the global batch on any number of replicas. The
    momentum of their running means is lower than Keras's 0.99, because a run of a
    few hundred steps must already predict with settled statistics. `layer`
    normalises each example over all its axes (group normalisation of one group).
    """
    if kind == "none":
        return []
    if kind == "batch":
        return [keras.layers.BatchNormalization(momentum=momentum, synchronized=True)]
    if kind == "layer":
        return [keras.layers.GroupNormalization(groups=1)]
    raise ValueError(f"normalisation: expected none, batch or layer, got {kind!r}")


def conv_block(x, filters: int, norm: str, dropout: float, seed: int):
    """Apply (3x3 convolution, normalisation, ReLU) twice, then spatial dropout.

    Args:
        x: `[batch, height, width, channels]` KerasTensor.
        filters: Output channels.
        norm: See `normalisation`.
        dropout: Rate at which whole channels are dropped.
        seed: Seed of the dropout.

    Returns:
        `[batch, height, width, filters]`.

    Reference: Ronneberger et al. 2015, with "same" padding.
    """
    for _ in range(2):
        x = keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=norm == "none",
            kernel_initializer=keras.initializers.HeNormal(seed=seed),
        )(x)
        seed += 1
        for layer in normalisation(norm):
            x = layer(x)
        x = keras.layers.ReLU()(x)
    if dropout:
        x = ReplicaDropout(dropout, seed, noise_shape=(None, 1, 1, None))(x)
    return x
