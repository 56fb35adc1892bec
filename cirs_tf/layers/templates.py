"""Templates: a learned static background, and an image with its outline per object."""

import keras
import numpy as np
import tensorflow as tf

# Weights hold values / SPEED, so that Adam moves pixels faster than the networks.
SPEED = 10.0
_SURE = 3.0  # logit of a support that is given


@keras.saving.register_keras_serializable("cirs_tf")
class Templates(keras.layers.Layer):
    """Hold a background and K - 1 templates, each with a soft support; learned.

    The input is ignored; returns the stored tensors: `background`
    `[height, width, 3]` and `colors` `[K - 1, canvas, canvas, 3]`, float about [0, 1],
    and `support` `[K - 1, canvas, canvas]` float in (0, 1).

    Args:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        canvas: Height and width of a template in pixels.
        num_objects: K - 1.
    """

    def __init__(
        self, height: int, width: int, canvas: int, num_objects: int, **kwargs
    ):
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self.canvas, self.num_objects = canvas, num_objects

    def build(self, _) -> None:
        """Create the weights: gray, and support of 1/2 everywhere."""
        gray = keras.initializers.Constant(0.5 / SPEED)
        side = (self.num_objects, self.canvas, self.canvas)
        self.background = self.add_weight(
            name="background", shape=(self.height, self.width, 3), initializer=gray
        )
        self.colors = self.add_weight(name="colors", shape=(*side, 3), initializer=gray)
        self.support = self.add_weight(name="support", shape=side, initializer="zeros")

    def call(self, _) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return background, colors, support."""
        return (
            SPEED * self.background.value,
            SPEED * self.colors.value,
            tf.sigmoid(SPEED * self.support.value),
        )

    def compute_output_shape(self, _) -> tuple[tuple, tuple, tuple]:
        """Return the shapes of background, colors, support."""
        side = (self.num_objects, self.canvas, self.canvas)
        return (self.height, self.width, 3), (*side, 3), side

    def assign(
        self, background: np.ndarray, colors: np.ndarray, support: np.ndarray
    ) -> None:
        """Set the stored tensors.

        Args:
            background: `[height, width, 3]` float in [0, 1].
            colors: `[K - 1, canvas, canvas, 3]` float in [0, 1].
            support: `[K - 1, canvas, canvas]` bool.
        """
        self.background.assign(background / SPEED)
        self.colors.assign(colors / SPEED)
        self.support.assign(np.where(support, _SURE, -_SURE) / SPEED)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        names = ("height", "width", "canvas", "num_objects")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
