"""AIR: a segmenter whose segments can each be rebuilt through a bottleneck."""

import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.losses.reconstruction import combined_error, per_segment_error
from cirs_tf.losses.usage import usage_shortfall
from cirs_tf.methods.schedules import (
    hard_masks,
    masked_images,
    segment_probabilities,
    two_network_phases,
)
from cirs_tf.models.segment_autoencoders import segment_autoencoders
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms
from cirs_tf.training.strategy import batch_mean

_ERRORS = {"combined": combined_error, "per_segment": per_segment_error}


class Air:
    """Image -> S -> K masked images -> K autoencoders -> re-masked -> sum -> error.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 10 (Figure 11).
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.options = config.air
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.autoencoders = segment_autoencoders(
            self.options, height, width, config.segments, 2 * config.seed + 1
        )
        self.networks = {
            "segmenter": self.segmenter,
            "autoencoders": self.autoencoders,
        }
        self.phases = two_network_phases(
            loss=lambda batch: self._terms(batch, training=True),
            terms=("loss", "error", "shortfall"),
            variables={k: net.trainable_variables for k, net in self.networks.items()},
            schedule=self.options.schedule,
            steps=(self.options.segmenter_steps, self.options.autoencoder_steps),
            learning_rate=config.training.learning_rate,
        )

    def validation_terms(self, batch: Batch) -> Terms:
        """Return error, shortfall and their weighted sum in inference mode."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        images = batch["image"]  # (B, H, W, 3)
        probabilities = segment_probabilities(self.segmenter, images, training)
        masks = hard_masks(probabilities)  # (B, K, H, W, 1)
        masked = masked_images(images, masks)  # (B, K, H, W, 3)
        reconstructions = self.autoencoders(masked, training=training)
        if not self.options.remask_gradient:
            masks = tf.stop_gradient(masks)
        images = tf.cast(images, masks.dtype)
        error = _ERRORS[self.options.error](images, reconstructions, masks)  # (B,)
        floor = self.options.usage_floor
        shortfall = usage_shortfall(probabilities, floor, batch_mean)
        # Both are statistics of the global batch: see `scale_loss`.
        loss = batch_mean(error) + self.options.usage_weight * shortfall
        return {"loss": loss, "error": error, "shortfall": shortfall}
