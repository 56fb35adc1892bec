"""Outlines that recur are objects; S learns from images pasted together from them."""

import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.layers.replica_random import replica_seed
from cirs_tf.losses.cross_entropy import segmentation_cross_entropy
from cirs_tf.methods.schedules import adam, learning_rate_schedule
from cirs_tf.methods.start import data_errors
from cirs_tf.models.compositions import Compositions
from cirs_tf.models.unet import unet
from cirs_tf.proposals.cut_outs import cut_outs
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.visualization import colorize, image_grid

_MAX_PARTS = 20
_FOUND = {
    "pose": "outlines that recur, compared at any turn and size,",
    "place": "outlines that recur, compared as they lie,",
    "kmeans": "no outlines recur; k-means of all of them",
}


class CutAndPaste:
    """Recurring outlines -> cut-outs -> compositions with masks -> S -> cross-entropy.

    Thesis 4.2 compares matched segments across images at aligned pixels. Where colors
    say nothing about the class, what recurs is the outline: parts of images are
    compared by their aligned masks, and the kinds that recur most are the objects. Then
    nothing needs to be guessed in a crowded image: parts are pasted over each other,
    and S learns to tell what it can see of them.

    Segment 0 is one flat color, which may differ from image to image.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: Dwibedi et al. 2017, Cut, Paste and Learn, where cut-outs are given.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.options = options = config.cut_and_paste
        self.seed = config.seed
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.compositions = Compositions(
            (height, width),
            options.canvas,
            config.segments - 1,
            options.members,
            options.overlap,
        )
        self.networks = {
            "segmenter": self.segmenter,
            "cut_outs": self.compositions.network,
        }
        variables = self.segmenter.trainable_variables
        self.optimizer = adam(variables, learning_rate_schedule(config.training))
        self.phases = [
            Phase("segmenter", self._train, ("loss",), variables, self.optimizer)
        ]

    def start_from(self, images: np.ndarray) -> str:
        """Cut recurring parts out of unlabeled images.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            A line for the log.

        Raises:
            DataError: There are fewer parts, or kinds of them, than objects.
        """
        options, compositions = self.options, self.compositions
        shown = images[: options.start_images]
        with data_errors("cut_and_paste"):
            found = cut_outs(
                shown,
                compositions.kinds,
                compositions.canvas,
                options.members,
                options.difference / 4,
                self.seed,
            )
        # The mean of 1 to `max_parts` is the images' own.
        max_parts = min(max(1, round(2 * found.objects_per_image - 1)), _MAX_PARTS)
        quarter_turns = 4 if found.matching == "pose" else 1
        compositions.bank.assign(
            found.patches,
            found.center_bounds,
            found.background_colors,
            max_parts,
            quarter_turns,
        )
        sizes = ", ".join(map(str, found.components_per_class))
        return (
            f"start        {_FOUND[found.matching]} in {len(shown):,} images: {sizes}; "
            f"pasted 1 to {max_parts} an image"
        )

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the error on compositions and S's doubt on the images, `[batch]`.

        As many are composed as the batch has images; the same ones at every epoch.
        """
        images = tf.cast(batch["image"], tf.float32)
        pixels = tf.reduce_sum(tf.cast(tf.round(255 * images), tf.int32))
        seed = tf.stack([self.seed, pixels])
        made, masks = self.compositions.draw(tf.shape(images)[0], seed)
        loss = segmentation_cross_entropy(self.segmenter(made, training=False), masks)
        probabilities = tf.nn.softmax(self.segmenter(images, training=False))
        doubt = tf.reduce_mean(1 - tf.reduce_max(probabilities, axis=-1), axis=[1, 2])
        return {"loss": loss, "doubt": doubt}

    def pictures(self, images: np.ndarray) -> dict[str, Image.Image]:
        """Draw a few compositions with their masks, beside real images.

        Args:
            images: `[images, height, width, 3]` uint8.
        """
        made, masks = self.compositions.draw(len(images), tf.constant([self.seed, 0]))
        rows = {
            "image": images,
            "composition": np.uint8(255 * np.clip(made.numpy(), 0, 1) + 0.5),
            "its mask": np.stack([colorize(mask) for mask in masks.numpy()]),
        }
        return {"compositions": image_grid(rows)}

    def _train(self, batch: Batch) -> Terms:
        seed = replica_seed(self.seed, self.optimizer.iterations.value)
        images, masks = self.compositions.draw(tf.shape(batch["image"])[0], seed)
        logits = self.segmenter(images, training=True)
        return {"loss": segmentation_cross_entropy(logits, masks)}
