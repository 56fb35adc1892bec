"""Scores of what needs no network: k-means on colors, thresholds."""

from collections.abc import Sequence

import numpy as np

from cirs_tf.data.pipeline import LoadedSplit, as_float
from cirs_tf.layers.otsu_masks import OtsuMasks
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.proposals.color_kmeans import kmeans_labels

# For two segments; each image by itself.
THRESHOLDS = {
    "Otsu's threshold": OtsuMasks(smoothing=1.0, background=0.0),
    "Otsu, background subtracted": OtsuMasks(smoothing=1.0, background=0.1),
}
_BATCH = 16  # images divided at once


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
    split: LoadedSplit, classes: int, threshold: OtsuMasks
) -> SegmentationScores:
    """Score a threshold, which knows each image alone.

    Args:
        split: Images that are scored, with masks.
        classes: Number of true classes.
        threshold: One of `THRESHOLDS`.
    """
    masks = [
        threshold(as_float(split.images[start : start + _BATCH])).numpy()[..., 0]
        for start in range(0, len(split.images), _BATCH)
    ]
    return _score(np.concatenate(masks).astype(np.uint8), split, 2, classes)


def _score(
    labels: np.ndarray, split: LoadedSplit, segments: int, classes: int
) -> SegmentationScores:
    metric = SegmentationMetric(segments, classes)
    metric.update_state(split.masks, labels)
    return metric.result()
