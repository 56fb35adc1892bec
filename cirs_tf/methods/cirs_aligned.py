"""CIRS with its alignment put back: segments are compared at their poses."""

import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch, as_float
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.aligned import aligned_error, outline_error, pose_error
from cirs_tf.losses.cross_entropy import label_cross_entropy
from cirs_tf.losses.min_usage import usage_shortfall
from cirs_tf.losses.pseudo_labels import best_labels
from cirs_tf.losses.reconstruction import chosen_error
from cirs_tf.methods.schedules import (
    adam,
    hard_masks,
    learning_rate_schedule,
    segment_probabilities,
)
from cirs_tf.methods.start import data_errors, learn, learn_labels, start_options
from cirs_tf.models.posed_templates import PosedTemplates
from cirs_tf.models.unet import unet
from cirs_tf.proposals.object_proposals import Proposals, propose
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.training.strategy import batch_mean
from cirs_tf.visualization import image_grid


class CirsAligned:
    """Image -> S -> K masked images -> K - 1 poses -> templates laid there -> error.

    Thesis 4.2 compares aligned pixels of matched segments; 5 gives up the alignment for
    a learned g, and 7 shows how g overfits. Here the representation of a segment is its
    pose, so that nothing but place and turn can differ between images; pixels are
    compared with a learned template, the mean of the aligned segments. It is also AIR
    (thesis 10) whose autoencoders have a pose for a bottleneck.

    Segment 0 is a static background. The start is taken from the unlabeled images:
    see `proposals.object_proposals`.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.options = options = config.cirs_aligned
        self.seed = config.seed
        self.start_options = start_options(config)
        self.objects = config.segments - 1
        count = config.segments + 1
        self.segmenter = unet(config.segmenter, config.segments, count * config.seed)
        first = count * config.seed + 1
        self.templates = PosedTemplates(
            (height, width),
            options.canvas,
            self.objects,
            range(first, first + self.objects),
        )
        self.networks = {"segmenter": self.segmenter, **self.templates.networks}
        variables = sum((net.trainable_variables for net in self.networks.values()), [])
        self.optimizer = adam(variables, learning_rate_schedule(config.training))
        terms = ("loss", "error", "assignment", "outline", "pose", "shortfall")
        self.phases = [Phase("joint", self._train, terms, variables, self.optimizer)]

    def start_from(self, images: np.ndarray) -> str:
        """Take background, templates and a first segmenter from unlabeled images.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            A line for the log.

        Raises:
            DataError: Nothing stands out from a static background.
        """
        options = self.options
        shown = images[: options.start_images]
        canvas, difference = self.templates.canvas, options.difference
        with data_errors("cirs_aligned"):
            found = propose(shown, self.objects, canvas, difference, self.seed)
        self._assign(found)
        segments, steps, how = self.objects + 1, options.start_steps, self.start_options
        learn_labels(self.segmenter, shown, found.labels, segments, steps, **how)
        self._learn_poses(shown)
        used = ", ".join(map(str, found.components_per_object))
        return f"start        parts of each object in {len(shown):,} images: {used}"

    def validation_terms(self, batch: Batch) -> Terms:
        """Return what needs no imagined images, in inference mode, `[batch]`."""
        probabilities = segment_probabilities(self.segmenter, batch["image"], False)
        masks = hard_masks(probabilities)
        images = tf.cast(batch["image"], masks.dtype)
        poses = self._poses(images, masks, training=False)
        errors, support = self._errors(images, poses)
        error = chosen_error(masks, errors)
        labels = best_labels(images, errors)
        fit = label_cross_entropy(probabilities, labels)
        outline = outline_error(support, labels)
        loss = error + self.options.assignment_weight * fit
        loss += self.options.outline_weight * outline
        return {"loss": loss, "error": error, "assignment": fit, "outline": outline}

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw the templates, and where each was found.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        batch = as_float(images)
        probabilities = segment_probabilities(self.segmenter, batch, False)
        poses = self._poses(batch, hard_masks(probabilities), training=False)
        shown = tf.broadcast_to(self.templates.background(), tf.shape(batch))
        rows = {"image": images}
        for number, pose in enumerate(poses):
            laid = self.templates.lay(number, pose)
            alone = 1 - laid[..., 3:] * (1 - laid[..., :3])
            rows[f"segment {number + 1}"] = _as_uint8(alone)
            shown += laid[..., 3:] * (laid[..., :3] - shown)
        rows["all laid"] = _as_uint8(shown)
        templates = {"templates": self.templates.on_white()}
        return {
            "poses": image_grid(rows),
            "templates": image_grid(templates, scale=4),
        }

    def _assign(self, found: Proposals) -> None:
        colors, supports = [], []
        for exemplar in found.exemplars:
            mean = exemplar.colors[exemplar.support].mean(axis=0)
            colors.append(np.where(exemplar.support[..., None], exemplar.colors, mean))
            supports.append(exemplar.support)
        self.templates.layer.assign(
            found.background, np.stack(colors), np.stack(supports)
        )

    def _learn_poses(self, images: np.ndarray) -> None:
        """Train the pose networks where poses are known, before templates blur."""

        def loss(batch: tf.Tensor, _, step: tf.Tensor) -> tf.Tensor:
            seeds = self._seeds(-1 - step)
            errors = []
            for number in range(self.objects):
                made, mask, true = self.templates.imagine(number, batch, seeds[number])
                found = self.templates.find(number, made, mask, training=True)
                error = pose_error(found, true, self.templates.canvas)
                errors.append(tf.reduce_mean(error))
            return tf.add_n(errors)

        nets = self.templates.pose_nets
        variables = sum((net.trainable_variables for net in nets), [])
        labels = np.zeros((len(images), 1), np.uint8)
        steps = self.options.start_pose_steps
        learn(loss, variables, images, labels, steps, **self.start_options)

    def _train(self, batch: Batch) -> Terms:
        options = self.options
        probabilities = segment_probabilities(self.segmenter, batch["image"], True)
        masks = hard_masks(probabilities)
        images = tf.cast(batch["image"], masks.dtype)
        if options.pose_weight:
            poses, pose = self._poses_and_error(images, masks)
        else:
            poses = self._poses(images, masks, training=True)
            pose = tf.zeros([1], masks.dtype)
        errors, support = self._errors(images, poses)
        error = chosen_error(masks, errors)
        labels = best_labels(images, errors)
        fit = label_cross_entropy(probabilities, labels)
        shortfall = usage_shortfall(probabilities, options.usage_floor, batch_mean)
        loss = batch_mean(error) + options.usage_weight * shortfall
        loss += options.assignment_weight * batch_mean(fit)
        outline = outline_error(support, labels)
        loss += options.outline_weight * batch_mean(outline)
        if options.pose_weight:
            loss += options.pose_weight * batch_mean(pose)
        return {
            "loss": loss,
            "error": error,
            "assignment": fit,
            "outline": outline,
            "pose": pose,
            "shortfall": shortfall,
        }

    def _poses(self, images: tf.Tensor, masks: tf.Tensor, training: bool) -> list:
        return [
            self.templates.find(number, images, masks[:, number + 1], training)
            for number in range(self.objects)
        ]

    def _poses_and_error(self, images: tf.Tensor, masks: tf.Tensor):
        """Return each segment's poses, and `[batch]`, how well imagined ones are found.

        Both go through a pose network together, so that batch normalization sees both.
        """
        seeds = self._seeds(self.optimizer.iterations.value)
        poses, errors = [], []
        for number in range(self.objects):
            made, made_mask, true = self.templates.imagine(
                number, images, seeds[number]
            )
            # The mask learns from the error alone, not from where its middle lies.
            mask = tf.stop_gradient(masks[:, number + 1])
            both = self.templates.find(
                number,
                tf.concat([images, made], axis=0),
                tf.concat([mask, made_mask], axis=0),
                training=True,
            )
            pose, imagined = tf.split(both, 2)
            poses.append(pose)
            errors.append(pose_error(imagined, true, self.templates.canvas))
        return poses, tf.add_n(errors) / self.objects

    def _errors(self, images: tf.Tensor, poses: list) -> tuple[tf.Tensor, tf.Tensor]:
        """Return what each pixel costs each segment, and their supports there.

        Both `[batch, K, height, width]`.
        """
        background = self.templates.background()
        learned = self.optimizer.iterations.value >= self.options.held_steps
        shown = [tf.broadcast_to(background, tf.shape(images))]
        supports = [tf.ones_like(images[..., 0])]
        for number, pose in enumerate(poses):
            laid = self.templates.lay(number, pose, learned)
            shown.append(laid[..., :3])
            supports.append(laid[..., 3])
        support = tf.stack(supports, axis=1)
        shown = tf.stack(shown, axis=1)
        options = self.options
        errors = aligned_error(images, shown, support, options.outside, options.behind)
        return errors, support

    def _seeds(self, step: tf.Tensor) -> tf.Tensor:
        """Return a seed for each object, other ones at each step and replica."""
        seed = replica_seed(self.seed, step)
        return tf.random.experimental.stateless_split(seed, self.objects)


def _as_uint8(images: tf.Tensor) -> np.ndarray:
    return np.uint8(255 * np.clip(images.numpy(), 0, 1) + 0.5)
