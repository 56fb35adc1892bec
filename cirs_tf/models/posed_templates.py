"""Templates, and the networks that estimate the pose of each of them in an image."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.masked_crops import mask_centers, masked_crops
from cirs_tf.layers.spatial_transformer import sample_templates, template_coordinates
from cirs_tf.layers.templates import Templates
from cirs_tf.models.pose_nets import POSE_INPUT, pose_nets


class PosedTemplates:
    """A static background, K - 1 templates, and a pose network for each of these.

    A pose is `[batch, 4]` float: x and y of the template's center in pixels of the
    image, cosine and sine of its turn (of any length but 0).

    Attributes:
        networks: `templates` and `poses`.
        layer: The layer that holds background and templates.
        pose_nets: The pose networks of all objects.
        canvas: Height and width of a template in pixels.
        num_objects: K - 1.

    Args:
        size: Height and width of the images in pixels.
        canvas: Height and width of a template, as a share of the image's shorter side.
        num_objects: K - 1.
        seed: Seed of the weights of the pose networks.
        xla: Whether rendering, and what pose networks see, are compiled with XLA.
    """

    def __init__(
        self,
        size: tuple[int, int],
        canvas: float,
        num_objects: int,
        seed: int,
        xla: bool = False,
    ):
        self.size, self.num_objects = size, num_objects
        self.canvas = 2 * round(canvas * min(size) / 2)
        self.layer = Templates(*size, self.canvas, num_objects, name="templates")
        # In a model, as networks are, for checkpoints; its input is ignored.
        ignored = keras.Input((), name="ignored")
        self._templates = keras.Model(ignored, self.layer(ignored), name="templates")
        self.pose_nets = pose_nets(num_objects, seed)
        self.networks = {"templates": self._templates, "poses": self.pose_nets}
        self._compiled_inputs = tf.function(
            self._pose_inputs, jit_compile=xla, autograph=False
        )
        self._compiled_random = tf.function(
            self._render_at, jit_compile=xla, autograph=False
        )

    def background(self) -> tf.Tensor:
        """Return `[height, width, 3]`."""
        return self._stored()[0]

    def stored(self, learned: tf.Tensor | bool = True) -> tf.Tensor:
        """Return all templates.

        Args:
            learned: Whether gradients reach them.

        Returns:
            `[K - 1, canvas, canvas, 4]`: colors and support.
        """
        _, colors, support = self._stored()
        templates = tf.concat([colors, support[..., None]], axis=-1)
        return tf.where(learned, templates, tf.stop_gradient(templates))

    def render(self, templates: tf.Tensor, poses: tf.Tensor) -> tf.Tensor:
        """Render templates at poses.

        Args:
            templates: `[templates, canvas, canvas, 4]`.
            poses: `[batch, templates, 4]`.

        Returns:
            `[batch, templates, height, width, 4]`: colors and support.
        """
        coordinates = template_coordinates(poses, *self.size, self.canvas)
        return sample_templates(templates, coordinates)

    def render_segments(
        self, templates: tf.Tensor, poses: tf.Tensor, background: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Render the background, and every template at its poses.

        Args:
            templates: `[K - 1, canvas, canvas, 4]`.
            poses: `[batch, K - 1, 4]`.
            background: `[height, width, 3]`, or one for each image.

        Returns:
            Colors `[batch, K, height, width, 3]` and supports
            `[batch, K, height, width]`, the background's first.
        """
        rendered = self.render(templates, poses)
        colors, support = rendered[..., :3], rendered[..., 3]
        if background.shape.rank == 4:
            background = background[:, None]
        behind = tf.broadcast_to(background, tf.shape(colors[:, :1]))
        everywhere = tf.ones_like(support[:, :1])
        return (
            tf.concat([behind, colors], axis=1),
            tf.concat([everywhere, support], axis=1),
        )

    def on_white(self) -> np.ndarray:
        """Return `[K - 1, canvas, canvas, 3]` uint8: the templates as pictures."""
        _, colors, support = (stored.numpy() for stored in self._stored())
        pictures = 1 - support[..., None] * (1 - colors)
        return np.uint8(255 * np.clip(pictures, 0, 1) + 0.5)

    def pose_inputs(
        self, images: tf.Tensor, masks: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what poses are estimated from.

        Args:
            images: `[batch, K - 1 or 1, height, width, 3]`; 1: one image for all.
            masks: `[batch, K - 1, height, width, 1]`, 1 where each object is.

        Returns:
            The masks' centers `[batch, K - 1, 2]` in pixels, and a canvas around each,
            as the template will be rendered, of masked image and mask:
            `[batch, K - 1, POSE_INPUT, POSE_INPUT, 4]`.
        """
        return self._compiled_inputs(images, masks)

    def correct_centers(
        self, centers: tf.Tensor, crops: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Estimate poses: the masks' centers, corrected, and the turns.

        Args:
            centers: From `pose_inputs`.
            crops: From `pose_inputs`.
            training: Whether batch normalization uses the statistics of this batch.

        Returns:
            `[batch, K - 1, 4]`.
        """
        correction = self.pose_nets(crops, training=training)
        places = centers + correction[..., :2] * (self.canvas / 4)
        return tf.concat([places, correction[..., 2:]], axis=-1)

    def estimate_poses(
        self, images: tf.Tensor, masks: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Estimate the poses of all templates.

        Args:
            images: `[batch, height, width, 3]`.
            masks: `[batch, K, height, width, 1]`, the background's first.
            training: Whether batch normalization uses the statistics of this batch.

        Returns:
            `[batch, K - 1, 4]`.
        """
        inputs = self.pose_inputs(images[:, None], masks[:, 1:])
        return self.correct_centers(*inputs, training)

    def render_random_poses(
        self, like: tf.Tensor, seeds: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Render all templates at random poses, in part hidden, to learn poses from.

        The center is uniform in the image, so is the turn. The object is hidden beyond
        a line at up to half a canvas from its center, in any direction.

        Args:
            like: `[batch, height, width, 3]` float: gives number and dtype of the
                rendered images.
            seeds: `[K - 1, 2]` int32.

        Returns:
            Images `[batch, K - 1, height, width, 3]`, masks
            `[batch, K - 1, height, width, 1]` and poses `[batch, K - 1, 4]`.

        Gradient: none.
        """
        shape = [tf.shape(like)[0], 5]
        each = [tf.random.stateless_uniform(shape, seed) for seed in tf.unstack(seeds)]
        drawn = tf.cast(tf.stack(each, axis=1), like.dtype)  # (B, K - 1, 5)
        results = self._compiled_random(self.stored(), drawn)
        return tuple(map(tf.stop_gradient, results))

    def _render_at(
        self, templates: tf.Tensor, drawn: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        height, width = self.size
        x, y, turn, direction, limit = tf.unstack(drawn, axis=-1)
        x, y, turn = x * (width - 1), y * (height - 1), 2 * np.pi * turn
        poses = tf.stack([x, y, tf.cos(turn), tf.sin(turn)], axis=-1)
        rendered = self.render(templates, poses)
        mask = tf.cast(rendered[..., 3:] > 0.5, rendered.dtype)
        direction, limit, x, y = (
            value[..., None, None]
            for value in (2 * np.pi * direction, limit * self.canvas / 2, x, y)
        )
        columns = tf.range(width, dtype=mask.dtype) - x
        rows = tf.range(height, dtype=mask.dtype)[:, None] - y
        across = columns * tf.cos(direction) + rows * tf.sin(direction)
        mask *= tf.cast(across < limit, mask.dtype)[..., None]
        return rendered[..., :3], mask, poses

    def _pose_inputs(
        self, images: tf.Tensor, masks: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        masks = masks[..., 0]
        centers = mask_centers(masks)
        crops = masked_crops(images, masks, centers, self.canvas, POSE_INPUT)
        return centers, tf.cast(crops, masks.dtype)

    def _stored(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return self._templates(tf.zeros([1]))
