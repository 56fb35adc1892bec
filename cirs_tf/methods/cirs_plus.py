"""CIRS repaired: features that must also rebuild their segments, and a start."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.losses.cross_entropy import label_cross_entropy
from cirs_tf.losses.min_usage import usage_shortfall
from cirs_tf.losses.pseudo_labels import best_labels
from cirs_tf.losses.reconstruction import chosen_error
from cirs_tf.methods.schedules import (
    adam_phase,
    hard_masks,
    learning_rate_schedule,
    masked_images,
    segment_probabilities,
)
from cirs_tf.methods.start import learn_labels, start_labels, start_options
from cirs_tf.models.segment_autoencoders import segment_autoencoders
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms
from cirs_tf.training.strategy import batch_mean


class CirsPlus:
    """Image -> S -> K masked images -> K encoders (g) -> CIRS loss; decoders -> error.

    Thesis 7 shows what is wrong with CIRS alone: g can make its features agree whatever
    the segments are. 7.2 argues for an auxiliary reconstruction: here each segment's
    feature vector, of unit length, must also give back the segment's pixels, so it
    cannot be a mere number of the segment. S follows each segment's own error, at
    borders the colors on either side, and starts from parts of unlabeled images.

    Args:
        config: The run; widths of g and of the decoders are those of `air`, the weights
            within the CIRS loss and the start those of `cirs`.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 5, 7.2 and 10.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.config, self.options = config, config.cirs_plus
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.autoencoders = segment_autoencoders(
            config.air, height, width, config.segments, 2 * config.seed + 1
        )
        code = self.autoencoders.get_layer("code").output
        self._rebuild = keras.Model(
            self.autoencoders.input, (self.autoencoders.output, code)
        )
        self.networks = {
            "segmenter": self.segmenter,
            "autoencoders": self.autoencoders,
        }
        variables = sum((net.trainable_variables for net in self.networks.values()), [])
        self.phases = [
            adam_phase(
                "joint",
                lambda batch: self._terms(batch, training=True),
                variables,
                learning_rate_schedule(config.training),
                ("loss", "error", "within", "between", "assignment", "shortfall"),
            )
        ]

    def start_from(self, images: np.ndarray) -> str:
        """Teach S the segments that unlabeled images suggest.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            A line for the log.

        Raises:
            DataError: Nothing stands out from a static background.
        """
        options = self.config.cirs
        if options.start == "none":
            return "start        none: S begins with random weights"
        shown = images[: self.config.cirs_aligned.start_images]
        learn_labels(
            self.segmenter,
            shown,
            start_labels(self.config, shown),
            self.config.segments,
            options.start_steps,
            **start_options(self.config),
        )
        return f"start        {options.start} of {len(shown):,} images"

    def validation_terms(self, batch: Batch) -> Terms:
        """Return all terms and their weighted sum in inference mode."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        options, cirs = self.options, self.config.cirs
        probabilities = segment_probabilities(self.segmenter, batch["image"], training)
        masks = hard_masks(probabilities)  # (B, K, H, W, 1)
        masked = masked_images(batch["image"], masks)  # (B, K, H, W, 3)
        rebuilt, codes = self._rebuild(masked, training=training)
        images = tf.cast(batch["image"], masks.dtype)
        errors = tf.reduce_mean(tf.square(images[:, None] - rebuilt), axis=-1)
        error = chosen_error(masks, errors)
        features = tf.math.l2_normalize(codes, axis=-1, epsilon=1e-6)  # (B, K, F)
        terms = cirs_loss(features, cirs.alpha_1, cirs.alpha_2, batch_mean)
        fit = label_cross_entropy(probabilities, best_labels(images, errors))
        floor = options.usage_floor
        shortfall = usage_shortfall(probabilities, floor, batch_mean)
        loss = batch_mean(error) + options.cirs_weight * terms.loss
        loss += options.assignment_weight * batch_mean(fit)
        loss += options.usage_weight * shortfall
        return {
            "loss": loss,
            "error": error,
            "within": terms.within,
            "between": terms.between,
            "assignment": fit,
            "shortfall": shortfall,
        }
