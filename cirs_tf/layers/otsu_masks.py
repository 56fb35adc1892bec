"""Masks of two classes by Otsu's threshold of each image's contrast."""

import keras
import tensorflow as tf

_GRAY = (0.2125, 0.7154, 0.0721)  # ITU-R BT.709
_BINS = 256
_ROUNDING = 1e-5  # contrasts that differ by less are of one color
_REACH = 4.0  # standard deviations at which a Gaussian is cut


@keras.saving.register_keras_serializable("cirs_tf")
class OtsuMasks(keras.layers.Layer):
    """Divide each image where the variance of its two parts is least (Otsu).

    1. *Contrast.* The root of the smoothed lightness (the noise of photons grows with
       the root, so that dim objects count like bright ones), less the same blurred
       widely: a background that varies slowly.
    2. *Threshold.* Otsu's, of a histogram of 256 bins from the least to the largest
       contrast of the image.
    3. *Side.* 1 is the side that fewer pixels of the image's border belong to. An image
       of one color is 0 everywhere.

    `[batch, height, width, 3]` float in [0, 1] to `[batch, height, width, 1]` float32
    of 0 and 1, of any size. There are no weights.

    Args:
        smoothing: Standard deviation of the first blur in pixels, > 0.
        background: Standard deviation of the wide one as a share of the longer side; 0:
            nothing is subtracted.

    Gradient: none.

    Reference: Otsu 1979, A Threshold Selection Method from Gray-Level Histograms.

    Example:
        >>> image = tf.pad(tf.ones((1, 3, 3, 3)), ((0, 0), (4, 4), (4, 4), (0, 0)))
        >>> mask = OtsuMasks(smoothing=0.5, background=0.0)(image)[0, :, :, 0]
        >>> float(mask[5, 5]), float(mask[0, 0])
        (1.0, 0.0)
    """

    def __init__(self, smoothing: float, background: float, **kwargs):
        super().__init__(**kwargs)
        self.smoothing, self.background = smoothing, background

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Return the masks."""
        contrast = self.contrast(images)
        lowest = tf.reduce_min(contrast, [1, 2, 3], keepdims=True)
        highest = tf.reduce_max(contrast, [1, 2, 3], keepdims=True)
        differs = highest - lowest > _ROUNDING
        high = (contrast > otsu_threshold(contrast)) & differs
        border = tf.ones_like(high[:, 1:-1, 1:-1])
        border = ~tf.pad(border, ((0, 0), (1, 1), (1, 1), (0, 0)))
        count = tf.reduce_sum(tf.cast(border, tf.float32), [1, 2, 3], keepdims=True)
        share = tf.cast(high & border, tf.float32)
        share = tf.reduce_sum(share, [1, 2, 3], keepdims=True) / count
        return tf.stop_gradient(tf.cast(high ^ (share > 0.5), tf.float32))

    def contrast(self, images: tf.Tensor) -> tf.Tensor:
        """Return what is divided, `[batch, height, width, 1]` float32."""
        images = tf.cast(images, tf.float32)
        gray = tf.reduce_sum(images * _GRAY, axis=-1, keepdims=True)
        root = tf.sqrt(tf.maximum(gaussian_blur(gray, self.smoothing), 0.0))
        if not self.background:
            return root
        longer = tf.cast(tf.reduce_max(tf.shape(images)[1:3]), tf.float32)
        return root - gaussian_blur(root, self.background * longer)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return `(batch, height, width, 1)`."""
        return (*input_shape[:-1], 1)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {"smoothing": self.smoothing, "background": self.background}
        return {**super().get_config(), **own}


def gaussian_blur(maps: tf.Tensor, deviation: tf.Tensor | float) -> tf.Tensor:
    """Blur maps of one channel; beyond the border they are mirrored.

    Args:
        maps: `[batch, height, width, 1]` float32.
        deviation: Standard deviation in pixels, > 0. The Gaussian is cut at four of
            them, and at the size of the maps.
    """
    deviation = tf.cast(deviation, tf.float32)
    rows, columns = (_blur_matrix(tf.shape(maps)[axis], deviation) for axis in (1, 2))
    # Products of matrices: a convolution of one channel is no quicker.
    return tf.matmul(rows, tf.matmul(maps[..., 0], columns, transpose_b=True))[
        ..., None
    ]


def _blur_matrix(size: tf.Tensor, deviation: tf.Tensor) -> tf.Tensor:
    """Return `[size, size]`, the weight of each place in the blur of each."""
    size = tf.cast(size, tf.float32)
    reach = tf.minimum(tf.floor(_REACH * deviation + 0.5), size)

    def weights(distance: tf.Tensor) -> tf.Tensor:
        inside = tf.cast(tf.abs(distance) <= reach, tf.float32)
        return inside * tf.exp(-0.5 * tf.square(distance / deviation))

    places = tf.range(size)
    target, source = places[:, None], places[None]
    matrix = weights(source - target)
    matrix += weights(-1 - source - target)  # mirrored at the first edge
    matrix += weights(2 * size - 1 - source - target)  # and at the last
    return matrix / tf.reduce_sum(matrix, axis=1, keepdims=True)


def otsu_threshold(values: tf.Tensor) -> tf.Tensor:
    """Return the center of the last bin of the lower part, `[batch, 1, 1, 1]`.

    Of two parts whose sizes n and means m make n1 n2 (m1 - m2)^2 largest. Where all
    values are equal, it is that value.

    Args:
        values: `[batch, height, width, 1]` float32.
    """
    flat = tf.reshape(values, [tf.shape(values)[0], -1])
    low = tf.reduce_min(flat, axis=1, keepdims=True)
    width = (tf.reduce_max(flat, axis=1, keepdims=True) - low) / _BINS
    bins = tf.math.divide_no_nan(flat - low, width)
    bins = tf.minimum(tf.cast(bins, tf.int32), _BINS - 1)
    counts = tf.math.bincount(bins, minlength=_BINS, maxlength=_BINS, axis=-1)
    shares = tf.cast(counts, tf.float32) / tf.cast(tf.shape(flat)[1], tf.float32)
    steps = (tf.range(_BINS, dtype=tf.float32) + 0.5) / _BINS
    weighted = tf.cumsum(shares * steps, axis=1)
    below, total = tf.cumsum(shares, axis=1), weighted[:, -1:]
    between = tf.math.divide_no_nan(
        tf.square(total * below - weighted), below * (1 - below)
    )
    best = tf.argmax(between[:, :-1], axis=1, output_type=tf.int32)
    threshold = low + width * _BINS * tf.gather(steps, best)[:, None]
    return threshold[:, :, None, None]
