"""The pose network: from a masked image to the pose of the object in it."""

import keras

from cirs_tf.layers.conv_block import conv_layer

_FILTERS = (16, 32, 32)
# Height and width of the input, in pixels.
POSE_INPUT = 32


def pose_net(seed: int, name: str) -> keras.Model:
    """Build one pose network.

    Three 5x5 convolutions of stride 2 with batch normalization and ReLU, a dense layer
    of 64 and one of 4.

    Args:
        seed: Seed of the weights.
        name: Name of the model.

    Returns:
        A model from `[batch, POSE_INPUT, POSE_INPUT, 4]`, masked image and mask around
        the center of the mask, to `[batch, 4]`: offset in x and y, cosine and sine (of
        any length).
    """
    seeds = iter(range(seed * 1_000, (seed + 1) * 1_000))
    x = masked = keras.Input((POSE_INPUT, POSE_INPUT, 4), name="masked_image")
    for filters in _FILTERS:
        x = conv_layer(x, filters, 5, "batch", next(seeds), strides=2)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(
        64,
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
    )(x)
    kernel = keras.initializers.GlorotUniform(seed=next(seeds))
    pose = keras.layers.Dense(4, kernel_initializer=kernel, name="pose")(x)
    return keras.Model(masked, pose, name=name)
