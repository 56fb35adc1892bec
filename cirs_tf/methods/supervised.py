"""The segmenter trained with labels: the ceiling that label-free methods aim for."""

import dataclasses

import keras

from cirs_tf.config.sections import Config, SegmenterConfig
from cirs_tf.config.settings import one_of, section, setting
from cirs_tf.data.image_split import Batch
from cirs_tf.losses.cross_entropy import segmentation_cross_entropy
from cirs_tf.models.unet import unet
from cirs_tf.training.optimizers import adam, learning_rate_schedule
from cirs_tf.training.phases import Phase, Terms


@dataclasses.dataclass(frozen=True)
class SupervisedConfig(Config):
    """The whole configuration of the supervised segmenter."""

    method: str = setting("supervised", one_of("supervised"), "The system to train.")
    segmenter: SegmenterConfig = section(SegmenterConfig)


class Supervised:
    """Image -> S -> cross-entropy with the mask.

    The only method that sees labels; its data set is drawn with `--with-train-masks`.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    config_class = SupervisedConfig
    needs_masks = True

    def __init__(self, config: SupervisedConfig, height: int, width: int):
        self.segmenter = self.build_segmenter(config)
        self.networks = {"segmenter": self.segmenter}
        self.pretraining = []
        variables = self.segmenter.trainable_variables
        optimizer = adam(variables, learning_rate_schedule(config.training))
        self.phases = [Phase("segmenter", self._train, ("loss",), variables, optimizer)]

    @staticmethod
    def build_segmenter(config: SupervisedConfig) -> keras.Model:
        """Build S alone.

        Args:
            config: The run.
        """
        return unet(config.segmenter, config.segments, 2 * config.seed)

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the cross-entropy in inference mode, `[batch]`."""
        return self._terms(batch, training=False)

    def _train(self, batch: Batch) -> Terms:
        return self._terms(batch, training=True)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        logits = self.segmenter(batch["image"], training=training)
        return {"loss": segmentation_cross_entropy(logits, batch["mask"])}
