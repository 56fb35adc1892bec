"""Outlines that recur are objects; S learns from images pasted together from them."""

import dataclasses
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.config.sections import BackgroundConfig, Config, SegmenterConfig
from cirs_tf.config.settings import (
    ANY,
    SHARE,
    Section,
    at_least,
    one_of,
    section,
    setting,
)
from cirs_tf.data.image_split import Batch
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.cross_entropy import segmentation_cross_entropy
from cirs_tf.methods.segmenter_pretraining import data_errors
from cirs_tf.models.compositions import Compositions
from cirs_tf.models.unet import unet
from cirs_tf.proposals.cut_outs import cut_outs
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import SUMMARY, Initialization, Phase, Terms
from cirs_tf.visualization import colorize, image_grid

_MAX_PARTS = 20
_COMPARISONS = {
    "pose": "outlines that recur, compared at any turn and size,",
    "place": "outlines that recur, compared as they lie,",
    "kmeans": "no outlines recur; k-means of all of them",
}


@dataclasses.dataclass(frozen=True)
class CutAndPasteSection(Section):
    """Cut-outs of recurring outlines, and images pasted together from them."""

    key: ClassVar[str] = "cut_and_paste"

    canvas: float = setting(
        0.625,
        SHARE,
        "Height and width of a cut-out, as a share of the image's shorter side; larger "
        "parts are not cut out.",
    )
    patches_per_class: int = setting(
        120, at_least(1), "Number of cut-outs of each class."
    )
    overlap: bool = setting(
        True, ANY, "Whether one part may hide another in a composition."
    )
    source_images: int = setting(
        3_000, at_least(2), "Unlabeled training images that are cut from, the first."
    )


@dataclasses.dataclass(frozen=True)
class CutAndPasteConfig(Config):
    """The whole configuration of cut and paste."""

    method: str = setting(
        "cut_and_paste", one_of("cut_and_paste"), "The system to train."
    )
    segmenter: SegmenterConfig = section(SegmenterConfig)
    background: BackgroundConfig = section(BackgroundConfig, threshold=0.005)
    cut_and_paste: CutAndPasteSection = section(CutAndPasteSection)


class CutAndPaste:
    """Recurring outlines -> cut-outs -> compositions with masks -> S -> cross-entropy.

    Thesis 4.2 compares matched segments across images at aligned pixels. Where colors
    say nothing about the class, what recurs is the outline: parts of images are
    compared by their aligned masks, and the outlines that recur most are the objects.
    Then nothing needs to be guessed in a crowded image: parts are pasted over each
    other, and S learns to segment what is visible of them.

    Segment 0 is one flat color, which may differ from image to image.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: Dwibedi et al. 2017, Cut, Paste and Learn, where cut-outs are given.
    """

    config_class = CutAndPasteConfig
    needs_masks = False
    initialized_by = ("segments", "cut_and_paste.", "background.")

    def __init__(self, config: CutAndPasteConfig, height: int, width: int):
        self.config, self.options = config, config.cut_and_paste
        self.segmenter = self.build_segmenter(config)
        self.compositions = Compositions(
            (height, width),
            self.options.canvas,
            config.segments - 1,
            self.options.patches_per_class,
            self.options.overlap,
        )
        self.networks = {
            "segmenter": self.segmenter,
            "cut_outs": self.compositions.network,
        }
        self.pretraining = []
        variables = self.segmenter.trainable_variables
        self.optimizer = adam(variables, learning_rate_schedule(config.training))
        self.phases = [
            Phase("segmenter", self._train, ("loss",), variables, self.optimizer)
        ]

    @staticmethod
    def build_segmenter(config: CutAndPasteConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return unet(config.segmenter, config.segments, 2 * config.seed)

    def initialize(self, images: np.ndarray) -> Initialization:
        """Cut recurring parts out of unlabeled images.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            The arguments of `CutOutBank.assign` by name, and `summary`.

        Raises:
            DataError: There are fewer parts, or outlines, than objects.
        """
        options, compositions = self.options, self.compositions
        images = images[: options.source_images]
        with data_errors("cut_and_paste"):
            cut = cut_outs(
                images,
                compositions.num_objects,
                compositions.canvas,
                options.patches_per_class,
                self.config.background.threshold,
                self.config.seed,
            )
        # The mean of 1 to `max_parts` is the images' own.
        max_parts = min(max(1, round(2 * cut.objects_per_image - 1)), _MAX_PARTS)
        sizes = ", ".join(map(str, cut.components_per_class))
        summary = (
            f"{_COMPARISONS[cut.matching]} in {len(images):,} images: {sizes}; "
            f"pasted 1 to {max_parts} per image"
        )
        return {
            "patches": cut.patches,
            "center_bounds": cut.center_bounds,
            "backgrounds": cut.background_colors,
            "max_parts": np.array(max_parts),
            "quarter_turns": np.array(4 if cut.matching == "pose" else 1),
            SUMMARY: np.array(summary),
        }

    def assign(self, initialization: Initialization) -> None:
        """Fill the bank of cut-outs.

        Args:
            initialization: From `initialize`.
        """
        stored = {k: v for k, v in initialization.items() if k != SUMMARY}
        self.compositions.bank.assign(**stored)

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the loss on compositions and S's uncertainty on images, `[batch]`.

        As many are composed as the batch has images; the same ones at every epoch.
        """
        images = tf.cast(batch["image"], tf.float32)
        pixels = tf.reduce_sum(tf.cast(tf.round(255 * images), tf.int32))
        seed = tf.stack([self.config.seed, pixels])
        composed, masks = self.compositions.draw(tf.shape(images)[0], seed)
        logits = self.segmenter(composed, training=False)
        loss = segmentation_cross_entropy(logits, masks)
        probabilities = tf.nn.softmax(self.segmenter(images, training=False))
        uncertainty = 1 - tf.reduce_max(probabilities, axis=-1)  # (B, H, W)
        return {
            "loss": loss,
            "mean_uncertainty": tf.reduce_mean(uncertainty, axis=[1, 2]),
        }

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw a few compositions with their masks, beside real images.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        seed = tf.constant([self.config.seed, 0])
        composed, masks = self.compositions.draw(len(images), seed)
        rows = {
            "image": images,
            "composition": np.uint8(255 * np.clip(composed.numpy(), 0, 1) + 0.5),
            "its mask": np.stack([colorize(mask) for mask in masks.numpy()]),
        }
        return {"compositions": image_grid(rows)}

    def _train(self, batch: Batch) -> Terms:
        seed = replica_seed(self.config.seed, self.optimizer.iterations.value)
        images, masks = self.compositions.draw(tf.shape(batch["image"])[0], seed)
        logits = self.segmenter(images, training=True)
        return {"loss": segmentation_cross_entropy(logits, masks)}
