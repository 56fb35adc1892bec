"""Templates, and the networks that find where each of them lies in an image."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.spatial_transformer import sample_template, template_coordinates
from cirs_tf.layers.templates import Templates
from cirs_tf.models.pose_net import POSE_INPUT, pose_net


class PosedTemplates:
    """A static background, K - 1 templates, and a pose network for each of these.

    A pose is `[batch, 4]` float: x and y of the template's center in pixels of the
    image, cosine and sine of its turn (of any length but 0).

    Attributes:
        networks: `templates` and `pose_0` to `pose_{K - 2}`.
        canvas: Height and width of a template in pixels.
        objects: K - 1.

    Args:
        size: Height and width of the images in pixels.
        canvas: Side of a template, as a share of the image's shorter side.
        objects: K - 1.
        seeds: One for the weights of each pose network.
    """

    def __init__(
        self, size: tuple[int, int], canvas: float, objects: int, seeds: range
    ):
        self.size, self.objects = size, objects
        self.canvas = 2 * round(canvas * min(size) / 2)
        # In a model, as networks are; it is called with anything.
        anything = keras.Input((), name="anything")
        self.layer = Templates(*size, self.canvas, objects, name="templates")
        self._templates = keras.Model(anything, self.layer(anything), name="templates")
        self.pose_nets = [
            pose_net(seed, f"pose_{number}")
            for number, seed in zip(range(objects), seeds, strict=True)
        ]
        networks = (self._templates, *self.pose_nets)
        self.networks = {network.name: network for network in networks}

    def background(self) -> tf.Tensor:
        """Return `[height, width, 3]`."""
        return self._templates(tf.zeros([1]))[0]

    def lay(
        self, number: int, pose: tf.Tensor, learned: tf.Tensor | bool = True
    ) -> tf.Tensor:
        """Lay a template at poses.

        Args:
            number: Of the template, from 0.
            pose: `[batch, 4]`.
            learned: Whether the template learns from what follows, or the poses alone.

        Returns:
            `[batch, height, width, 4]`: colors and support.
        """
        _, colors, support = self._templates(tf.zeros([1]))
        template = tf.concat([colors[number], support[number, ..., None]], axis=-1)
        template = tf.where(learned, template, tf.stop_gradient(template))
        coordinates = template_coordinates(pose, *self.size, self.canvas)
        return sample_template(template, coordinates)

    def on_white(self) -> np.ndarray:
        """Return `[K - 1, canvas, canvas, 3]` uint8: the templates as pictures."""
        _, colors, support = (one.numpy() for one in self._templates(tf.zeros([1])))
        shown = 1 - support[..., None] * (1 - colors)
        return np.uint8(255 * np.clip(shown, 0, 1) + 0.5)

    def find(
        self, number: int, images: tf.Tensor, mask: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Find a template's poses: the mask's middle, corrected, and the turn.

        Args:
            number: Of the template, from 0.
            images: `[batch, height, width, 3]`.
            mask: `[batch, height, width, 1]`, 1 where the object is.
            training: Whether batch normalization goes by this batch.

        Returns:
            `[batch, 4]`.
        """
        height, width = self.size
        rows = tf.range(height, dtype=mask.dtype)[None, :, None, None]
        columns = tf.range(width, dtype=mask.dtype)[None, None, :, None]
        total = tf.reduce_sum(mask, axis=[1, 2, 3]) + 1e-3
        x = tf.reduce_sum(mask * columns, axis=[1, 2, 3]) / total
        y = tf.reduce_sum(mask * rows, axis=[1, 2, 3]) / total
        # A canvas around the middle, as the template will lie.
        half = (self.canvas - 1) / 2
        boxes = tf.stack(
            [
                (y - half) / (height - 1),
                (x - half) / (width - 1),
                (y + half) / (height - 1),
                (x + half) / (width - 1),
            ],
            axis=1,
        )
        seen = tf.image.crop_and_resize(
            tf.cast(tf.concat([images * mask, mask], axis=-1), tf.float32),
            tf.cast(boxes, tf.float32),
            tf.range(tf.shape(images)[0]),
            [POSE_INPUT, POSE_INPUT],
        )
        found = self.pose_nets[number](tf.cast(seen, mask.dtype), training=training)
        x += found[:, 0] * self.canvas / 4
        y += found[:, 1] * self.canvas / 4
        return tf.stack([x, y, found[:, 2], found[:, 3]], axis=1)

    def imagine(self, number: int, like: tf.Tensor, seed: tf.Tensor):
        """Lay a template at random poses, in part hidden, for the pose to be learned.

        Args:
            number: Of the template, from 0.
            like: `[batch, height, width, 3]`: so many images of this dtype.
            seed: `[2]` int32.

        Returns:
            Images, their masks `[batch, height, width, 1]`, and the poses to be found.
            No gradient goes back from them.
        """
        height, width = self.size
        drawn = tf.random.stateless_uniform([tf.shape(like)[0], 5], seed)
        drawn = tf.cast(drawn, like.dtype)
        angle = 2 * np.pi * drawn[:, 2]
        x, y = drawn[:, 0] * (width - 1), drawn[:, 1] * (height - 1)
        pose = tf.stack([x, y, tf.cos(angle), tf.sin(angle)], axis=1)
        laid = tf.stop_gradient(self.lay(number, pose))
        mask = tf.cast(laid[..., 3:] > 0.5, laid.dtype)
        # Hidden beyond a line at up to half a canvas from the middle, in any direction.
        direction = 2 * np.pi * drawn[:, 3]
        columns = tf.range(width, dtype=mask.dtype)[None, None] - x[:, None, None]
        rows = tf.range(height, dtype=mask.dtype)[None, :, None] - y[:, None, None]
        across = columns * tf.cos(direction)[:, None, None]
        across += rows * tf.sin(direction)[:, None, None]
        limit = (drawn[:, 4] * self.canvas / 2)[:, None, None]
        mask *= tf.cast(across < limit, mask.dtype)[..., None]
        return laid[..., :3], mask, pose
