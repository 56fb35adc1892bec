"""The segmenter trained with labels: the ceiling that label-free methods aim for."""

from cirs_tf.config import Config
from cirs_tf.data.pipeline import Batch
from cirs_tf.losses.cross_entropy import segmentation_cross_entropy
from cirs_tf.methods.schedules import adam_phase, learning_rate_schedule
from cirs_tf.models.unet import unet
from cirs_tf.training.phases import Terms


class Supervised:
    """Image -> S -> cross-entropy with the mask.

    The only method that sees labels; its data set is drawn with `--with-train-masks`.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """

    needs_masks = True

    def __init__(self, config: Config, height: int, width: int):
        self.segmenter = unet(config.segmenter, config.segments, 2 * config.seed)
        self.networks = {"segmenter": self.segmenter}
        self.phases = [
            adam_phase(
                "segmenter",
                lambda batch: self._terms(batch, training=True),
                self.segmenter.trainable_variables,
                learning_rate_schedule(config.training),
            )
        ]

    def validation_terms(self, batch: Batch) -> Terms:
        """Return the cross-entropy in inference mode, `[batch]`."""
        return self._terms(batch, training=False)

    def _terms(self, batch: Batch, training: bool) -> Terms:
        logits = self.segmenter(batch["image"], training=training)
        return {"loss": segmentation_cross_entropy(logits, batch["mask"])}
