"""CIRS with its alignment put back: segments are compared at their poses."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch, as_float
from cirs_tf.errors import DataError
from cirs_tf.layers.spatial_transformer import sample_template, template_coordinates
from cirs_tf.layers.templates import Templates
from cirs_tf.losses.aligned import aligned_error, pose_error
from cirs_tf.losses.cross_entropy import balanced_cross_entropy
from cirs_tf.losses.usage import usage_shortfall
from cirs_tf.methods.schedules import adam, hard_masks, segment_probabilities
from cirs_tf.models.pose_net import POSE_INPUT, pose_net
from cirs_tf.models.unet import unet
from cirs_tf.proposals.components import Proposals, propose
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.training.strategy import batch_mean


class CirsAligned:
    """Image -> S -> K masked images -> K - 1 poses -> templates laid there -> error.

    Thesis 4.2 compares aligned pixels of matched segments; 5 gives up the alignment for
    a learned g, and 7 shows how g overfits. Here the representation of a segment is its
    pose, so that nothing but place and turn can differ between images; pixels are
    compared with a learned template, the mean of the aligned segments. It is also AIR
    (thesis 10) whose autoencoders have a pose for a bottleneck.

    Segment 0 is a static background. The start is taken from the unlabelled images:
    see `proposals.components`.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.options = options = config.cirs_aligned
        self.seed, self.size = config.seed, (height, width)
        self.batch_size = config.training.batch_size
        self.objects = config.segments - 1
        self.canvas = 2 * round(options.canvas * min(height, width) / 2)
        count = config.segments + 1
        self.segmenter = unet(config.segmenter, config.segments, count * config.seed)
        self.templates = _templates(height, width, self.canvas, self.objects)
        self.pose_nets = [
            pose_net(count * config.seed + 1 + number, f"pose_{number}")
            for number in range(self.objects)
        ]
        self.networks = {
            "segmenter": self.segmenter,
            "templates": self.templates,
            **{net.name: net for net in self.pose_nets},
        }
        variables = sum((net.trainable_variables for net in self.networks.values()), [])
        rate = keras.optimizers.schedules.CosineDecay(
            config.training.learning_rate, options.decay_steps, alpha=0.05
        )
        self.optimizer = adam(variables, rate)
        terms = ("loss", "error", "assignment", "pose", "shortfall")
        self.phases = [Phase("joint", self._train, terms, variables, self.optimizer)]

    def start_from(self, images: np.ndarray) -> str:
        """Take background, templates and a first segmenter from unlabelled images.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            A line for the log.

        Raises:
            DataError: Nothing stands out from a static background.
        """
        options = self.options
        shown = images[: options.start_images]
        try:
            found = propose(
                shown, self.objects, self.canvas, options.difference, self.seed
            )
        except ValueError as error:
            raise DataError(f"cirs_aligned: {error}") from None
        self._assign(found)
        self._learn_labels(shown, found.labels)
        self._learn_poses(shown)
        used = ", ".join(map(str, found.used))
        return f"start        parts of each object in {len(shown):,} images: {used}"

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the error against the templates in inference mode, `[batch]`."""
        probabilities = segment_probabilities(self.segmenter, batch["image"], False)
        masks = hard_masks(probabilities)
        images = tf.cast(batch["image"], masks.dtype)
        poses = self._poses(images, masks, training=False)
        error = _chosen(masks, self._errors(images, poses))
        return {"loss": error, "error": error}

    def _assign(self, found: Proposals) -> None:
        colours, supports = [], []
        for exemplar in found.exemplars:
            mean = exemplar.colours[exemplar.support].mean(axis=0)
            colours.append(
                np.where(exemplar.support[..., None], exemplar.colours, mean)
            )
            supports.append(exemplar.support)
        holder = self.templates.get_layer("templates")
        holder.assign(found.background, np.stack(colours), np.stack(supports))

    def _learn_labels(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Train S on the parts that were found, every segment weighing the same."""
        counts = np.bincount(labels.ravel(), minlength=256)[: self.objects + 1]
        weights = tf.constant(1 / np.maximum(counts, 1), tf.float32)
        weights /= tf.reduce_mean(weights)

        def loss(batch: tf.Tensor, targets: tf.Tensor, _) -> tf.Tensor:
            logits = self.segmenter(batch, training=True)
            return balanced_cross_entropy(logits, targets, weights)

        steps = self.options.start_steps
        self._learn(loss, self.segmenter.trainable_variables, images, labels, steps)

    def _learn_poses(self, images: np.ndarray) -> None:
        """Train the pose networks where poses are known, before templates blur."""

        def loss(batch: tf.Tensor, _, step: tf.Tensor) -> tf.Tensor:
            seeds = self._seeds(-1 - step)
            errors = []
            for number in range(self.objects):
                made, mask, true = self._imagined(number, batch, seeds[number])
                found = self._pose(number, made, mask, training=True)
                errors.append(tf.reduce_mean(pose_error(found, true, self.canvas)))
            return tf.add_n(errors)

        variables = sum((net.trainable_variables for net in self.pose_nets), [])
        labels = np.zeros((len(images), 1), np.uint8)
        steps = self.options.start_pose_steps
        self._learn(loss, variables, images, labels, steps)

    def _learn(self, loss, variables: list, images, labels, steps: int) -> None:
        """Minimise `loss(images, labels, step)` over mini-batches, on every replica."""
        if not steps:
            return
        optimizer = adam(variables, self.options.start_learning_rate)
        strategy = tf.distribute.get_strategy()

        def update(batch: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                # All replicas see the same batch.
                value = loss(batch, targets, step) / strategy.num_replicas_in_sync
            gradients = tape.gradient(value, [one.value for one in variables])
            optimizer.apply(gradients, variables)

        @tf.function
        def run(batch: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> None:
            strategy.run(update, args=(batch, targets, step))

        rng = np.random.default_rng(self.seed)
        for step in range(steps):
            rows = rng.integers(0, len(images), min(self.batch_size, len(images)))
            run(as_float(images[rows]), tf.constant(labels[rows]), tf.constant(step))

    def _train(self, batch: Batch) -> Terms:
        options = self.options
        probabilities = segment_probabilities(self.segmenter, batch["image"], True)
        masks = hard_masks(probabilities)
        images = tf.cast(batch["image"], masks.dtype)
        if options.pose_weight:
            poses, pose = self._poses_and_error(images, masks)
        else:
            poses, pose = (
                self._poses(images, masks, training=True),
                tf.zeros([1], masks.dtype),
            )
        errors = self._errors(images, poses)
        error = _chosen(masks, errors)
        fit = _cross_entropy_with_least(probabilities, errors)
        shortfall = usage_shortfall(probabilities, options.usage_floor, batch_mean)
        loss = batch_mean(error) + options.usage_weight * shortfall
        loss += options.assignment_weight * batch_mean(fit)
        if options.pose_weight:
            loss += options.pose_weight * batch_mean(pose)
        return {
            "loss": loss,
            "error": error,
            "assignment": fit,
            "pose": pose,
            "shortfall": shortfall,
        }

    def _poses(self, images: tf.Tensor, masks: tf.Tensor, training: bool) -> list:
        return [
            self._pose(number, images, masks[:, number + 1], training)
            for number in range(self.objects)
        ]

    def _poses_and_error(self, images: tf.Tensor, masks: tf.Tensor):
        """Return each segment's poses, and `[batch]`, how well imagined ones are found.

        Both go through a pose network together, so that batch normalisation sees both.
        """
        seeds = self._seeds(tf.cast(self.optimizer.iterations.value, tf.int32))
        poses, errors = [], []
        for number in range(self.objects):
            made, made_mask, true = self._imagined(number, images, seeds[number])
            # The mask learns from the error alone, not from where its middle lies.
            mask = tf.stop_gradient(masks[:, number + 1])
            both = self._pose(
                number,
                tf.concat([images, made], axis=0),
                tf.concat([mask, made_mask], axis=0),
                training=True,
            )
            pose, imagined = tf.split(both, 2)
            poses.append(pose)
            errors.append(pose_error(imagined, true, self.canvas))
        return poses, tf.add_n(errors) / self.objects

    def _errors(self, images: tf.Tensor, poses: list) -> tf.Tensor:
        """Return `[batch, K, height, width]`: what each pixel costs each segment."""
        background, colours, support = self.templates(tf.zeros([1]))
        shown = [tf.broadcast_to(background, tf.shape(images))]
        supports = [tf.ones_like(images[..., 0])]
        for number, pose in enumerate(poses):
            laid = self._laid(colours[number], support[number], pose)
            shown.append(laid[..., :3])
            supports.append(laid[..., 3])
        return aligned_error(
            images,
            tf.stack(shown, axis=1),
            tf.stack(supports, axis=1),
            self.options.outside,
        )

    def _laid(self, colours: tf.Tensor, support: tf.Tensor, pose: tf.Tensor):
        """Return `[batch, height, width, 4]`: a template and its support at poses."""
        coordinates = template_coordinates(pose, *self.size, self.canvas)
        template = tf.concat([colours, support[..., None]], axis=-1)
        return sample_template(template, coordinates)

    def _pose(self, number: int, images, mask, training: bool) -> tf.Tensor:
        """Return `[batch, 4]`: the mask's middle, corrected, and the turn."""
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

    def _imagined(self, number: int, images: tf.Tensor, seed: tf.Tensor):
        """Lay a template at random poses, in part hidden, for the pose to be learned.

        Returns:
            As many images as there are, their masks, and the poses to be found.
        """
        _, colours, support = self.templates(tf.zeros([1]))
        height, width = self.size
        drawn = tf.random.stateless_uniform([tf.shape(images)[0], 5], seed)
        drawn = tf.cast(drawn, images.dtype)
        angle = 2 * np.pi * drawn[:, 2]
        x, y = drawn[:, 0] * (width - 1), drawn[:, 1] * (height - 1)
        pose = tf.stack([x, y, tf.cos(angle), tf.sin(angle)], axis=1)
        laid = tf.stop_gradient(self._laid(colours[number], support[number], pose))
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

    def _seeds(self, step: tf.Tensor) -> tf.Tensor:
        """Return a seed for each object, other ones at each step and replica."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.random.experimental.stateless_fold_in(
            tf.stack([self.seed, step]), tf.cast(replica, tf.int32)
        )
        return tf.random.experimental.stateless_split(seed, self.objects)


def _chosen(masks: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
    """Return `[batch]`, the mean over pixels of what the chosen segments cost."""
    return tf.reduce_mean(tf.reduce_sum(masks[..., 0] * errors, axis=1), axis=[1, 2])


def _cross_entropy_with_least(probabilities: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
    """Return `[batch]`: how far S is from the segment that costs each pixel least.

    Near borders segments cost nearly the same, and errors alone pull hardly there.
    """
    least = tf.argmin(errors, axis=1)  # (B, H, W)
    of_least = tf.gather(probabilities, least, axis=-1, batch_dims=3)
    return tf.reduce_mean(-tf.math.log(of_least + 1e-6), axis=[1, 2])


def _templates(height: int, width: int, canvas: int, objects: int) -> keras.Model:
    """Wrap the layer in a model, as networks are."""
    anything = keras.Input((), name="anything")
    layer = Templates(height, width, canvas, objects, name="templates")
    return keras.Model(anything, layer(anything), name="templates")
