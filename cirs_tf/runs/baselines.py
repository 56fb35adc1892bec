"""Scores of what needs no network: k-means on colors, thresholds."""

from collections.abc import Callable, Sequence

import numpy as np

from cirs_tf.data.pipeline import LoadedSplit
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.proposals.color_kmeans import kmeans_labels
from cirs_tf.proposals.thresholds import local_contrast_labels, otsu_labels

# For two segments; each image by itself.
THRESHOLDS = {
    "Otsu's threshold": otsu_labels,
    "Otsu, background subtracted": local_contrast_labels,
}


def kmeans_scores(
    train: LoadedSplit,
    split: LoadedSplit,
    segments: int,
    classes: int,
    seeds: Sequence[int],
    n_init: int = 4,
    space: str = "rgb",
) -> list[SegmentationScores]:
    """Cluster the colors of training images and score the clusters on a split.

    Args:
        train: Images whose pixels are clustered.
        split: Images that are scored, with masks.
        segments: K, the number of clusters.
        classes: Number of true classes.
        seeds: One clustering for each.
        n_init: Starts of k-means per clustering; the tightest counts.
        space: Of the colors, `rgb` or `lab`.

    Returns:
        Scores in the order of the seeds.
    """
    return [
        _score(
            kmeans_labels(train.images, split.images, segments, seed, n_init, space),
            split,
            segments,
            classes,
        )
        for seed in seeds
    ]


def threshold_scores(
    split: LoadedSplit, classes: int, labels: Callable[[np.ndarray], np.ndarray]
) -> SegmentationScores:
    """Score a threshold, which knows each image alone.

    Args:
        split: Images that are scored, with masks.
        classes: Number of true classes.
        labels: One of `THRESHOLDS`.
    """
    return _score(labels(split.images), split, 2, classes)


def _score(
    labels: np.ndarray, split: LoadedSplit, segments: int, classes: int
) -> SegmentationScores:
    metric = SegmentationMetric(segments, classes)
    metric.update_state(split.masks, labels)
    return metric.result()
