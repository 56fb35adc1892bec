"""What the segmenter does on a split: label-free loss terms, and scores by labels."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.data.pipeline import LoadedSplit, as_float
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.training.phases import Method


@dataclasses.dataclass(frozen=True)
class Validation:
    """The outcome on one split.

    Attributes:
        terms: Mean of each loss term over full batches.
        scores: Metrics by labels, None where the split has no masks.
        segment_share: `[segments]`, share of pixels in each predicted segment.
    """

    terms: dict[str, float]
    scores: SegmentationScores | None
    segment_share: tuple[float, ...]


class Predictor:
    """Compiled argmax of a segmenter.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to logits.
        batch_size: Images at a time.
    """

    def __init__(self, segmenter: keras.Model, batch_size: int):
        self.segmenter = segmenter
        self.batch_size = batch_size

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return `[images, height, width]` uint8 labels for uint8 images."""
        starts = range(0, len(images), self.batch_size)
        parts = [self._labels(images[i : i + self.batch_size]) for i in starts]
        return np.concatenate([part.numpy() for part in parts])

    @tf.function(reduce_retracing=True)
    def _labels(self, images: tf.Tensor) -> tf.Tensor:
        logits = self.segmenter(as_float(images), training=False)
        return tf.cast(tf.argmax(logits, axis=-1), tf.uint8)


class Validator:
    """Runs a method over a split, in inference mode, on one device.

    Args:
        method: Networks and label-free loss.
        split: Images, with or without masks.
        segments: K.
        classes: Number of true classes.
        batch_size: That of training; CIRS is a statistic of the batch.
    """

    def __init__(
        self,
        method: Method,
        split: LoadedSplit,
        segments: int,
        classes: int,
        batch_size: int,
    ):
        self.method = method
        self.split = split
        self.segments = segments
        self.classes = classes
        self.batch_size = batch_size
        self.predict = Predictor(method.networks["segmenter"], batch_size)
        # Label-free selection rests on these terms: no mask where none is needed.
        self._seen = split if method.needs_masks else split.without_masks()
        self._terms = tf.function(method.validation_terms)

    def run(self) -> Validation:
        """Return loss terms, scores and segment shares of the whole split."""
        predicted = self.predict(self.split.images)
        scores = None
        if self.split.masks is not None:
            metric = SegmentationMetric(self.segments, self.classes)
            metric.update(predicted, self.split.masks)
            scores = metric.result()
        counts = np.bincount(predicted.ravel(), minlength=self.segments)
        share = tuple(map(float, counts / counts.sum()))
        return Validation(self._mean_terms(), scores, share)

    def _mean_terms(self) -> dict[str, float]:
        images, size = len(self.split.images), self.batch_size
        # The last images that do not fill a batch are left out, unless they are all.
        full = max(images // size * size, min(images, size))
        batches = [
            self._terms(self._seen.batch(slice(start, start + size)))
            for start in range(0, full, size)
        ]
        return {
            name: float(np.mean([np.mean(batch[name]) for batch in batches]))
            for name in batches[0]
        }
