"""Cross-entropy with labels: the truth, or what a method takes for it."""

import tensorflow as tf


def segmentation_cross_entropy(
    logits: tf.Tensor, masks: tf.Tensor, ignore_label: int = 255
) -> tf.Tensor:
    """Return the mean cross-entropy over the counted pixels of each image.

    Args:
        logits: `[batch, height, width, classes]` float.
        masks: `[batch, height, width]` integer classes, or `ignore_label`.
        ignore_label: Pixels with this truth are not counted.

    Returns:
        `[batch]`; 0 for an image without a counted pixel.
    """
    counted = tf.cast(masks != ignore_label, logits.dtype)
    labels = tf.where(masks != ignore_label, tf.cast(masks, tf.int32), 0)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    pixels = tf.reduce_sum(counted, axis=[1, 2])
    return tf.math.divide_no_nan(tf.reduce_sum(entropy * counted, axis=[1, 2]), pixels)


def balanced_cross_entropy(
    logits: tf.Tensor, masks: tf.Tensor, weights: tf.Tensor, ignore_label: int = 255
) -> tf.Tensor:
    """Return the cross-entropy of a batch, each pixel weighing as its class does.

    Args:
        logits: `[batch, height, width, classes]` float.
        masks: `[batch, height, width]` integer classes, or `ignore_label`.
        weights: `[classes]` float.
        ignore_label: Pixels with this truth are not counted.

    Returns:
        A scalar, the weighted mean; 0 for a batch without a counted pixel.
    """
    counted = tf.cast(masks != ignore_label, logits.dtype)
    labels = tf.where(masks != ignore_label, tf.cast(masks, tf.int32), 0)
    weight = counted * tf.gather(weights, labels)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    total = tf.reduce_sum(weight)
    return tf.math.divide_no_nan(tf.reduce_sum(entropy * weight), total)


def label_cross_entropy(probabilities: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the mean cross-entropy over the pixels of each image.

    Args:
        probabilities: `[batch, height, width, K]` float, a softmax.
        labels: `[batch, height, width]` integer in [0, K).

    Returns:
        `[batch]`, at most -log(1e-6).
    """
    of_label = tf.gather(probabilities, labels, axis=-1, batch_dims=3)
    return tf.reduce_mean(-tf.math.log(of_label + 1e-6), axis=[1, 2])
