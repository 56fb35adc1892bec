"""Scores of what needs no network: k-means on colors, thresholds."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from cirs_tf.config.sections import TrainingConfig
from cirs_tf.data.image_split import ImageSplit, as_float, row_slices
from cirs_tf.data.splits import open_split
from cirs_tf.layers.otsu_masks import OtsuMasks
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.proposals.color_kmeans import ColorKMeans

# For two segments; each image by itself.
THRESHOLDS = {
    "Otsu's threshold": OtsuMasks(smoothing=1.0, background=0.0),
    "Otsu, background subtracted": OtsuMasks(smoothing=1.0, background=0.1),
}
_AT_ONCE = 16  # images divided at once


def open_splits(data: str | Path, split: str) -> tuple[ImageSplit, ImageSplit]:
    """Open the training images and the images that are scored, with masks.

    Each is in memory up to the default of `training.cache_mb`, else in its records.

    Args:
        data: Folder of a data set.
        split: Name of what is scored.

    Raises:
        DataError: A split is missing, has no masks, or is damaged.
    """
    budget = TrainingConfig().cache_mb
    return (
        open_split(data, "train", with_masks=False, cache_mb=budget),
        open_split(data, split, with_masks=True, cache_mb=budget),
    )


def kmeans_scores(
    train: ImageSplit,
    split: ImageSplit,
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
    clusterings = [
        ColorKMeans(segments, seed, n_init, space).fit(train.images) for seed in seeds
    ]
    return [
        _score(clustering.predict, split, segments, classes)
        for clustering in clusterings
    ]


def threshold_scores(
    split: ImageSplit, classes: int, threshold: OtsuMasks
) -> SegmentationScores:
    """Score a threshold, which knows each image alone.

    Args:
        split: Images that are scored, with masks.
        classes: Number of true classes.
        threshold: One of `THRESHOLDS`.
    """

    def divide(images: np.ndarray) -> np.ndarray:
        return threshold(as_float(images)).numpy()[..., 0].astype(np.uint8)

    return _score(divide, split, 2, classes)


def _score(
    divide: Callable[[np.ndarray], np.ndarray],
    split: ImageSplit,
    segments: int,
    classes: int,
) -> SegmentationScores:
    """Score labels `[some, height, width]` of images `[some, height, width, 3]`."""
    metric = SegmentationMetric(segments, classes)
    for rows in row_slices(len(split.images), _AT_ONCE):
        metric.update_state(split.masks[rows], divide(split.images[rows]))
    return metric.result()
