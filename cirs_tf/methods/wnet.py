"""W-Net: segments that cut between unlike pixels and still hold the image."""

import keras
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.losses.soft_ncut import soft_ncut
from cirs_tf.methods.schedules import adam_phase, learning_rate_schedule
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms


class Wnet:
    """Image -> U-Net -> softmax -> U-Net -> image; soft normalized cut on the softmax.

    It looks at one image at a time: the color-clustering method that the thesis
    compares with.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Reference: Xia and Kulis 2017; thesis 8.
    """

    needs_masks = False

    def __init__(self, config: Config, height: int, width: int):
        options = self.options = config.wnet
        segments = config.segments
        self.segmenter = unet(config.segmenter, segments, 2 * config.seed)
        self.decoder = unet(
            config.segmenter, 3, 2 * config.seed + 1, inputs=segments, name="decoder"
        )
        self.networks = {"segmenter": self.segmenter, "decoder": self.decoder}
        self._cut = tf.function(soft_ncut, jit_compile=options.xla)
        encoder = self.segmenter.trainable_variables
        both = encoder + self.decoder.trainable_variables
        rate = learning_rate_schedule(config.training)
        if options.schedule == "joint":
            terms = ("loss", "n_cut", "reconstruction")
            self.phases = [adam_phase("joint", self._joint, both, rate, terms)]
        else:
            self.phases = [
                adam_phase("n_cut", self._n_cut, encoder, rate),
                adam_phase("reconstruction", self._rebuild, both, rate),
            ]

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the sum of both losses, and each, in inference mode, `[batch]`."""
        return self._joint(batch, training=False)

    def _joint(self, batch: Batch, training: bool = True) -> Terms:
        probabilities = self._probabilities(batch, training)
        cut = self._cut_of(probabilities, batch)
        error = self._error_of(probabilities, batch, training)
        return {"loss": cut + error, "n_cut": cut, "reconstruction": error}

    def _n_cut(self, batch: Batch) -> Terms:
        return {"loss": self._cut_of(self._probabilities(batch, True), batch)}

    def _rebuild(self, batch: Batch) -> Terms:
        return {"loss": self._error_of(self._probabilities(batch, True), batch, True)}

    def _probabilities(self, batch: Batch, training: bool) -> tf.Tensor:
        return tf.nn.softmax(self.segmenter(batch["image"], training=training))

    def _cut_of(self, probabilities: tf.Tensor, batch: Batch) -> tf.Tensor:
        images = tf.cast(batch["image"], probabilities.dtype)
        options = self.options
        return self._cut(
            probabilities,
            images,
            options.radius,
            options.sigma_intensity,
            options.sigma_position,
        )

    def _error_of(
        self, probabilities: tf.Tensor, batch: Batch, training: bool
    ) -> tf.Tensor:
        logits = self.decoder(probabilities, training=training)
        images = tf.cast(batch["image"], logits.dtype)
        if self.options.reconstruction == "bce":
            error = tf.nn.sigmoid_cross_entropy_with_logits(images, logits)
        else:
            error = tf.square(images - keras.ops.sigmoid(logits))
        return tf.reduce_mean(error, axis=[1, 2, 3])
