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

# Maps `[batch, height, width, 3]` uint8 to probabilities `[batch, height, width, K]`.
Predict = Callable[[tf.Tensor], tf.Tensor]
_BATCH_PIXELS = 2**20


class Segmenter:
    """Labels every pixel of an image with one of K segments.

    Attributes:
        num_segments: K.
        keras_model: A plain `keras.Model` from `[batch, height, width, 3]` float images
            in [0, 1] to `[batch, height, width, K]` logits; None for an exported
            model, which has no Keras code.

    Args:
        probabilities: Maps uint8 images `[batch, height, width, 3]` to
            `[batch, height, width, K]` float32.
        num_segments: As above.
        keras_model: As above.

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
    ):
        self._probabilities = probabilities
        self.num_segments = num_segments
        self.keras_model = keras_model

    @classmethod
    def from_keras(cls, model: keras.Model) -> "Segmenter":
        """Return the segmenter of a Keras model of logits."""

        @tf.function(reduce_retracing=True)
        def probabilities(images: tf.Tensor) -> tf.Tensor:
            scaled = tf.cast(images, tf.float32) / 255.0
            return tf.nn.softmax(tf.cast(model(scaled, training=False), tf.float32))

        return cls(probabilities, model.output_shape[-1], model)

    def predict(self, images: Any, probabilities: bool = False) -> Any:
        """Segment one image or many, each at its own size.

        Args:
            images: An array `[height, width, 3]` or `[batch, height, width, 3]`, uint8,
                or float in [0, 1]; a path; a PIL image; or a sequence of these.
            probabilities: Whether probabilities are returned beside the labels.

        Returns:
            Labels `[height, width]` uint8 of one image, `[batch, height, width]` of a
            batch array, a list of them for a sequence. With `probabilities`, a pair
            (or for a sequence a list of pairs) of labels and
            `[..., height, width, K]` float32.

        Raises:
            ImageError: A file cannot be read, or an array is no RGB image.
        """
        if isinstance(images, np.ndarray) and images.ndim == 4:
            found = self._batch([_as_rgb(image) for image in images])
            labels = np.stack([pair[0] for pair in found])
            if not probabilities:
                return labels
            return labels, np.stack([pair[1] for pair in found])
        if isinstance(images, (list, tuple)):
            found = [self._batch([_as_rgb(image)])[0] for image in images]
            return found if probabilities else [pair[0] for pair in found]
        ((labels, shares),) = self._batch([_as_rgb(images)])
        return (labels, shares) if probabilities else labels

    def _batch(
        self, images: Sequence[np.ndarray]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return labels and probabilities of images of one size."""
        height, width = images[0].shape[:2]
        step = max(1, _BATCH_PIXELS // (height * width))
        pairs = []
        for start in range(0, len(images), step):
            batch = np.stack(images[start : start + step])
            shares = self._probabilities(tf.constant(batch)).numpy()
            labels = shares.argmax(axis=-1).astype(np.uint8)
            pairs += zip(labels, shares, strict=True)
        return pairs


def _as_rgb(image: Any) -> np.ndarray:
    """Return `[height, width, 3]` uint8 for anything that `predict` takes."""
    if isinstance(image, (str, Path)):
        return read_image(image)
    if isinstance(image, Image.Image):
        return rgb_array(image)
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[-1] != 3:
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
    if array.size and not (0 <= array.min() and array.max() <= 1):
        raise ImageError(
            "images: expected floats in [0, 1], got "
            f"{array.min():.3g} to {array.max():.3g}"
        )
    return np.uint8(np.rint(array * 255))
