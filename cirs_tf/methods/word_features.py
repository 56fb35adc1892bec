"""Vectors of pixels by their color words, and g as a function of sets of them."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.config.settings import (
    WEIGHT,
    WIDTHS,
    Section,
    at_least,
    between,
    setting,
)
from cirs_tf.data.image_split import ImageArray, row_slices
from cirs_tf.errors import DataError
from cirs_tf.layers.conv_block import conv_layer
from cirs_tf.layers.segment_pooling import SegmentPooling
from cirs_tf.layers.word_embedding import WordEmbedding
from cirs_tf.training.phases import SUMMARY, Initialization
from cirs_tf.visualization import image_grid, scatter_plot
from cirs_tf.words.color_words import (
    LEVELS,
    color_histogram,
    fit_color_words,
    words_of,
)
from cirs_tf.words.cooccurrence import count_cooccurrences
from cirs_tf.words.word_vectors import word_vectors

_BATCH = 100  # images in memory at a time


@dataclasses.dataclass(frozen=True)
class WordVectorsConfig(Section):
    """Color words and their vectors."""

    key: ClassVar[str] = "words"

    images: int = setting(
        1_500, at_least(1), "Unlabeled training images that are counted, the first."
    )
    count: int = setting(128, at_least(2), "Number of color words.")
    radius: int = setting(
        12, at_least(1), "Words up to this distance appear together; in pixels."
    )
    dimensions: int | None = setting(
        None, at_least(1), "Length of a word's vector; null: segments - 1."
    )
    smoothing: int = setting(
        1,
        at_least(0),
        "A pixel's vector is the mean of its word's and of the mean over the square of "
        "this radius around it, in pixels; 0: its word's alone.",
    )
    centering: float = setting(
        1.0,
        between(0, 1),
        "Share of the mean of all words' vectors that is subtracted from each.",
    )


@dataclasses.dataclass(frozen=True)
class WordsConfig(WordVectorsConfig):
    """Color words, their vectors, and the features of sets of pixels made of them."""

    pooling_power: float = setting(
        0.5,
        between(0, 1),
        "Power of a segment's area that the sum of its vectors is divided by: 0 the "
        "sum, 1 the mean, 1/2 as in k-means.",
    )
    softness: float = setting(
        1.0,
        WEIGHT,
        "s of the bound f / sqrt(|f|^2 + s^2) of the features; 0: no bound.",
    )
    hidden: tuple[int, ...] = setting(
        (),
        WIDTHS,
        "Widths of the hidden layers of a network that is added to the pixels' vectors "
        "and trained as g, 0 at first; []: g is frozen.",
    )


class WordVectors:
    """Vectors of pixels by their color words, which come from unlabeled images.

    Words are clusters of colors; a word's vector tells what it appears beside, across
    all images. Nothing is trained.

    Attributes:
        embedding: The layer from images to vectors.
        model: The same as a model, for checkpoints: from `[batch, height, width, 3]` in
            [0, 1] to `[batch, height, width, dimensions]`.

    Args:
        config: The settings.
        segments: K.
        seed: Seed of k-means.
    """

    def __init__(self, config: WordVectorsConfig, segments: int, seed: int):
        self._config = config
        self._seed = seed
        self.dimensions = config.dimensions or segments - 1
        self.embedding = WordEmbedding(
            config.count, self.dimensions, LEVELS, config.smoothing, name="words"
        )
        images = keras.Input((None, None, 3), name="images")
        self.model = keras.Model(images, self.embedding(images), name="words")

    def initialize(self, images: ImageArray) -> Initialization:
        """Find color words and their vectors.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            `word_colors`, `word_table`, `word_vectors` and `summary`.

        Raises:
            DataError: The images have too few colors.
        """
        options = self._config
        count = min(options.images, len(images))
        histogram = color_histogram(_batches(images, count))
        words = fit_color_words(histogram, options.count, self._seed)
        found = len(words.colors)
        if found <= self.dimensions:
            raise DataError(
                f"words: expected more than {self.dimensions} colors in the training "
                f"images, for vectors of that length, found {found}"
            )
        counts = count_cooccurrences(
            (words_of(batch, words.table) for batch in _batches(images, count)),
            found,
            options.radius,
        )
        vectors = word_vectors(counts, self.dimensions)
        vectors -= options.centering * vectors.mean(axis=0)
        summary = (
            f"{found} color words of {count:,} images, vectors of length "
            f"{self.dimensions}"
        )
        return {
            "word_colors": words.colors.astype(np.float32),
            "word_table": words.table,
            "word_vectors": vectors.astype(np.float32),
            SUMMARY: np.array(summary),
        }

    def assign(self, initialization: Initialization) -> None:
        """Set words and vectors.

        Args:
            initialization: From `initialize`.
        """
        self.embedding.assign(
            initialization["word_table"],
            initialization["word_vectors"],
            initialization["word_colors"],
        )

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw images in words and in vectors, and the words by their vectors.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            `words`: each pixel in the color of its word, and in the first three
            entries of its vector as red, green and blue. `word_vectors`: the words at
            the first two entries of their vectors.
        """
        floats = tf.constant(images, tf.float32) / 255
        colors = self.embedding.colors.numpy()
        words = colors[self.embedding.lookup(floats).numpy()]
        vectors = self.embedding.vectors.numpy()
        used = np.any(vectors != 0, axis=1) | np.any(colors != 0, axis=1)
        low, high = vectors[used].min(axis=0), vectors[used].max(axis=0)
        shown = (self.embedding(floats).numpy() - low) / np.maximum(high - low, 1e-6)
        missing = max(0, 3 - shown.shape[-1])
        shown = np.pad(shown[..., :3], ((0, 0),) * 3 + ((0, missing),))
        rows = {
            "input": images,
            "words": _as_uint8(words),
            "vectors": _as_uint8(shown),
        }
        points = np.pad(vectors[used], ((0, 0), (0, 1)))[:, :2]
        plot = scatter_plot(points, _as_uint8(colors[used]))
        return {"words": image_grid(rows), "word_vectors": plot}


