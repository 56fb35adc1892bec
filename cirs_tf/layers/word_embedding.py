"""Vectors of pixels: those of the color words that they belong to."""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class WordEmbedding(keras.layers.Layer):
    """Look up the vector of every pixel's color word, smoothed over a small square.

        v(q) = (e(q) + mean of e over the square of side 2 r + 1 around q) / 2

    with e(q) the vector of q's word; squares are cut at the image's border. r = 0
    leaves e.

    `[batch, height, width, 3]` float in [0, 1] to `[batch, height, width, dimensions]`
    float32. Weights are not trainable; `assign` sets them.

    Args:
        words: Number of words.
        dimensions: Length of the vectors.
        levels: Bins per channel of the color cube.
        smoothing: r in pixels, at least 0.

    Gradient: none, neither to the images nor to the weights.
    """

    def __init__(
        self, words: int, dimensions: int, levels: int, smoothing: int, **kwargs
    ):
        super().__init__(**kwargs)
        self.words, self.dimensions = words, dimensions
        self.levels, self.smoothing = levels, smoothing

    def build(self, _) -> None:
        """Create the weights, all 0."""

        def add(name: str, shape: tuple[int, ...], dtype: str):
            return self.add_weight(
                name=name,
                shape=shape,
                dtype=dtype,
                initializer="zeros",
                trainable=False,
            )

        self.table = add("table", (self.levels**3,), "int32")
        self.vectors = add("vectors", (self.words, self.dimensions), "float32")
        self.colors = add("colors", (self.words, 3), "float32")

    def assign(
        self, table: np.ndarray, vectors: np.ndarray, colors: np.ndarray
    ) -> None:
        """Set the weights.

        Args:
            table: `[levels, levels, levels]` integers, the word of each bin.
            vectors: `[at most words, dimensions]` float; the rest are 0.
            colors: `[at most words, 3]` float in [0, 1], for pictures.
        """
        self.table.assign(table.ravel())
        unused = ((0, self.words - len(vectors)), (0, 0))
        self.vectors.assign(np.pad(vectors, unused))
        self.colors.assign(np.pad(colors, unused))

    def lookup(self, images: tf.Tensor) -> tf.Tensor:
        """Return `[batch, height, width]` int32, the word of every pixel."""
        values = tf.cast(tf.round(tf.cast(images, tf.float32) * 255), tf.int32)
        levels = tf.clip_by_value(values * self.levels // 256, 0, self.levels - 1)
        red, green, blue = tf.unstack(levels, axis=-1)
        bins = (red * self.levels + green) * self.levels + blue
        return tf.gather(self.table.value, bins)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return the vectors."""
        vectors = tf.gather(self.vectors.value, self.lookup(images))
        if self.smoothing:
            side = 2 * self.smoothing + 1
            mean = tf.nn.avg_pool2d(vectors, side, strides=1, padding="SAME")
            vectors = (vectors + mean) / 2
        return vectors

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, height, width, dimensions)`."""
        return (*input_shape[:-1], self.dimensions)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {
            "words": self.words,
            "dimensions": self.dimensions,
            "levels": self.levels,
            "smoothing": self.smoothing,
        }
        return {**super().get_config(), **own}
