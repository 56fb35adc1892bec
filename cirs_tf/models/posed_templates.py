"""Templates, and the networks that estimate the pose of each of them in an image."""

from collections.abc import Sequence

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
        layer: The layer that holds background and templates.
        pose_nets: The pose networks, by object.
        canvas: Height and width of a template in pixels.
        num_objects: K - 1.

    Args:
        size: Height and width of the images in pixels.
        canvas: Height and width of a template, as a share of the image's shorter side.
        num_objects: K - 1.
        seeds: Seed of the weights of each pose network.
    """

    def __init__(
        self, size: tuple[int, int], canvas: float, num_objects: int, seeds: range
    ):
        self.size, self.num_objects = size, num_objects
        self.canvas = 2 * round(canvas * min(size) / 2)
        self.layer = Templates(*size, self.canvas, num_objects, name="templates")
        # In a model, as networks are, for checkpoints; its input is ignored.
        ignored = keras.Input((), name="ignored")
        self._templates = keras.Model(ignored, self.layer(ignored), name="templates")
        self.pose_nets = [
            pose_net(seed, f"pose_{index}")
            for index, seed in zip(range(num_objects), seeds, strict=True)
        ]
        networks = (self._templates, *self.pose_nets)
        self.networks = {network.name: network for network in networks}

    def background(self) -> tf.Tensor:
        """Return `[height, width, 3]`."""
        return self._stored()[0]

    def render(
        self, index: int, pose: tf.Tensor, learned: tf.Tensor | bool = True
    ) -> tf.Tensor:
        """Render a template at poses.

        Args:
            index: Index of the template, from 0.
            pose: `[batch, 4]`.
            learned: Whether gradients reach the template, or the poses alone.

        Returns:
            `[batch, height, width, 4]`: colors and support.
        """
        _, colors, support = self._stored()
        template = tf.concat([colors[index], support[index, ..., None]], axis=-1)
        template = tf.where(learned, template, tf.stop_gradient(template))
        coordinates = template_coordinates(pose, *self.size, self.canvas)
        return sample_template(template, coordinates)

    def render_segments(
        self,
        poses: Sequence[tf.Tensor],
        learned: tf.Tensor | bool,
        background: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Render the background, and every template at its poses.

        Args:
            poses: `[batch, 4]` for each template.
            learned: Whether gradients reach the templates, or background and poses
                alone.
            background: `[height, width, 3]`, or one for each image.

        Returns:
            Colors `[batch, K, height, width, 3]` and supports
            `[batch, K, height, width]`, the background's first.
        """
        rendered = [
            self.render(index, pose, learned) for index, pose in enumerate(poses)
        ]
        shape = tf.shape(rendered[0][..., :3])
        colors = [tf.broadcast_to(background, shape)]
        supports = [tf.ones_like(rendered[0][..., 3])]
        colors += [template[..., :3] for template in rendered]
        supports += [template[..., 3] for template in rendered]
        return tf.stack(colors, axis=1), tf.stack(supports, axis=1)

    def on_white(self) -> np.ndarray:
        """Return `[K - 1, canvas, canvas, 3]` uint8: the templates as pictures."""
        _, colors, support = (stored.numpy() for stored in self._stored())
        pictures = 1 - support[..., None] * (1 - colors)
        return np.uint8(255 * np.clip(pictures, 0, 1) + 0.5)

    def estimate_pose(
        self, index: int, images: tf.Tensor, mask: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Estimate a template's poses: the mask's center, corrected, and the turn.

        Args:
            index: Index of the template, from 0.
            images: `[batch, height, width, 3]`.
            mask: `[batch, height, width, 1]`, 1 where the object is.
            training: Whether batch normalization uses the statistics of this batch.

        Returns:
            `[batch, 4]`.
        """
        height, width = self.size
        x, y = _center(mask, height, width)
        # A canvas around the center, as the template will be rendered.
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
        crops = tf.image.crop_and_resize(
            tf.cast(tf.concat([images * mask, mask], axis=-1), tf.float32),
            tf.cast(boxes, tf.float32),
            tf.range(tf.shape(images)[0]),
            [POSE_INPUT, POSE_INPUT],
        )
        correction = self.pose_nets[index](
            tf.cast(crops, mask.dtype), training=training
        )
        x += correction[:, 0] * self.canvas / 4
        y += correction[:, 1] * self.canvas / 4
        return tf.stack([x, y, correction[:, 2], correction[:, 3]], axis=1)

    def estimate_poses(
        self, images: tf.Tensor, masks: tf.Tensor, training: bool
    ) -> list[tf.Tensor]:
        """Estimate the poses of all templates.

        Args:
            images: `[batch, height, width, 3]`.
            masks: `[batch, K, height, width, 1]`, the background's first.
            training: Whether batch normalization uses the statistics of this batch.

        Returns:
            K - 1 times `[batch, 4]`.
        """
        return [
            self.estimate_pose(index, images, masks[:, index + 1], training)
            for index in range(self.num_objects)
        ]

    def render_random_pose(
        self, index: int, like: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Render a template at random poses, in part hidden, to learn poses from.

        The center is uniform in the image, so is the turn. The object is hidden beyond
        a line at up to half a canvas from its center, in any direction.

        Args:
            index: Index of the template, from 0.
            like: `[batch, height, width, 3]` float: gives number and dtype of the
                rendered images.
            seed: `[2]` int32.

        Returns:
            Images `[batch, height, width, 3]`, masks `[batch, height, width, 1]` and
            poses `[batch, 4]`.

        Gradient: none.
        """
        height, width = self.size
        drawn = tf.random.stateless_uniform([tf.shape(like)[0], 5], seed)
        drawn = tf.cast(drawn, like.dtype)
        angle = 2 * np.pi * drawn[:, 2]
        x, y = drawn[:, 0] * (width - 1), drawn[:, 1] * (height - 1)
        pose = tf.stack([x, y, tf.cos(angle), tf.sin(angle)], axis=1)
        rendered = tf.stop_gradient(self.render(index, pose))
        mask = tf.cast(rendered[..., 3:] > 0.5, rendered.dtype)
        direction = 2 * np.pi * drawn[:, 3]
        columns = tf.range(width, dtype=mask.dtype)[None, None] - x[:, None, None]
        rows = tf.range(height, dtype=mask.dtype)[None, :, None] - y[:, None, None]
        across = columns * tf.cos(direction)[:, None, None]
        across += rows * tf.sin(direction)[:, None, None]  # (B, H, W)
        limit = (drawn[:, 4] * self.canvas / 2)[:, None, None]
        mask *= tf.cast(across < limit, mask.dtype)[..., None]
        return rendered[..., :3], mask, pose

    def _stored(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return self._templates(tf.zeros([1]))


def _center(mask: tf.Tensor, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return x and y, `[batch]`, of the center of masks `[batch, height, width, 1]`."""
    rows = tf.range(height, dtype=mask.dtype)[None, :, None, None]
    columns = tf.range(width, dtype=mask.dtype)[None, None, :, None]
    total = tf.reduce_sum(mask, axis=[1, 2, 3]) + 1e-3
    x = tf.reduce_sum(mask * columns, axis=[1, 2, 3]) / total
    y = tf.reduce_sum(mask * rows, axis=[1, 2, 3]) / total
    return x, y
