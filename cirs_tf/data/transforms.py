"""Random transformations of batches, all from an explicit seed."""

import tensorflow as tf


def random_flips(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return `[count]` bool, each true with probability 1/2.

    Args:
        count: Number of draws.
        seed: `[2]` integers.
    """
    return tf.random.stateless_uniform([count], seed) < 0.5


def flip_where(values: tf.Tensor, flipped: tf.Tensor) -> tf.Tensor:
    """Mirror those examples of `[batch, height, width, channels]` left to right.

    Its own inverse.

    Args:
        values: Images, logits or masks.
        flipped: `[batch]` bool.
    """
    return tf.where(flipped[:, None, None, None], tf.reverse(values, axis=[2]), values)


def random_shift_flip_turn(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shift each image around its borders, flip it, and turn it by quarters.

    The shift is uniform over all of them, and so are the eight ways in which a square
    can lie; pixels keep their values.

    Args:
        images: `[batch, side, side, channels]`.
        seed: `[2]` integers.

    Returns:
        The same shape.
    """
    count, side = tf.shape(images)[0], tf.shape(images)[1]
    seeds = tf.random.experimental.stateless_split(seed, 2)
    shift = tf.random.stateless_uniform([count, 2, 1], seeds[0], 0, side, tf.int32)
    places = (tf.range(side) + shift) % side  # (B, 2, side)
    images = tf.gather(images, places[:, 0], axis=1, batch_dims=1)
    images = tf.gather(images, places[:, 1], axis=2, batch_dims=1)
    chosen = tf.random.stateless_uniform([3, count, 1, 1, 1], seeds[1]) < 0.5
    images = tf.where(chosen[0], tf.reverse(images, axis=[1]), images)
    images = tf.where(chosen[1], tf.reverse(images, axis=[2]), images)
    return tf.where(chosen[2], tf.transpose(images, [0, 2, 1, 3]), images)


def random_jitter(images: tf.Tensor, strength: float, seed: tf.Tensor) -> tf.Tensor:
    """Change brightness, contrast and the weight of each channel of each image.

        x' = clip(0.5 + c w (x - 0.5) + b, 0, 1)

    with one contrast c and one brightness b an image and a weight w for each channel;
    c and w are uniform in [1 - s, 1 + s], b in [-s, s].

    Args:
        images: `[batch, height, width, channels]` float in [0, 1].
        strength: s, in [0, 1).
        seed: `[2]` integers.

    Returns:
        The same shape and range.
    """
    count, channels = tf.shape(images)[0], images.shape[-1]
    drawn = tf.random.stateless_uniform([count, channels + 2], seed, -1.0, 1.0)
    drawn = strength * drawn[:, None, None]  # (B, 1, 1, C + 2)
    contrast, brightness, weights = (
        1 + drawn[..., :1],
        drawn[..., 1:2],
        1 + drawn[..., 2:],
    )
    changed = 0.5 + contrast * weights * (images - 0.5) + brightness
    return tf.clip_by_value(changed, 0.0, 1.0)
