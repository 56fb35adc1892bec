"""A trained segmenter: images in, segments out, whatever it was loaded from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_files import read_image, rgb_array
from cirs_tf.errors import ImageError
from cirs_tf.serving.image_windows import WINDOW_PIXELS, of_one_size, windows
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.serving.scaling import (
    labels_at_size,
    probabilities_at_size,
    scaled_size,
    to_training_scale,
)
from cirs_tf.serving.tiles import OVERLAP, segment_tiles

# Maps `[batch, height, width, 3]` uint8 to probabilities `[batch, height, width, K]`.
Predict = Callable[[tf.Tensor], tf.Tensor]
# Labels, and probabilities where they are asked for.
Pair = tuple[np.ndarray, np.ndarray | None]


class Segmenter:
    """Labels every pixel of an image with one of K segments.

    Attributes:
        num_segments: K.
        keras_model: A plain `keras.Model` from `[batch, height, width, 3]` float images
            in [0, 1] to `[batch, height, width, K]` logits; None for an exported
            model, which has no Keras code.
        card: What is known about it, and the size of its training images; None: not
            known, as for models that were exported before there were cards.

    Args:
        probabilities: Maps uint8 images `[batch, height, width, 3]` to
            `[batch, height, width, K]` float32.
        num_segments: As above.
        keras_model: As above.
        card: As above.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((None, None, 3)),
        ...                           keras.layers.Conv2D(4, 1)])
        >>> segmenter = Segmenter.from_keras(model)
        >>> segmenter.num_segments
        4
        >>> image = np.zeros((8, 9, 3), np.uint8)
        >>> segmenter.predict(image).shape
        (8, 9)
        >>> labels, probabilities = segmenter.predict([image], probabilities=True)[0]
        >>> probabilities.shape
        (8, 9, 4)
    """

    def __init__(
        self,
        probabilities: Predict,
        num_segments: int,
        keras_model: keras.Model | None = None,
        card: ModelCard | None = None,
    ):
        self._probabilities = probabilities
        self.num_segments = num_segments
        self.keras_model = keras_model
        self.card = card

    @classmethod
    def from_keras(
        cls, model: keras.Model, card: ModelCard | None = None
    ) -> "Segmenter":
        """Return the segmenter of a Keras model of logits."""

        @tf.function(reduce_retracing=True, autograph=False)
        def probabilities(images: tf.Tensor) -> tf.Tensor:
            scaled = tf.cast(images, tf.float32) / 255.0
            return tf.nn.softmax(tf.cast(model(scaled, training=False), tf.float32))

        return cls(probabilities, model.output_shape[-1], model, card)

    def predict(
        self,
        images: Any,
        probabilities: bool = False,
        native: bool = False,
        tile: int | None = None,
        overlap: int = OVERLAP,
    ) -> Any:
        """Segment one image or many, each at its own size.

        The network sees an image at the scale of the training images, antialiased:
        resized as if to fill their size, nothing cropped. Its probabilities are resized
        to the image's size, and labels are their argmax.

        Args:
            images: An array `[height, width, 3]` or `[batch, height, width, 3]`, uint8,
                or float in [0, 1]; a path; a PIL image; or a sequence of these.
            probabilities: Whether probabilities are returned beside the labels.
            native: Whether the network sees images at their own size. Without a card
                it does in any case.
            tile: Side of the tiles, a multiple of 32, in which that is done for one
                after the other; None: the whole image at once. It implies `native`.
            overlap: Pixels around a tile that the network sees besides, a multiple of
                32.

        Returns:
            Labels `[height, width]` uint8 of one image, `[batch, height, width]` of a
            batch array, a list of them for a sequence. With `probabilities`, a pair
            (or for a sequence a list of pairs) of labels and
            `[..., height, width, K]` float32.

        Raises:
            ConfigError: `tile` or `overlap` is no multiple of 32, or out of range.
            ImageError: A file cannot be read, or an array is no RGB image.
        """
        size = None
        if not (native or tile or self.card is None):
            size = tf.constant([self.card.height, self.card.width])

        def found(arrays: Sequence[np.ndarray]) -> list[Pair]:
            if tile is None:
                return self._batch(arrays, size, probabilities)
            return [
                self._tiles(array, tile, overlap, probabilities) for array in arrays
            ]

        if isinstance(images, np.ndarray) and images.ndim == 4:
            if not len(images):
                raise ImageError("images: expected at least one, got none")
            pairs = found([_as_rgb(image) for image in images])
            labels = np.stack([pair[0] for pair in pairs])
            if not probabilities:
                return labels
            return labels, np.stack([pair[1] for pair in pairs])
        if isinstance(images, (list, tuple)):
            pairs = []
            for window in windows(map(_as_rgb, images), _pixels):
                pairs += _by_size(window, found)
            return pairs if probabilities else [pair[0] for pair in pairs]
        (pair,) = found([_as_rgb(images)])
        return pair if probabilities else pair[0]

    def _batch(
        self,
        images: Sequence[np.ndarray],
        training_size: tf.Tensor | None,
        probabilities: bool,
    ) -> list[Pair]:
        """Return labels and, if asked, probabilities of images of one size."""
        size = tf.constant(images[0].shape[:2])
        largest = tf.reduce_prod(size)
        if training_size is not None:
            scaled = scaled_size(size, training_size)
            largest = tf.maximum(largest, tf.reduce_prod(scaled))
        step = max(1, WINDOW_PIXELS // int(largest))
        pairs = []
        for start in range(0, len(images), step):
            chosen = images[start : start + step]
            batch = tf.constant(np.stack(chosen) if step > 1 else chosen[0][None])
            if training_size is not None:
                batch = to_training_scale(batch, training_size)
            small = self._probabilities(batch)
            labels = labels_at_size(small, size).numpy()
            shares = [None] * len(chosen)
            if probabilities:
                shares = probabilities_at_size(small, size).numpy()
            pairs += zip(labels, shares, strict=True)
        return pairs

    def _tiles(
        self, image: np.ndarray, tile: int, overlap: int, probabilities: bool
    ) -> Pair:
        def predict(pixels: np.ndarray) -> np.ndarray:
            return self._probabilities(tf.constant(pixels[None]))[0].numpy()

        return segment_tiles(
            image, predict, self.num_segments, tile, overlap, probabilities
        )


def _pixels(image: np.ndarray) -> int:
    return image.shape[0] * image.shape[1]


def _by_size(
    images: Sequence[np.ndarray],
    found: Callable[[Sequence[np.ndarray]], list[Pair]],
) -> list[Pair]:
    """Return what is found in images of several sizes, those of a size at once."""
    pairs: dict[int, Pair] = {}
    for indices in of_one_size(images):
        chosen = found([images[index] for index in indices])
        pairs.update(zip(indices, chosen, strict=True))
    return [pairs[index] for index in range(len(images))]


def _as_rgb(image: Any) -> np.ndarray:
    """Return `[height, width, 3]` uint8 for anything that `predict` takes."""
    if isinstance(image, (str, Path)):
        return read_image(image)
    if isinstance(image, Image.Image):
        try:
            return rgb_array(image)
        except ValueError as error:
            raise ImageError(f"images: {error}") from None
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[-1] != 3 or not array.size:
        raise ImageError(
            "images: expected a path, a PIL image, or an array [height, width, 3] or "
            f"[batch, height, width, 3], got shape {array.shape}"
        )
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise ImageError(
            f"images: expected uint8, or float in [0, 1], got {array.dtype}"
        )
    if not (0 <= array.min() and array.max() <= 1):
        raise ImageError(
            "images: expected floats in [0, 1], got "
            f"{array.min():.3g} to {array.max():.3g}"
        )
    return np.uint8(np.rint(array * 255))
