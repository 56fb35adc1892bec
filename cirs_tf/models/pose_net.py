"""From a masked image to the pose of the object in it."""

import keras

from cirs_tf.layers.conv_block import normalisation

_FILTERS = (16, 32, 32)


def pose_net(height: int, width: int, seed: int, name: str) -> keras.Model:
    """Build one pose network.

    Three 5x5 convolutions of stride 2 with batch normalisation and ReLU, a dense layer
    of 64, a dense layer of 4 that starts near 0.

    Args:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        seed: Seed of the weights.
        name: Of the model.

    Returns:
        A model from `[batch, height, width, 4]`, masked image and mask, to
        `[batch, 4]`: offset in x and y, and what is added to cosine 1 and sine 0.
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000))
    x = masked = keras.Input((height, width, 4), name="masked_image")
    for filters in _FILTERS:
        x = keras.layers.Conv2D(
            filters,
            5,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        )(x)
        for layer in normalisation("batch"):
            x = layer(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(
        64,
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
    )(x)
    near_zero = keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds))
    pose = keras.layers.Dense(4, kernel_initializer=near_zero, name="pose")(x)
    return keras.Model(masked, pose, name=name)
