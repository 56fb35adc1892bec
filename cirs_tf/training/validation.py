"""What a method does on a split: label-free loss terms, and measures of the outcome."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import ImageArray, ImageSplit, as_float, row_slices
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.training.phases import HasDiagnostics, Method, ShowsPictures
from cirs_tf.visualization import palette_image, segmentation_grid

_PICTURED = 8  # images shown in TensorBoard


class Validation(Protocol):
    """An outcome, as the trainer records it.

    Attributes:
        terms: Mean of each label-free loss term; `loss` is among them.
        headline: The measures to watch, by the name that is shown.
        oracle: What the best checkpoint by labels maximizes, None: there is none.
    """

    terms: dict[str, float]
    headline: dict[str, float]
    oracle: float | None

    def row(self) -> dict:
        """Return all of it as JSON, for `metrics.jsonl`."""
        ...

    def scalars(self) -> dict[str, float]:
        """Return all of it by TensorBoard tag."""
        ...


class Validator(Protocol):
    """Runs a method over a split after every epoch."""

    def run(self) -> Validation:
        """Return the outcome with the weights as they are."""
        ...

    def pictures(self, outcome: Validation) -> dict[str, Image.Image]:
        """Return what the method does to the first images, by TensorBoard tag."""
        ...

    def progress(self) -> Image.Image:
        """Return that alone, small, to lay beside other epochs."""
        ...


@dataclasses.dataclass(frozen=True)
class SegmentationValidation:
    """The outcome of a segmenter.

    Attributes:
        terms: Mean of each loss term over full batches.
        scores: Metrics by labels, None where the split has no masks.
        segment_share: `[segments]`, share of pixels in each predicted segment.
        diagnostics: The method's own scalars, for TensorBoard.
    """

    terms: dict[str, float]
    scores: SegmentationScores | None
    segment_share: tuple[float, ...]
    diagnostics: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def headline(self) -> dict[str, float]:
        """Both kinds of mIoU, where there are masks."""
        if self.scores is None:
            return {}
        return {"mIoU": self.scores.miou, "thesis mIoU": self.scores.miou_thesis}

    @property
    def oracle(self) -> float | None:
        """The mIoU."""
        return None if self.scores is None else self.scores.miou

    def row(self) -> dict:
        """Return terms, shares and both kinds of mIoU."""
        row = {**self.terms, "segment_share": list(self.segment_share)}
        if self.scores is not None:
            row["miou"] = self.scores.miou
            row["miou_thesis"] = self.scores.miou_thesis
        return row

    def scalars(self) -> dict[str, float]:
        """Return terms, shares, all scores and the method's own."""
        values = {f"validation/{k}": v for k, v in self.terms.items()}
        for segment, share in enumerate(self.segment_share):
            values[f"segment_share/{segment}"] = share
        values |= self.diagnostics
        if self.scores is not None:
            for name in ("miou", "miou_thesis", "pixel_accuracy", "ari", "fg_ari"):
                value = getattr(self.scores, name)
                if value is not None:
                    values[f"validation/{name}"] = value
        return values


def in_batches(
    function: Callable[[np.ndarray], tf.Tensor], images: ImageArray, batch_size: int
) -> np.ndarray:
    """Return `function` of all images, `batch_size` at a time, one after the other."""
    parts = [function(images[rows]) for rows in row_slices(len(images), batch_size)]
    return np.concatenate([part.numpy() for part in parts])


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
        return in_batches(self._labels, images, self.batch_size)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return `[images, height, width, K]` float32 for uint8 images."""
        return in_batches(self._softmax, images, self.batch_size)

    @tf.function(reduce_retracing=True, autograph=False)
    def _softmax(self, images: tf.Tensor) -> tf.Tensor:
        logits = self.segmenter(as_float(images), training=False)
        return tf.nn.softmax(tf.cast(logits, tf.float32))

    @tf.function(reduce_retracing=True, autograph=False)
    def _labels(self, images: tf.Tensor) -> tf.Tensor:
        logits = self.segmenter(as_float(images), training=False)
        return tf.cast(tf.argmax(logits, axis=-1), tf.uint8)


class SegmentationValidator:
    """Runs a segmenter over a split, in inference mode, on one device.

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
        split: ImageSplit,
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
        self._unlabeled = split.without_masks()
        seen = split if method.needs_masks else self._unlabeled
        self._mean_terms = MeanTerms(method, seen, batch_size)

    def run(self) -> SegmentationValidation:
        """Return loss terms, scores and segment shares of the whole split."""
        images, masks = self.split.images, self.split.masks
        metric = SegmentationMetric(self.segments, self.classes)
        counts = np.zeros(self.segments, np.int64)
        for rows in row_slices(len(images), self.batch_size):
            predicted = self.predict(images[rows])
            counts += np.bincount(predicted.ravel(), minlength=self.segments)
            if masks is not None:
                metric.update_state(masks[rows], predicted)
        scores = metric.result() if metric.images else None
        share = tuple(map(float, counts / counts.sum()))
        return SegmentationValidation(
            self._mean_terms(), scores, share, self._diagnostics()
        )

    def pictures(self, outcome: SegmentationValidation) -> dict[str, Image.Image]:
        """Return the first images, their segments and the truth; the method's own."""
        images, masks = self.split.images[:_PICTURED], self.split.masks
        grid = segmentation_grid(
            images,
            self.predict(images),
            None if masks is None else masks[:_PICTURED],
            None if outcome.scores is None else outcome.scores.assignment,
            legend=[
                f"{k}: {share:.0%}" for k, share in enumerate(outcome.segment_share)
            ],
        )
        shows = isinstance(self.method, ShowsPictures)
        own = self.method.pictures(images) if shows else {}
        return {"validation": grid, **own}

    def _diagnostics(self) -> dict[str, float]:
        """Return the method's own scalars of the first batch."""
        if not isinstance(self.method, HasDiagnostics):
            return {}
        batch = self._unlabeled.batch(slice(self.batch_size))
        return {
            tag: float(value) for tag, value in self.method.diagnostics(batch).items()
        }

    def progress(self) -> Image.Image:
        """Return the segments of the first images, pixel value = segment."""
        return palette_image(np.hstack(self.predict(self.split.images[:_PICTURED])))


class MeanTerms:
    """The mean of each loss term over a split, in inference mode.

    Args:
        method: With `validation_terms`.
        split: Nothing but what those may see.
        batch_size: That of training. The last images that do not fill a batch are left
            out, unless they are all.
    """

    def __init__(self, method: Method, split: ImageSplit, batch_size: int):
        self.split = split
        self.batch_size = batch_size
        self._terms = tf.function(method.validation_terms, autograph=False)

    def __call__(self) -> dict[str, float]:
        """Return each term by name."""
        images, size = len(self.split.images), self.batch_size
        full = max(images // size * size, min(images, size))
        batches = [
            self._terms(self.split.batch(slice(start, start + size)))
            for start in range(0, full, size)
        ]
        return {
            name: float(np.mean([np.mean(batch[name]) for batch in batches]))
            for name in batches[0]
        }
