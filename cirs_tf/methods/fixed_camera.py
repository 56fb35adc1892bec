"""What moves before a fixed camera: S learns from differences to the background."""

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from skimage.filters import threshold_li

from cirs_tf.data.image_split import Batch, as_float
from cirs_tf.errors import DataError
from cirs_tf.layers.background_difference import BackgroundDifference
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.cross_entropy import segmentation_cross_entropy
from cirs_tf.methods.fixed_camera_config import FixedCameraConfig
from cirs_tf.methods.segmenter_pretraining import data_errors
from cirs_tf.models.mask_segmenter import mask_segmenter
from cirs_tf.models.unet import unet
from cirs_tf.proposals.backgrounds import median_background
from cirs_tf.proposals.evenly_spaced import evenly_spaced
from cirs_tf.proposals.moving_parts import (
    NUM_FEATURES,
    kind_centers,
    kinds_of_parts,
    part_features,
)
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import SUMMARY, Initialization, Phase, Terms
from cirs_tf.visualization import colorize, image_grid

_MEASURED_IMAGES = 60  # whose differences say what the threshold is
_MEASURED_PIXELS = 1_000_000


class FixedCamera:
    """Frame -> S -> cross-entropy with what differs from the median of all frames.

    Segment 1 is what moves, of any size and number; 0 the background. With more
    segments, what moves is sorted by color and size, small kinds first.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: docs/methods/fixed_camera.md.
    """

    config_class = FixedCameraConfig
    needs_masks = False
    initialized_by = (
        "segments",
        *(f"fixed_camera.{key}" for key in ("images", "threshold", "cleaning")),
    )

    def __init__(self, config: FixedCameraConfig, height: int, width: int):
        self.config, self.options = config, config.fixed_camera
        self.difference = BackgroundDifference(
            height, width, self.options.cleaning, name="difference"
        )
        self.signed: BackgroundDifference | None = None
        masks = mask_segmenter(self.difference)
        self.pretraining = []
        self.phases = []
        if self.options.segmenter == "difference":
            self.segmenter = masks
            self.networks = {"segmenter": self.segmenter}
            return
        if self.options.segmenter == "frame":
            self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        else:
            self.signed = BackgroundDifference(
                height, width, self.options.cleaning, signed=True, name="signed"
            )
            self.segmenter = _with_background(config, self.signed)
        self.networks = {"segmenter": self.segmenter, "masks": masks}
        # Colors and sizes of what moves, by kind; set by `assign`.
        self._kinds = np.zeros((config.segments - 1, NUM_FEATURES), np.float32)
        variables = self.segmenter.trainable_variables
        self.optimizer = adam(variables, learning_rate_schedule(config.training))
        self.phases = [
            Phase("segmenter", self._train, ("loss",), variables, self.optimizer)
        ]

    def initialize(self, images: np.ndarray) -> Initialization:
        """Take background and threshold from unlabeled frames.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            The arguments of `BackgroundDifference.assign`; with more than 2 segments
            `kinds`, colors and sizes of what moves; and `summary`.

        Raises:
            DataError: No pixel differs from the background, or too few parts move.
        """
        options = self.options
        background = median_background(images, options.images)
        self.difference.assign(background, 1.0)
        threshold, how = options.threshold, "given"
        if threshold is None:
            threshold, how = self._chosen_threshold(images), "Li and Tam 1998"
        summary = (
            f"background: median of {min(options.images, len(images)):,} frames; "
            f"a pixel is in front from a difference of {threshold:.3f} on ({how})"
        )
        found = {"background": background, "threshold": np.float32(threshold)}
        if self.config.segments > 2:
            self.difference.assign(background, float(threshold))
            found["kinds"] = kinds = self._found_kinds(images)
            sides = " ".join(f"{2**size:.0f}" for size in kinds[:, -1])
            summary += f"; kinds of about {sides} pixels a side"
        return {**found, SUMMARY: np.array(summary)}

    def assign(self, initialization: Initialization) -> None:
        """Set background and threshold.

        Args:
            initialization: From `initialize`.
        """
        given = initialization["background"], float(initialization["threshold"])
        self.difference.assign(*given)
        if self.signed is not None:
            self.signed.assign(*given)
        if "kinds" in initialization:
            self._kinds = np.float32(initialization["kinds"])

    def validation_terms(self, batch: Batch) -> Terms:
        """Return `loss`, `[batch]`: S's cross-entropy with the cleaned differences.

        Where S is the difference itself, the share of pixels that cleaning changes.
        """
        images = tf.cast(batch["image"], tf.float32)
        masks = self.difference(images)
        if not self.phases:
            raw = self.difference.difference(images) > self.difference.threshold.value
            changed = tf.cast(raw, tf.float32) != masks
            return {"loss": tf.reduce_mean(tf.cast(changed, tf.float32), [1, 2, 3])}
        logits = self.segmenter(images, training=False)
        labels = self._labels(images, masks)
        return {"loss": segmentation_cross_entropy(logits, labels)}

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw the background beside a few frames and their cleaned differences.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        background = np.uint8(255 * self.difference.background.numpy() + 0.5)
        floats = as_float(images)
        masks = self._labels(floats, self.difference(floats)).numpy()
        rows = {
            "image": images,
            "background": np.repeat(background[None], len(images), axis=0),
            "difference": np.stack([colorize(mask) for mask in masks]),
        }
        return {"difference": image_grid(rows)}

    def _chosen_threshold(self, images: np.ndarray) -> float:
        chosen = evenly_spaced(len(images), _MEASURED_IMAGES)
        each = max(_MEASURED_PIXELS // len(chosen), 1)
        rng = np.random.default_rng(self.config.seed)
        found = []
        for index in chosen:
            values = self.difference.difference(as_float(images[index][None]))
            values = values.numpy().ravel()
            found.append(rng.choice(values, min(each, len(values)), replace=False))
        differences = np.concatenate(found)
        if differences.max() < 1 / 255:
            raise DataError("fixed_camera: no frame differs from the background")
        return float(np.clip(threshold_li(differences), 1 / 255, 254 / 255))

    def _train(self, batch: Batch) -> Terms:
        masks = self.difference(batch["image"])  # of the frames as they are
        seed = replica_seed(self.config.seed, self.optimizer.iterations.value)
        images = _relit(
            batch["image"], self.options.brightness, self.options.color, seed
        )
        logits = self.segmenter(images, training=True)
        labels = self._labels(batch["image"], masks)
        return {"loss": segmentation_cross_entropy(logits, labels)}

    def _labels(self, images: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
        """Return `[batch, height, width]` int32 segments of masks of one channel."""
        if self.config.segments == 2:
            return tf.cast(masks[..., 0], tf.int32)
        # Only S is exported, so that SciPy may find the parts.
        labels = tf.numpy_function(
            lambda *given: kinds_of_parts(*given, self._kinds),
            [images, masks[..., 0]],
            tf.int32,
        )
        return tf.ensure_shape(labels, masks.shape[:-1])

    def _found_kinds(self, images: np.ndarray) -> np.ndarray:
        """Return `[kinds, 4]`, colors and sizes of the parts of evenly spaced frames.

        Raises:
            DataError: Too few parts move.
        """
        features = []
        for index in evenly_spaced(len(images), self.options.images):
            image = as_float(images[index][None])
            mask = self.difference(image).numpy()[0, ..., 0]
            features.append(part_features(image[0].numpy(), mask)[1])
        with data_errors("segments"):
            return kind_centers(
                np.concatenate(features), self.config.segments - 1, self.config.seed
            )


def _relit(
    images: tf.Tensor, brightness: float, color: float, seed: tf.Tensor
) -> tf.Tensor:
    """Return images in another light each, `[batch, height, width, 3]` in [0, 1]."""
    count = tf.shape(images)[0]
    seeds = tf.random.split(seed, 2)
    bright = tf.random.stateless_uniform(
        (count, 1, 1, 1), seeds[0], 1 - brightness, 1 + brightness
    )
    tint = tf.random.stateless_uniform((count, 1, 1, 3), seeds[1], 1 - color, 1 + color)
    return tf.clip_by_value(images * bright * tint, 0.0, 1.0)


def _with_background(
    config: FixedCameraConfig, signed: BackgroundDifference
) -> keras.Model:
    """Return a U-Net that sees the frame and how it differs from the background."""
    images = keras.Input((None, None, 3), name="images")
    network = unet(
        config.segmenter, config.segments, 2 * config.seed, inputs=6, name="network"
    )
    seen = keras.layers.Concatenate()([images, 4.0 * signed(images)])
    return keras.Model(images, network(seen), name="segmenter")
