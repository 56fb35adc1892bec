"""Features of segments as functions of the set of their pixels."""

import keras
import tensorflow as tf

_MIN_SHARE = 0.01  # share of the image that a smaller segment is counted as


@keras.saving.register_keras_serializable("cirs_tf")
class SegmentPooling(keras.layers.Layer):
    """Pool the vectors of each segment's pixels, and bound the result.

        f = sum_q m(q) v(q) / (N max(a, 0.01)^gamma),   a = sum_q m(q) / N
        output = f / sqrt(|f|^2 + s^2)

    with masks m, vectors v and N pixels per image. gamma = 0 is the sum, 1 the mean;
    with 1/2, |f|^2 is what a segment adds to the objective of k-means. s = 0 leaves f;
    else the output is shorter than 1, close to f / s for |f| far below s.

    Vectors `[batch, height, width, dimensions]`, masks `[batch, K, height, width, 1]`
    to `[batch, K, dimensions]`.

    Args:
        power: gamma, in [0, 1].
        softness: s, at least 0.

    Gradient: to both inputs, through the area as well.

    Reference: Zaheer et al. 2017, for functions of sets.

    Example:
        >>> vectors = tf.constant([[[[3.0], [0.0]], [[0.0], [1.0]]]])
        >>> masks = tf.constant([[[[[1.0], [1.0]], [[0.0], [0.0]]]]])
        >>> SegmentPooling(1.0, 0.0)(vectors, masks).numpy()
        array([[[1.5]]], dtype=float32)
    """

    def __init__(self, power: float, softness: float, **kwargs):
        super().__init__(**kwargs)
        self.power, self.softness = power, softness

    def call(self, vectors: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
        """Return the features."""
        shape = tf.shape(vectors)
        pixels = shape[1] * shape[2]
        flat_vectors = tf.reshape(vectors, [shape[0], pixels, vectors.shape[-1]])
        flat_masks = tf.reshape(masks, [shape[0], masks.shape[1], pixels])
        pooled = tf.matmul(flat_masks, tf.cast(flat_vectors, flat_masks.dtype))
        pooled /= tf.cast(pixels, pooled.dtype)  # (B, K, D)
        area = tf.reduce_mean(flat_masks, axis=-1, keepdims=True)  # (B, K, 1)
        features = pooled / tf.maximum(area, _MIN_SHARE) ** self.power
        if self.softness:
            squared = tf.reduce_sum(tf.square(features), axis=-1, keepdims=True)
            features /= tf.sqrt(squared + self.softness**2)
        return features

    def compute_output_shape(self, vectors_shape: tuple, masks_shape: tuple) -> tuple:
        """Return `(batch, K, dimensions)`."""
        return (*masks_shape[:2], vectors_shape[-1])

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {"power": self.power, "softness": self.softness}
        return {**super().get_config(), **own}
