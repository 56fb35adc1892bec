"""The bottleneck autoencoder: a dense encoder and its mirror image."""

import keras

from cirs_tf.config import AutoencoderConfig
from cirs_tf.layers.dropout import ReplicaDropout


def autoencoder(
    config: AutoencoderConfig, height: int, width: int, seed: int
) -> tuple[keras.Model, keras.Model]:
    """Build encoder and decoder, with three hidden widths of four dense layers each.

    Args:
        config: Hidden widths, bottleneck, dropout.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        seed: Seed of the weights and of dropout.

    Returns:
        `encoder`: images `[batch, height, width, 3]` float in [0, 1] to codes
        `[batch, bottleneck]` float; `decoder`: codes to images.

    Reference: thesis 9.1.
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000))
    images = keras.Input((height, width, 3), name="images")
    x = keras.layers.Flatten()(images)
    x = _hidden_layers(x, config.hidden, config.dropout, seeds)
    code = _dense(x, config.bottleneck, seeds, name="code")
    encoder = keras.Model(images, code, name="encoder")

    code = keras.Input((config.bottleneck,), name="code")
    x = _hidden_layers(code, config.hidden[::-1], config.dropout, seeds)
    x = _dense(x, height * width * 3, seeds, activation="sigmoid")
    rebuilt = keras.layers.Reshape((height, width, 3))(x)
    return encoder, keras.Model(code, rebuilt, name="decoder")


def _hidden_layers(x, widths, dropout: float, seeds):
    for units in widths:
        x = _dense(x, units, seeds, activation="relu")
        if dropout:
            x = ReplicaDropout(dropout, next(seeds))(x)
    return x


def _dense(x, units: int, seeds, activation: str | None = None, name=None):
    kernel = keras.initializers.GlorotUniform(seed=next(seeds))
    layer = keras.layers.Dense(
        units, activation=activation, kernel_initializer=kernel, name=name
    )
    return layer(x)
