"""What every segment looks like: a static background, and an image with its outline."""

import keras
import numpy as np
import tensorflow as tf

# Weights hold values / SPEED, so that Adam moves pixels faster than the networks.
SPEED = 10.0
_SURE = 3.0  # logit of a support that is given


@keras.saving.register_keras_serializable("cirs_tf")
class Templates(keras.layers.Layer):
    """A background and K - 1 templates with a soft support each; learned.

    Called with anything; returns what it holds:
    `background` `[height, width, 3]`, `colors` `[K - 1, canvas, canvas, 3]` and
    `support` `[K - 1, canvas, canvas]` in (0, 1).

    Args:
        height: Of the images in pixels.
        width: Of the images in pixels.
        canvas: Height and width of a template in pixels.
        objects: K - 1.
    """

    def __init__(self, height: int, width: int, canvas: int, objects: int, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width
        self.canvas, self.objects = canvas, objects

    def build(self, _) -> None:
        """Create the weights: gray, and of no decided support."""
        gray = keras.initializers.Constant(0.5 / SPEED)
        side = (self.objects, self.canvas, self.canvas)
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

    def assign(
        self, background: np.ndarray, colors: np.ndarray, support: np.ndarray
    ) -> None:
        """Set what is held; `support` is bool."""
        self.background.assign(background / SPEED)
        self.colors.assign(colors / SPEED)
        self.support.assign(np.where(support, _SURE, -_SURE) / SPEED)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        names = ("height", "width", "canvas", "objects")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
