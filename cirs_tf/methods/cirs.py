"""CIRS: a segmenter trained by how alike its segments are across images."""

import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.methods.schedules import (
    hard_masks,
    learning_rate_schedule,
    masked_images,
    segment_probabilities,
    two_network_phases,
)
from cirs_tf.models.feature_net import feature_net
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms
from cirs_tf.training.strategy import batch_mean


class Cirs:
    """Image -> S -> softmax -> argmax-in-place -> K masked images -> g -> CIRS loss.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 6 (Figure 5); schedules 7.3 and 7.4.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        self.config = config
        options = config.cirs
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.feature_net = feature_net(
            config.feature_net, height, width, config.segments, 2 * config.seed + 1
        )
        self.networks = {"segmenter": self.segmenter, "feature_net": self.feature_net}
        self.phases = two_network_phases(
            loss=lambda batch: self._terms(batch, training=True),
            terms=("loss", "within", "between"),
            variables={k: net.trainable_variables for k, net in self.networks.items()},
            schedule=options.schedule,
            steps=(options.segmenter_steps, options.feature_net_steps),
            rate=learning_rate_schedule(config.training),
        )

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the CIRS loss and its terms in inference mode, scalars."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        images = batch["image"]  # (B, H, W, 3)
        segments = self.config.segments
        probabilities = segment_probabilities(self.segmenter, images, training)
        masks = hard_masks(probabilities)  # (B, K, H, W, 1)
        masked = masked_images(images, masks)  # (B, K, H, W, 3)
        count = tf.shape(images)[0]
        flat = tf.reshape(masked, tf.concat([[-1], tf.shape(images)[1:]], axis=0))
        number = tf.tile(tf.range(segments), [count])  # (B * K,)
        features = self.feature_net([flat, number], training=training)
        features = tf.reshape(features, [count, segments, -1])  # (B, K, F)
        weights = self.config.cirs
        terms = cirs_loss(features, weights.alpha_1, weights.alpha_2, batch_mean)
        return terms._asdict()
