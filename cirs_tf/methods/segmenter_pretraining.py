"""First segments of unlabeled images, and the phase in which S learns them."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config.sections import BackgroundConfig, Config, PretrainingConfig
from cirs_tf.data.image_split import Batch
from cirs_tf.errors import DataError
from cirs_tf.losses.cross_entropy import balanced_cross_entropy
from cirs_tf.proposals.color_kmeans import ColorKMeans
from cirs_tf.proposals.object_proposals import propose
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.training.optimizers import adam
from cirs_tf.training.phases import (
    PSEUDO_LABELS,
    SUMMARY,
    Initialization,
    PretrainingPhase,
    Terms,
)
from cirs_tf.training.strategy import batch_sum

_COLOR_SPACES = {"colors": "rgb", "lab_colors": "lab"}


class SegmenterPretraining:
    """S learns pseudo-labels, every segment weighing the same.

    The weights of the segments are set by `assign`, before the phase runs.

    Attributes:
        phases: The phase, or none where it has no steps.

    Args:
        segmenter: S.
        segments: K.
        config: Steps, images and learning rate.
    """

    def __init__(
        self, segmenter: keras.Model, segments: int, config: PretrainingConfig
    ):
        self._segmenter = segmenter
        self._class_weights = tf.Variable(tf.ones([segments]), trainable=False)
        self.phases = []
        if config.steps and config.pseudo_labels != "none":
            variables = segmenter.trainable_variables
            optimizer = adam(variables, config.learning_rate)
            self.phases.append(
                PretrainingPhase(
                    "segmenter",
                    self._terms,
                    ("loss",),
                    variables,
                    optimizer,
                    config.steps,
                    config.images,
                )
            )

    def assign(self, pseudo_labels: np.ndarray) -> None:
        """Weigh each segment by the inverse of its number of pixels.

        Args:
            pseudo_labels: `[images, height, width]` uint8 in [0, K), or 255: unsure.
        """
        counts = _pixel_counts(pseudo_labels, self._class_weights.shape[0])
        weights = tf.constant(1 / np.maximum(counts, 1), tf.float32)
        self._class_weights.assign(weights / tf.reduce_mean(weights))

    def _terms(self, batch: Batch) -> Terms:
        logits = self._segmenter(batch["image"], training=True)
        weights = tf.cast(self._class_weights, logits.dtype)
        loss = balanced_cross_entropy(logits, batch["mask"], weights, batch_sum)
        return {"loss": loss}


class LearnsPseudoLabels:
    """Base of methods whose S first learns pseudo-labels, if any are configured.

    Attributes:
        config: With `pretraining` and `background`.
        labels: The phase, set by the method.
    """

    config: Config
    labels: SegmenterPretraining

    def initialize(self, images: np.ndarray) -> Initialization:
        """Propose pseudo-labels, if S is to learn any.

        Args:
            images: `[images, height, width, 3]` uint8.

        Returns:
            `pseudo_labels` and `summary`; empty without pseudo-labels.

        Raises:
            DataError: `components`, and too little differs from a static background;
                or `segmenter`, and there is none of K segments.
        """
        config = self.config
        return propose_labels(
            images, config.segments, config.seed, config.pretraining, config.background
        )

    def assign(self, initialization: Initialization) -> None:
        """Weigh segments by the pseudo-labels.

        Args:
            initialization: From `initialize`.
        """
        if PSEUDO_LABELS in initialization:
            self.labels.assign(initialization[PSEUDO_LABELS])


def propose_labels(
    images: np.ndarray,
    segments: int,
    seed: int,
    pretraining: PretrainingConfig,
    background: BackgroundConfig,
) -> Initialization:
    """Return pseudo-labels of unlabeled images, of the configured kind.

    Args:
        images: `[images, height, width, 3]` uint8.
        segments: K.
        seed: Seed of k-means.
        pretraining: Kind of pseudo-labels, and how many of the images get some.
        background: When a pixel differs from the background.

    Returns:
        `pseudo_labels`, `[images, height, width]` uint8 in [0, K), or 255: unsure; and
        `summary`. Empty where S learns none.

    Raises:
        DataError: `components`, and too little differs from a static background; or
            `segmenter`, and there is none of K segments.
    """
    kind = pretraining.pseudo_labels
    if kind == "none" or not pretraining.steps:
        return {}
    images = images[: pretraining.images]  # in memory, these few
    if kind in _COLOR_SPACES:
        clusters = ColorKMeans(segments, seed, space=_COLOR_SPACES[kind])
        labels = clusters.fit(images).predict(images)
    elif kind == "segmenter":
        labels = exported_labels(images, segments, pretraining)
    else:
        # Exemplars are not used here; their canvas cuts no label.
        canvas = 2 * (min(images.shape[1:3]) // 4)
        with data_errors(pretraining.full_key("pseudo_labels")):
            labels = propose(
                images, segments - 1, canvas, background.threshold, seed
            ).labels
    counts = _pixel_counts(labels, segments)
    shares = " ".join(f"{share:.2f}" for share in counts / counts.sum())
    summary = f"{kind} of {len(images):,} images, shares {shares}"
    return {PSEUDO_LABELS: labels, SUMMARY: np.array(summary)}


def exported_labels(
    images: np.ndarray, segments: int, pretraining: PretrainingConfig
) -> np.ndarray:
    """Return the segments of an exported segmenter.

    Args:
        images: `[images, height, width, 3]` uint8.
        segments: K, which must be the segmenter's.
        pretraining: With the segmenter's folder.

    Returns:
        `[images, height, width]` uint8 in [0, K).

    Raises:
        DataError: There is no segmenter, or it has another number of segments.
    """
    segmenter = load_savedmodel(pretraining.segmenter)
    _, probabilities = segmenter.predict(images[:1], probabilities=True)
    if probabilities.shape[-1] != segments:
        raise DataError(
            f"{pretraining.segmenter}: has {probabilities.shape[-1]} segments, "
            f"expected {segments} (`segments`)"
        )
    return segmenter.predict(images)


@contextlib.contextmanager
def data_errors(key: str) -> Iterator[None]:
    """Name the setting that asked for what the images do not have.

    Args:
        key: Key of the setting, or name of the method.

    Raises:
        DataError: In place of a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise DataError(f"{key}: {error}") from None


def _pixel_counts(labels: np.ndarray, segments: int) -> np.ndarray:
    """Return the number of pixels of each segment, `[K]`; 255 is not counted."""
    return np.bincount(labels.ravel(), minlength=256)[:segments]
