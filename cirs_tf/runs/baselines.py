"""Scores of k-means on RGB, which needs no network."""

from collections.abc import Sequence

from cirs_tf.data.pipeline import LoadedSplit
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.proposals.color_kmeans import kmeans_labels


def kmeans_scores(
    train: LoadedSplit,
    split: LoadedSplit,
    segments: int,
    classes: int,
    seeds: Sequence[int],
    n_init: int = 4,
) -> list[SegmentationScores]:
    """Cluster the colors of training images and score the clusters on a split.

    Args:
        train: Images whose pixels are clustered.
        split: Images that are scored, with masks.
        segments: K, the number of clusters.
        classes: Number of true classes.
        seeds: One clustering for each.
        n_init: Starts of k-means per clustering; the tightest counts.

    Returns:
        Scores in the order of the seeds.
    """
    scores = []
    for seed in seeds:
        labels = kmeans_labels(train.images, split.images, segments, seed, n_init)
        metric = SegmentationMetric(segments, classes)
        metric.update_state(split.masks, labels)
        scores.append(metric.result())
    return scores
