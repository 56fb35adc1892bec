"""Images to the scale of the training images, probabilities back to their size.

TensorFlow operations alone, which exported models hold too, so that a run, an export
and its signatures give the same labels.
"""

from collections.abc import Callable

import tensorflow as tf

from cirs_tf.serving.bands import in_bands

# Images of another shape have at most so many times the pixels of a training image.
MAX_AREA_RATIO = 16
_BAND_VALUES = 2**21  # probabilities that are held at a time


def scaled_size(size: tf.Tensor, training_size: tf.Tensor) -> tf.Tensor:
    """Return the size at which objects are as large as they were in training.

        s = max(training height / height, training width / width)

    the factor by which images are scaled that fill the training size and are cropped.
    Of images so long and narrow that this gives more than `MAX_AREA_RATIO` times the
    training pixels, s is that of this many pixels.

    Args:
        size: `[2]` int32, height and width, at least 1.
        training_size: `[2]` int32.

    Returns:
        `[2]` int32, height and width, at least 1.

    Example:
        >>> scaled_size(tf.constant([480, 640]), tf.constant([64, 64])).numpy()
        array([64, 85], dtype=int32)
    """
    sides = tf.cast(size, tf.float64)
    training = tf.cast(training_size, tf.float64)
    scale = tf.reduce_max(training / sides)
    largest = MAX_AREA_RATIO * tf.reduce_prod(training)
    scale = tf.minimum(scale, tf.sqrt(largest / tf.reduce_prod(sides)))
    return tf.maximum(tf.cast(tf.round(scale * sides), tf.int32), 1)


@tf.function(
    autograph=False,
    input_signature=[
        tf.TensorSpec([None, None, None, 3], tf.uint8),
        tf.TensorSpec([2], tf.int32),
    ],
)
def to_training_scale(images: tf.Tensor, training_size: tf.Tensor) -> tf.Tensor:
    """Resize images to `scaled_size`, bicubic and antialiased, as they were imported.

    Args:
        images: `[batch, height, width, 3]` uint8.
        training_size: `[2]` int32, height and width of the training images.

    Returns:
        `[batch, scaled height, scaled width, 3]` uint8; the images themselves where
        they have that size.
    """
    size = tf.shape(images)[1:3]
    scaled = scaled_size(size, training_size)

    def resized() -> tf.Tensor:
        values = tf.raw_ops.ScaleAndTranslate(
            images=images,
            size=scaled,
            scale=tf.cast(scaled / size, tf.float32),
            translation=tf.zeros([2]),
            kernel_type="keyscubic",
            antialias=True,
        )
        return tf.saturate_cast(tf.round(values), tf.uint8)

    return tf.cond(tf.reduce_all(scaled == size), lambda: images, resized)


_PROBABILITIES_AND_SIZE = [
    tf.TensorSpec([None, None, None, None], tf.float32),
    tf.TensorSpec([2], tf.int32),
]


@tf.function(autograph=False, input_signature=_PROBABILITIES_AND_SIZE)
def labels_at_size(probabilities: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Return the labels of probabilities that are enlarged, some rows at a time.

    Args:
        probabilities: `[batch, scaled height, scaled width, K]` float32, K at most 256.
        size: `[2]` int32, height and width of the labels.

    Returns:
        `[batch, height, width]` uint8, the argmax of `probabilities_at_size`, which is
        never held as a whole.
    """

    def enlarged(one: tf.Tensor) -> tf.Tensor:
        values = in_bands(
            size[0],
            _band_rows(one, size),
            lambda first, rows: _argmax(_rows(one, size, first, rows)),
            tf.uint8,
        )
        return tf.reshape(values, size)

    return _at_size(probabilities, size, _argmax, enlarged, tf.uint8)


@tf.function(autograph=False, input_signature=_PROBABILITIES_AND_SIZE)
def probabilities_at_size(probabilities: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Resize probabilities, bilinear.

    Args:
        probabilities: `[batch, scaled height, scaled width, K]` float32.
        size: `[2]` int32, height and width.

    Returns:
        `[batch, height, width, K]` float32.
    """

    def enlarged(one: tf.Tensor) -> tf.Tensor:
        values = in_bands(
            size[0],
            _band_rows(one, size),
            lambda first, rows: _rows(one, size, first, rows),
            tf.float32,
        )
        return tf.reshape(values, tf.concat([size, tf.shape(one)[2:]], axis=0))

    return _at_size(probabilities, size, tf.identity, enlarged, tf.float32)


def _at_size(
    probabilities: tf.Tensor,
    size: tf.Tensor,
    as_they_are: Callable[[tf.Tensor], tf.Tensor],
    enlarged: Callable[[tf.Tensor], tf.Tensor],
    dtype: tf.DType,
) -> tf.Tensor:
    """Return the whole batch as it is where it has that size; else one by one."""

    def each() -> tf.Tensor:
        return tf.map_fn(
            enlarged,
            probabilities,
            fn_output_signature=dtype,
            parallel_iterations=1,  # or several pictures are held at once
        )

    def one_or_each() -> tf.Tensor:
        # One, perhaps a large picture, is not copied into a stack.
        one = tf.shape(probabilities)[0] == 1
        return tf.cond(one, lambda: enlarged(probabilities[0])[None], each)

    same = tf.reduce_all(tf.shape(probabilities)[1:3] == size)
    return tf.cond(same, lambda: as_they_are(probabilities), one_or_each)


def _argmax(probabilities: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.argmax(probabilities, axis=-1, output_type=tf.int32), tf.uint8)


def _band_rows(probabilities: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    return tf.maximum(1, _BAND_VALUES // (size[1] * tf.shape(probabilities)[2]))


def _rows(
    probabilities: tf.Tensor, size: tf.Tensor, first: tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    """Return `rows` rows of the resized probabilities, from one on."""
    small = tf.shape(probabilities)[:2]
    return tf.raw_ops.ScaleAndTranslate(
        images=probabilities[None],
        size=tf.stack([rows, size[1]]),
        scale=tf.cast(size / small, tf.float32),
        translation=tf.stack([-tf.cast(first, tf.float32), 0.0]),
        kernel_type="triangle",
        antialias=True,
    )[0]
