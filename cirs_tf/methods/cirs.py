"""CIRS: a segmenter trained by how alike its segments are across images."""

import keras
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.layers.argmax_in_place import argmax_in_place
from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.models.feature_net import feature_net
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Phase, Terms
from cirs_tf.training.strategy import batch_mean

TERMS = ("loss", "within", "between")


class Cirs:
    """Image -> S -> softmax -> argmax-in-place -> K masked images -> g -> CIRS loss.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: thesis 6 (Figure 5); schedules 7.3 and 7.4.
    """

    def __init__(self, config: Config, height: int, width: int):
        self.config = config
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.feature_net = feature_net(
            config.feature_net, height, width, config.segments, 2 * config.seed + 1
        )
        self.networks = {"segmenter": self.segmenter, "feature_net": self.feature_net}
        s_variables = self.segmenter.trainable_variables
        g_variables = self.feature_net.trainable_variables
        if config.cirs.schedule == "joint":
            self.optimizers = {"joint": self._adam(s_variables + g_variables)}
            self.phases = [self._phase("joint", s_variables + g_variables, 1)]
        else:
            self.optimizers = {
                "segmenter": self._adam(s_variables),
                "feature_net": self._adam(g_variables),
            }
            self.phases = [
                self._phase("segmenter", s_variables, config.cirs.segmenter_steps),
                self._phase("feature_net", g_variables, config.cirs.feature_net_steps),
            ]

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the CIRS loss and its terms in inference mode, scalars."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        images = batch["image"]  # (B, H, W, 3)
        segments = self.config.segments
        logits = self.segmenter(images, training=training)  # (B, H, W, K)
        masks = argmax_in_place(tf.nn.softmax(logits))
        masks = tf.transpose(masks, [0, 3, 1, 2])[..., None]  # (B, K, H, W, 1)
        masked = masks * tf.cast(images, masks.dtype)[:, None]  # (B, K, H, W, 3)
        count = tf.shape(images)[0]
        flat = tf.reshape(masked, tf.concat([[-1], tf.shape(images)[1:]], axis=0))
        number = tf.tile(tf.range(segments), [count])  # (B * K,)
        features = self.feature_net([flat, number], training=training)
        features = tf.reshape(features, [count, segments, -1])  # (B, K, F)
        weights = self.config.cirs
        terms = cirs_loss(features, weights.alpha_1, weights.alpha_2, batch_mean)
        return terms._asdict()

    def _phase(self, name: str, variables: list, steps: int) -> Phase:
        return Phase(
            name=name,
            loss=lambda batch: self._terms(batch, training=True),
            terms=TERMS,
            variables=variables,
            optimizer=self.optimizers[name],
            steps=steps,
        )

    def _adam(self, variables: list) -> keras.optimizers.Optimizer:
        optimizer = keras.optimizers.Adam(self.config.training.learning_rate)
        optimizer.build(variables)
        return optimizer
