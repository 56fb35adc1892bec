"""Segments by a vote of several clusterings."""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class CenterVotes(keras.layers.Layer):
    """Let every clustering vote for the segment of the center that is nearest.

    `[batch, height, width, features]` float to `[batch, height, width, segments]`
    float32, the share of the clusterings that vote for each segment. Weights are not
    trainable; `assign` sets them.

    Args:
        clusterings: How often the features were clustered, R.
        clusters: Centers of each clustering, C.
        segments: K.

    Gradient: none.
    """

    def __init__(self, clusterings: int, clusters: int, segments: int, **kwargs):
        super().__init__(**kwargs)
        self.clusterings, self.clusters = clusterings, clusters
        self.segments = segments

    def build(self, input_shape: tuple) -> None:
        """Create the weights, all 0."""
        features, count = input_shape[-1], self.clusterings * self.clusters
        self.centers = self.add_weight(
            name="centers",
            shape=(count, features),
            initializer="zeros",
            trainable=False,
        )
        self.segment_of = self.add_weight(
            name="segment_of",
            shape=(count,),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )

    def assign(self, centers: np.ndarray, segment_of: np.ndarray) -> None:
        """Set the weights.

        Args:
            centers: `[R, C, features]` float.
            segment_of: `[R, C]` integers in [0, K), the segment of each center.
        """
        self.centers.assign(centers.reshape(self.centers.shape))
        self.segment_of.assign(segment_of.reshape(self.segment_of.shape))

    def distances(self, features: tf.Tensor) -> tf.Tensor:
        """Return `[batch, height, width, R, C]`, squared distances to the centers."""
        centers = self.centers.value
        products = tf.tensordot(features, centers, [[-1], [1]])
        squares = tf.reduce_sum(features**2, -1, keepdims=True)
        distances = squares - 2 * products + tf.reduce_sum(centers**2, axis=-1)
        grid = tf.shape(features)[:-1]
        shape = tf.concat([grid, [self.clusterings, self.clusters]], axis=0)
        return tf.reshape(tf.maximum(distances, 0.0), shape)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Return the shares of the votes."""
        nearest = tf.argmin(self.distances(features), axis=-1, output_type=tf.int32)
        first = tf.range(self.clusterings) * self.clusters  # of each clustering
        votes = tf.gather(self.segment_of.value, nearest + first)
        shares = tf.reduce_mean(tf.one_hot(votes, self.segments), axis=-2)
        return tf.stop_gradient(shares)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, height, width, segments)`."""
        return (*input_shape[:-1], self.segments)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {
            "clusterings": self.clusterings,
            "clusters": self.clusters,
            "segments": self.segments,
        }
        return {**super().get_config(), **own}
