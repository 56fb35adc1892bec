"""Cross-entropy with labels: true ones, or pseudo-labels."""

from collections.abc import Callable

import tensorflow as tf


def segmentation_cross_entropy(
    logits: tf.Tensor, masks: tf.Tensor, ignore_class: int = 255
) -> tf.Tensor:
    """Return the mean cross-entropy over the counted pixels of each image.

    Args:
        logits: `[batch, height, width, classes]` float.
        masks: `[batch, height, width]` integer classes, or `ignore_class`.
        ignore_class: Pixels of this class are not counted.

    Returns:
        `[batch]`; 0 for an image without a counted pixel.
    """
    counted = tf.cast(masks != ignore_class, logits.dtype)
    labels = tf.where(masks != ignore_class, tf.cast(masks, tf.int32), 0)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    pixels = tf.reduce_sum(counted, axis=[1, 2])
    return tf.math.divide_no_nan(tf.reduce_sum(entropy * counted, axis=[1, 2]), pixels)


def balanced_cross_entropy(
    logits: tf.Tensor,
    masks: tf.Tensor,
    class_weights: tf.Tensor,
    batch_sum: Callable[[tf.Tensor], tf.Tensor],
    ignore_class: int = 255,
) -> tf.Tensor:
    """Return the cross-entropy of a batch, each pixel weighted by its class.

        sum_{image, pixel} w_label (-ln p_label) / sum_{image, pixel} w_label

    Args:
        logits: `[batch, height, width, classes]` float.
        masks: `[batch, height, width]` integer classes, or `ignore_class`.
        class_weights: `[classes]` float w.
        batch_sum: Maps `[batch, ...]` to a scalar, the sum over the *global* batch:
            replicas with other classes have other sums of weights.
        ignore_class: Pixels of this class are not counted.

    Returns:
        A scalar, the same on every replica; 0 for a batch without a counted pixel.
    """
    counted = tf.cast(masks != ignore_class, logits.dtype)
    labels = tf.where(masks != ignore_class, tf.cast(masks, tf.int32), 0)
    weights = counted * tf.gather(class_weights, labels)  # (B, H, W)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return tf.math.divide_no_nan(batch_sum(entropy * weights), batch_sum(weights))


def label_cross_entropy(probabilities: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the mean cross-entropy over the pixels of each image.

    Args:
        probabilities: `[batch, height, width, K]` float, a softmax.
        labels: `[batch, height, width]` integer in [0, K).

    Returns:
        `[batch]`, at most -ln(1e-6).
    """
    probability = tf.gather(probabilities, labels, axis=-1, batch_dims=3)  # (B, H, W)
    return tf.reduce_mean(-tf.math.log(probability + 1e-6), axis=[1, 2])
