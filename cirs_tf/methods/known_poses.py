"""Known poses: pose networks learn from templates that are rendered at random poses."""

import tensorflow as tf

from cirs_tf.config.sections import PretrainingConfig
from cirs_tf.data.image_split import Batch
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.aligned import pose_error
from cirs_tf.models.posed_templates import PosedTemplates
from cirs_tf.training.optimizers import adam
from cirs_tf.training.phases import PretrainingPhase, Terms


class KnownPoses:
    """Errors of pose networks on rendered images, whose poses are known.

    Args:
        templates: Templates and pose networks.
        seed: Seed of the random poses.
    """

    def __init__(self, templates: PosedTemplates, seed: int):
        self._templates = templates
        self._seed = seed

    def pretraining_phase(
        self, steps: int, options: PretrainingConfig
    ) -> PretrainingPhase:
        """Return the phase that learns poses before templates can blur.

        Args:
            steps: Mini-batches.
            options: Images, whose number and size are used, and learning rate.
        """
        templates = self._templates
        variables = templates.pose_nets.trainable_variables
        optimizer = adam(variables, options.learning_rate)

        def loss(batch: Batch) -> Terms:
            # Negative: other seeds than those of training.
            seeds = self._seeds(-1 - optimizer.iterations.value)
            like = tf.cast(batch["image"], templates.background().dtype)
            images, masks, true = templates.render_random_poses(like, seeds)
            inputs = templates.pose_inputs(images, masks)
            estimated = templates.correct_centers(*inputs, training=True)
            errors = pose_error(estimated, true, templates.canvas)
            return {"loss": tf.reduce_sum(errors, axis=1)}

        return PretrainingPhase(
            "poses", loss, ("loss",), variables, optimizer, steps, options.images
        )

    def poses_and_error(
        self, images: tf.Tensor, masks: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the poses of all objects, and the error at known poses.

        Both go through the pose networks together: batch normalization sees both.

        Args:
            images: `[batch, height, width, 3]` float in [0, 1].
            masks: `[batch, K, height, width, 1]` float.
            step: Integer scalar that the random poses depend on.

        Returns:
            `[batch, K - 1, 4]`; and `[batch]`, the mean over the objects.
        """
        templates = self._templates
        rendered, rendered_masks, true = templates.render_random_poses(
            images, self._seeds(step)
        )
        # The mask learns from the error alone, not from where its center lies.
        seen = templates.pose_inputs(images[:, None], tf.stop_gradient(masks[:, 1:]))
        known = templates.pose_inputs(rendered, rendered_masks)
        both = [tf.concat(parts, axis=0) for parts in zip(seen, known, strict=True)]
        poses, estimated = tf.split(templates.correct_centers(*both, training=True), 2)
        errors = pose_error(estimated, true, templates.canvas)
        return poses, tf.reduce_mean(errors, axis=1)

    def _seeds(self, step: tf.Tensor) -> tf.Tensor:
        """Return a seed for each object, other ones at each step and replica."""
        seed = replica_seed(self._seed, step)
        return tf.random.experimental.stateless_split(seed, self._templates.num_objects)