class WordFeatures(WordVectors):
    """The feature network of color words: vectors of a segment's pixels, pooled.

    With `words.hidden` it is trained: a network of 1x1 convolutions, of a pixel's color
    and vector, is added to the vector. Its last layer is 0 at first, so that training
    starts from the words.

    Attributes:
        network: From images `[batch, height, width, 3]` in [0, 1] and masks
            `[batch, K, height, width, 1]` to features `[batch, K, dimensions]`.

    Args:
        config: The settings.
        segments: K.
        seed: Seed of k-means and of the weights.

    Departs from thesis 6: g is no fully connected network on masked images, and by
    default it is not trained. Thesis 5 defines g on segments; 11 proposes to train it
    on a self-supervised task first and to freeze it.
    """

    def __init__(self, config: WordsConfig, segments: int, seed: int):
        super().__init__(config, segments, seed)
        self._softness = config.softness
        images = keras.Input((None, None, 3), name="images")
        masks = keras.Input((segments, None, None, 1), name="masks")
        self._pooling = SegmentPooling(config.pooling_power, config.softness)
        vectors = self._trained(images, self.embedding(images), config.hidden)
        self._vectors = keras.Model(images, vectors)
        features = self._pooling(vectors, masks)
        self.network = keras.Model([images, masks], features, name="feature_net")

    def __call__(
        self, images: tf.Tensor, masks: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Return the features of every segment.

        Args:
            images: `[batch, height, width, 3]` float in [0, 1].
            masks: `[batch, K, height, width, 1]` float.
            training: Makes no difference.

        Returns:
            `[batch, K, dimensions]`.
        """
        return self.network([images, masks], training=training)

    def of_each(
        self, images: tf.Tensor, masks: Sequence[tf.Tensor], training: bool
    ) -> list[tf.Tensor]:
        """Return the features of several segmentations; pixels are looked up once.

        Args:
            images: `[batch, height, width, 3]` float in [0, 1].
            masks: `[batch, K, height, width, 1]` float, of each segmentation.
            training: Makes no difference.

        Returns:
            `[batch, K, dimensions]` for each.
        """
        vectors = self._vectors(images, training=training)
        return [self._pooling(vectors, each) for each in masks]

    @property
    def largest_mean_square(self) -> float | None:
        """The largest mean squared length of features; None: there is no bound."""
        return 1.0 if self._softness else None

    def _trained(self, images, vectors, hidden: tuple[int, ...]):
        """Add to the vectors what is learned, if anything is."""
        if not hidden:
            return vectors
        seeds = iter(range(self._seed * 1_000, (self._seed + 1) * 1_000))
        x = keras.layers.Concatenate()([images, vectors])
        for filters in hidden:
            x = conv_layer(x, filters, 1, "none", next(seeds))
        change = keras.layers.Conv2D(
            self.dimensions, 1, kernel_initializer="zeros", use_bias=False
        )(x)
        return vectors + change


def _batches(images: ImageArray, count: int) -> Iterator[np.ndarray]:
    """Yield the first `count` images, some at a time."""
    for rows in row_slices(count, _BATCH):
        yield images[rows]


def _as_uint8(values: np.ndarray) -> np.ndarray:
    return np.uint8(np.clip(values, 0, 1) * 255 + 0.5)
