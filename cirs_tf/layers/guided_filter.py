"""The guided filter: maps that follow the edges of a gray image."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("cirs_tf")
class GuidedFilter(keras.layers.Layer):
    """Smooth maps where a gray image is smooth, and keep their steps at its edges.

    In every square of side 2 r + 1 the output is a linear function of the gray image
    I, fitted to the map p by least squares; a pixel takes the mean of the functions of
    all squares that hold it:

        a = cov(I, p) / (var(I) + eps),   b = mean(p) - a mean(I)
        output = mean(a) I + mean(b)

    Squares are cut at the border. Maps that sum to 1 at every pixel still do.

    Args:
        radius: r in pixels, at least 1.
        epsilon: eps, > 0; steps of I well below its root are smoothed over.

    Reference: He, Sun and Tang 2010, Guided Image Filtering.

    Example:
        >>> gray = tf.constant([0.0, 0.0, 1.0, 1.0])[None, None, :, None]
        >>> blurred = tf.constant([0.0, 0.4, 0.6, 1.0])[None, None, :, None]
        >>> print(GuidedFilter(3, 1e-6)(blurred, gray).numpy()[0, 0, :, 0].round(2))
        [0.2 0.2 0.8 0.8]
    """

    def __init__(self, radius: int, epsilon: float, **kwargs):
        super().__init__(**kwargs)
        self.radius, self.epsilon = radius, epsilon

    def call(self, maps: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """Return the filtered maps.

        Args:
            maps: `[batch, height, width, channels]` float.
            images: `[batch, height, width, 3]` float in [0, 1], whose luminance is I,
                or I itself, of one channel.
        """
        gray = images
        if images.shape[-1] == 3:
            gray = tf.image.rgb_to_grayscale(images)
        mean_gray, mean_maps = self._mean(gray), self._mean(maps)
        variance = self._mean(gray**2) - mean_gray**2
        covariance = self._mean(gray * maps) - mean_gray * mean_maps
        slope = covariance / (tf.maximum(variance, 0.0) + self.epsilon)
        offset = mean_maps - slope * mean_gray
        return self._mean(slope) * gray + self._mean(offset)

    def _mean(self, values: tf.Tensor) -> tf.Tensor:
        """Return the mean over the square around each pixel, cut at the border.

        It is the mean over rows of the means over columns.
        """
        side = 2 * self.radius + 1
        for window in ((side, 1), (1, side)):
            values = tf.nn.avg_pool2d(values, window, strides=1, padding="SAME")
        return values

    def compute_output_shape(self, maps_shape, images_shape) -> tuple:
        """Return the shape of the maps."""
        return tuple(maps_shape)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        own = {"radius": self.radius, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
