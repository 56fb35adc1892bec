"""CIRS with its alignment put back: segments are compared at their poses."""

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import Batch, as_float
from cirs_tf.layers.segment_masks import SegmentMasks
from cirs_tf.losses.aligned import aligned_error, outline_error
from cirs_tf.losses.cross_entropy import label_cross_entropy
from cirs_tf.losses.min_usage import min_usage_penalty
from cirs_tf.losses.pseudo_labels import pseudo_labels
from cirs_tf.losses.reconstruction import chosen_error
from cirs_tf.methods.cirs_aligned_config import CirsAlignedConfig
from cirs_tf.methods.known_poses import KnownPoses
from cirs_tf.methods.segmenter_pretraining import (
    SegmenterPretraining,
    exported_labels,
)
from cirs_tf.methods.template_proposals import propose_templates, template_pictures
from cirs_tf.models.posed_templates import PosedTemplates
from cirs_tf.models.surroundings import surroundings
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import (
    PSEUDO_LABELS,
    Initialization,
    Phase,
    Terms,
)
from cirs_tf.training.strategy import batch_mean


class CirsAligned:
    """Image -> S -> K masked images -> K - 1 poses -> rendered templates -> error.

    Thesis 4.2 compares aligned pixels of matched segments; 5 gives up the alignment for
    a learned g, and 7 shows how g overfits. Here the representation of a segment is its
    pose, so that nothing but place and turn can differ between images; pixels are
    compared with a learned template, the mean of the aligned segments. It is also AIR
    (thesis 10) whose autoencoders have a pose for a bottleneck.

    Segment 0 is the background, static or what S sees around. Templates and
    pseudo-labels are initialized from the unlabeled images (see
    `proposals.object_proposals`) or from another segmenter's segments.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    config_class = CirsAlignedConfig
    needs_masks = False
    initialized_by = ("pretraining.", "background.")

    def __init__(self, config: CirsAlignedConfig, height: int, width: int):
        self.config, self.options = config, config.cirs_aligned
        self.num_objects = config.segments - 1
        self.segmenter = self.build_segmenter(config)
        self.templates = PosedTemplates(
            (height, width),
            self.options.canvas,
            self.num_objects,
            (config.segments + 1) * config.seed + 1,
            self.options.xla,
        )
        self._compiled_errors = tf.function(
            self._rendered_errors, jit_compile=self.options.xla, autograph=False
        )
        self.networks = {"segmenter": self.segmenter, **self.templates.networks}
        self._known_poses = KnownPoses(self.templates, config.seed)
        self._segment_masks = SegmentMasks()
        self._labels = SegmenterPretraining(
            self.segmenter, config.segments, config.pretraining
        )
        self.pretraining = list(self._labels.phases)
        if self.options.pose_pretraining_steps:
            self.pretraining.append(
                self._known_poses.pretraining_phase(
                    self.options.pose_pretraining_steps, config.pretraining
                )
            )
        variables = sum((net.trainable_variables for net in self.networks.values()), [])
        if self.options.background == "surroundings":
            unused = self.templates.layer.background
            variables = [variable for variable in variables if variable is not unused]
        self.optimizer = adam(variables, learning_rate_schedule(config.training))
        terms = (
            "loss",
            "error",
            "pseudo_label_loss",
            "outline",
            "pose",
            "min_usage_penalty",
        )
        self.phases = [Phase("joint", self._train, terms, variables, self.optimizer)]

    @staticmethod
    def build_segmenter(config: CirsAlignedConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        seed = (config.segments + 1) * config.seed
        return unet(config.segmenter, config.segments, seed)

    def initialize(self, images: np.ndarray) -> Initialization:
        """Find background, templates and pseudo-labels in unlabeled images.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            `background`, `template_colors`, `template_support`, as `Templates.assign`
            takes them, `pseudo_labels` and `summary`.

        Raises:
            DataError: Too little differs from a static background, or there is no
                segmenter to take segments from.
        """
        config = self.config
        images = images[: config.pretraining.images]
        labels = None
        if config.pretraining.pseudo_labels == "segmenter":
            labels = exported_labels(images, config.segments, config.pretraining)
        return propose_templates(
            images,
            self.num_objects,
            self.templates.canvas,
            config.background.threshold,
            config.seed,
            labels,
        )

    def assign(self, initialization: Initialization) -> None:
        """Set background and templates; weigh segments by the pseudo-labels.

        Args:
            initialization: From `initialize`.
        """
        self.templates.layer.assign(
            initialization["background"],
            initialization["template_colors"],
            initialization["template_support"],
        )
        self._labels.assign(initialization[PSEUDO_LABELS])

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the terms without rendered images, in inference mode, `[batch]`."""
        probabilities = tf.nn.softmax(self.segmenter(batch["image"], training=False))
        masks = self._segment_masks(probabilities)
        images = tf.cast(batch["image"], masks.dtype)
        poses = self.templates.estimate_poses(images, masks, training=False)
        errors, support = self._errors(images, masks, poses)
        error = chosen_error(masks, errors)
        labels = pseudo_labels(images, errors)
        label_loss = label_cross_entropy(probabilities, labels)
        outline = outline_error(support, labels)
        loss = error + self.options.pseudo_label_weight * label_loss
        loss += self.options.outline_weight * outline
        return {
            "loss": loss,
            "error": error,
            "pseudo_label_loss": label_loss,
            "outline": outline,
        }

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw the templates, and where each is estimated to lie.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        probabilities = tf.nn.softmax(self.segmenter(as_float(images), training=False))
        masks = self._segment_masks(probabilities)
        background = self._background(as_float(images), masks)
        return template_pictures(self.templates, images, masks, background)

    def estimate_poses(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Estimate where the templates are.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            Poses `[images, K - 1, 4]`, see `PosedTemplates`, and the share of pixels of
            each segment, the background first, `[images, K]` in [0, 1], both float32.
        """
        batch = as_float(images)
        masks = self._segment_masks(
            tf.nn.softmax(self.segmenter(batch, training=False))
        )
        poses = self.templates.estimate_poses(batch, masks, training=False)
        shares = tf.reduce_mean(masks, axis=[2, 3, 4])
        return poses.numpy(), shares.numpy()

    def _train(self, batch: Batch) -> Terms:
        options = self.options
        probabilities = tf.nn.softmax(self.segmenter(batch["image"], training=True))
        masks = self._segment_masks(probabilities)  # (B, K, H, W, 1)
        images = tf.cast(batch["image"], masks.dtype)
        if options.pose_weight:
            step = self.optimizer.iterations.value
            poses, pose = self._known_poses.poses_and_error(images, masks, step)
        else:
            poses = self.templates.estimate_poses(images, masks, training=True)
            pose = tf.zeros([1], masks.dtype)
        errors, support = self._errors(images, masks, poses)
        error = chosen_error(masks, errors)
        labels = pseudo_labels(images, errors)
        label_loss = label_cross_entropy(probabilities, labels)
        penalty = min_usage_penalty(probabilities, options.usage_floor, batch_mean)
        outline = outline_error(support, labels)
        loss = batch_mean(error) + options.usage_weight * penalty
        loss += options.pseudo_label_weight * batch_mean(label_loss)
        loss += options.outline_weight * batch_mean(outline)
        if options.pose_weight:
            loss += options.pose_weight * batch_mean(pose)
        return {
            "loss": loss,
            "error": error,
            "pseudo_label_loss": label_loss,
            "outline": outline,
            "pose": pose,
            "min_usage_penalty": penalty,
        }

    def _errors(
        self, images: tf.Tensor, masks: tf.Tensor, poses: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the errors of all pixels in all segments, and supports.

        Both `[batch, K, height, width]`.
        """
        learned = self.optimizer.iterations.value >= self.options.template_freeze_steps
        templates = self.templates.stored(learned)
        background = self._background(images, masks)
        return self._compiled_errors(images, templates, poses, background)

    def _rendered_errors(
        self,
        images: tf.Tensor,
        templates: tf.Tensor,
        poses: tf.Tensor,
        background: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        colors, support = self.templates.render_segments(templates, poses, background)
        errors = aligned_error(
            images,
            colors,
            support,
            self.options.out_of_support_cost,
            self.options.occlusion_penalty,
        )
        return errors, support

    def _background(self, images: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
        """Return the background behind images, of their shape or of one image's."""
        if self.options.background == "surroundings":
            return surroundings(images, masks[:, 0])
        return self.templates.background()
