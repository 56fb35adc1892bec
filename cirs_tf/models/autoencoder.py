"""The bottleneck autoencoder: a dense encoder and its mirror image."""

from collections.abc import Iterator, Sequence

import keras

from cirs_tf.layers.dropout import ReplicaDropout
from cirs_tf.layers.precision import hidden_layers


def autoencoder(
    height: int,
    width: int,
    *,
    hidden: Sequence[int],
    bottleneck: int,
    dropout: float,
    seed: int,
) -> tuple[keras.Model, keras.Model]:
    """Build encoder and decoder; with three hidden widths, four dense layers each.

    Args:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        hidden: Hidden widths of the encoder; the decoder mirrors them.
        bottleneck: Length of the code.
        dropout: Rate after every hidden layer.
        seed: Seed of the weights and of dropout.

    Returns:
        `encoder`: images `[batch, height, width, 3]` float in [0, 1] to codes
        `[batch, bottleneck]` float; `decoder`: codes to images.

    Reference: thesis 9.1.
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000))
    images = keras.Input((height, width, 3), name="images")
    x = keras.layers.Flatten()(images)
    x = _hidden_layers(x, hidden, dropout, seeds)
    code = _dense(x, bottleneck, seeds, name="code")
    encoder = keras.Model(images, code, name="encoder")

    code = keras.Input((bottleneck,), name="code")
    x = _hidden_layers(code, hidden[::-1], dropout, seeds)
    x = _dense(x, height * width * 3, seeds, activation="sigmoid")
    rebuilt = keras.layers.Reshape((height, width, 3))(x)
    return encoder, keras.Model(code, rebuilt, name="decoder")


def _hidden_layers(x, widths: Sequence[int], dropout: float, seeds: Iterator[int]):
    with hidden_layers():
        for units in widths:
            x = _dense(x, units, seeds, activation="relu")
            if dropout:
                x = ReplicaDropout(dropout, next(seeds))(x)
    return x


def _dense(
    x,
    units: int,
    seeds: Iterator[int],
    activation: str | None = None,
    name: str | None = None,
):
    kernel = keras.initializers.GlorotUniform(seed=next(seeds))
    layer = keras.layers.Dense(
        units, activation=activation, kernel_initializer=kernel, name=name
    )
    return layer(x)
