"""Batches of a split, in an order that resumes at any step."""

import numpy as np
import tensorflow as tf

from cirs_tf.data.image_split import Batch, ImageSplit, as_float
from cirs_tf.data.share import Share

_AHEAD = 2  # batches of floats that are made before they are asked for


def training_dataset(
    split: ImageSplit,
    seed: int,
    batch_size: int,
    first_step: int = 0,
    share: Share | None = None,
) -> tf.data.Dataset:
    """Return endless batches, from any step on the same as if read from the start.

    Every image occurs once an epoch; the order of epoch e depends on (seed, e) alone.
    Batches have a fixed size and run on over the end of an epoch.

    Args:
        split: What to train on; its masks, where they were loaded, come along.
        seed: Shuffle seed.
        batch_size: Images per batch.
        first_step: Number of batches to leave out at the start.
        share: What this worker makes of them; None: all.

    Returns:
        A dataset of `image` `[batch_size, height, width, 3]` float32 in [0, 1] and, if
        loaded, `mask` `[batch_size, height, width]` uint8.
    """
    count = len(split.images)
    first = first_step * batch_size

    def order(epoch: tf.Tensor) -> tf.data.Dataset:
        shuffled = tf.random.experimental.stateless_shuffle(
            tf.range(count), seed=tf.stack([tf.constant(seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(shuffled)

    indices = (
        tf.data.Dataset.range(first // count, tf.int64.max)
        .flat_map(order)
        .skip(first % count)
    )
    return _gathered(split, indices, batch_size, share)


def sampled_dataset(
    split: ImageSplit,
    count: int,
    seed: int,
    batch_size: int,
    first_step: int = 0,
    share: Share | None = None,
) -> tf.data.Dataset:
    """Return batches of images drawn with replacement, resumable at any step.

    Args:
        split: What to draw from; its masks come along.
        count: How many images are drawn in all.
        seed: Seed of the draws.
        batch_size: Images per batch.
        first_step: Number of batches to leave out at the start.
        share: What this worker makes of them; None: all.

    Returns:
        As `training_dataset`, but finite.
    """
    rows = np.random.default_rng(seed).integers(0, len(split.images), count)
    indices = tf.data.Dataset.from_tensor_slices(rows).skip(first_step * batch_size)
    return _gathered(split, indices, batch_size, share)


def _gathered(
    split: ImageSplit,
    indices: tf.data.Dataset,
    batch_size: int,
    share: Share | None,
) -> tf.data.Dataset:
    """Return the batches of a split that a dataset of row numbers names."""
    if share is not None and share.workers > 1:  # before anything is read
        parts = indices.batch(share.examples, drop_remainder=True)
        indices = parts.shard(share.workers, share.worker).unbatch()

    def as_batch(found: Batch) -> Batch:
        return {**found, "image": as_float(found["image"])}

    return split.gathered(indices, batch_size).map(as_batch).prefetch(_AHEAD)
