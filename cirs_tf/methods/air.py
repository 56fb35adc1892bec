"""AIR: a segmenter whose segments can each be rebuilt through a bottleneck."""

import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.losses.kl_divergence import standard_normal_kl
from cirs_tf.losses.min_usage import usage_shortfall
from cirs_tf.losses.reconstruction import combined_error, per_segment_error
from cirs_tf.methods.schedules import (
    hard_masks,
    learning_rate_schedule,
    masked_images,
    segment_probabilities,
    two_network_phases,
)
from cirs_tf.models.segment_autoencoders import (
    segment_autoencoders,
    variational_autoencoders,
)
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms
from cirs_tf.training.strategy import batch_mean

_ERRORS = {"combined": combined_error, "per_segment": per_segment_error}


class Air:
    """Image -> S -> K masked images -> K autoencoders -> re-masked -> sum -> error.

    With `air.variational` the codes between are drawn from Gaussians, whose divergence
    from the standard normal is a part of the loss.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 10 (Figure 11); 11 for the variational bottleneck.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.options = config.air
        self.kl_weight = self.options.kl_weight / (3 * height * width)
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        variational = self.options.variational
        build = variational_autoencoders if variational else segment_autoencoders
        self.autoencoders = build(
            self.options, height, width, config.segments, 2 * config.seed + 1
        )
        self.networks = {
            "segmenter": self.segmenter,
            "autoencoders": self.autoencoders,
        }
        self.phases = two_network_phases(
            loss=lambda batch: self._terms(batch, training=True),
            terms=("loss", "error", "shortfall", *(["kl"] if variational else [])),
            variables={k: net.trainable_variables for k, net in self.networks.items()},
            schedule=self.options.schedule,
            steps=(self.options.segmenter_steps, self.options.autoencoder_steps),
            rate=learning_rate_schedule(config.training),
        )

    def validation_terms(self, batch: Batch) -> Terms:
        """Return all terms and their weighted sum in inference mode."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        images = batch["image"]  # (B, H, W, 3)
        probabilities = segment_probabilities(self.segmenter, images, training)
        masks = hard_masks(probabilities)  # (B, K, H, W, 1)
        masked = masked_images(images, masks)  # (B, K, H, W, 3)
        rebuilt = self.autoencoders(masked, training=training)
        variational = self.options.variational
        reconstructions, *gaussian = rebuilt if variational else (rebuilt,)
        if not self.options.remask_gradient:
            masks = tf.stop_gradient(masks)
        images = tf.cast(images, masks.dtype)
        error = _ERRORS[self.options.error](images, reconstructions, masks)  # (B,)
        floor = self.options.usage_floor
        shortfall = usage_shortfall(probabilities, floor, batch_mean)
        # Both are statistics of the global batch: see `scale_loss`.
        loss = batch_mean(error) + self.options.usage_weight * shortfall
        terms = {"loss": loss, "error": error, "shortfall": shortfall}
        if gaussian:
            terms["kl"] = standard_normal_kl(*gaussian)  # (B,)
            terms["loss"] += self.kl_weight * batch_mean(terms["kl"])
        return terms
