"""Comparison of two partitions of an image, as BSDS500 scores regions.

Names of regions do not matter, and label 0 is a region like any other.

Reference: Arbelaez, Maire, Fowlkes, Malik 2011, Contour Detection and Hierarchical
Image Segmentation, section 2; the benchmark's code, github.com/BIDS/BSDS500,
bench/benchmarks (evaluation_reg_image, match_segmentations2, collect_eval_reg).
"""

from typing import NamedTuple

import numpy as np


class PartitionScores(NamedTuple):
    """Scores of a predicted partition of an image against a true one.

    Attributes:
        covering: Segmentation covering of the truth by the prediction, in (0, 1], 1 for
            equal partitions. Not symmetric.
        rand_index: Rand index, in [0, 1], 1 for equal partitions.
        variation_of_information: In bits, in [0, log2(pixels)], 0 for equal partitions
            only.
    """

    covering: float
    rand_index: float
    variation_of_information: float


def partition_scores(y_true: np.ndarray, y_pred: np.ndarray) -> PartitionScores:
    """Compare a predicted partition of an image with a true one.

    With true regions R of b_R pixels, predicted regions R' of a_R' pixels, overlaps
    n = |R and R'| and N pixels:

        covering = 1/N sum_R b_R max_R' n / (a_R' + b_R - n)
        rand_index = 1 - (sum_R' a_R'^2 / 2 + sum_R b_R^2 / 2 - sum_RR' n^2) / C(N, 2)
        variation_of_information = sum_RR' n / N log2(a_R' b_R / n^2)

    Args:
        y_true: `[height, width]` integers, any numbers, at least one pixel.
        y_pred: `[height, width]` integers, any numbers.

    Returns:
        The scores; (1, 1, 0) for a single pixel.

    Raises:
        ValueError: The shapes differ, or one is no such map.

    Reference: Arbelaez et al. 2011, 2.3 (covering); Rand 1971; Meila 2005, Comparing
    Clusterings: an Axiomatic View, which leaves the base of the logarithm open (the
    benchmark's is 2).

    Example:
        Two halves of 4 pixels against one region: either half covers half of it, 12 of
        28 pixel pairs are joined in both, and naming the half takes one bit.

        >>> y_true = np.zeros((2, 4), int)
        >>> y_pred = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
        >>> scores = partition_scores(y_true, y_pred)
        >>> scores.covering, round(scores.rand_index, 3)
        (0.5, 0.429)
        >>> scores.variation_of_information
        1.0
    """
    return _scores(_region_overlap(y_true, y_pred))


def scores_of_counts(counts: np.ndarray) -> PartitionScores:
    """Compare two partitions by the pixels that each two of their regions share.

    Args:
        counts: `[true, predicted]` integers, at least one pixel in all.

    Returns:
        What `partition_scores` returns for the partitions themselves.

    Example:
        >>> scores_of_counts(np.array([[4, 4]])).covering
        0.5
    """
    counts = counts.astype(np.int64)  # squares of areas do not fit into 32 bits
    true_region, predicted_region = np.nonzero(counts)
    overlap = _RegionOverlap(
        counts[true_region, predicted_region],
        counts.sum(axis=1)[true_region],
        counts.sum(axis=0)[predicted_region],
        true_region,
    )
    return _scores(overlap)


def _scores(overlap: "_RegionOverlap") -> PartitionScores:
    return PartitionScores(
        covering=_covering(overlap),
        rand_index=_rand_index(overlap),
        variation_of_information=_variation_of_information(overlap),
    )


class _RegionOverlap(NamedTuple):
    """Pixel counts of every pair of a true and a predicted region that meet.

    Attributes:
        pixels: `[pairs]` int64, pixels that the two regions share, more than 0.
        true_area: `[pairs]` int64, pixels of the pair's true region.
        predicted_area: `[pairs]` int64, pixels of the pair's predicted region.
        true_region: `[pairs]` int64, index of the pair's true region, from 0.
    """

    pixels: np.ndarray
    true_area: np.ndarray
    predicted_area: np.ndarray
    true_region: np.ndarray


def _region_overlap(y_true: np.ndarray, y_pred: np.ndarray) -> _RegionOverlap:
    """Count pixels; there are at most as many pairs as pixels, however many regions."""
    _check_label_map("y_true", y_true)
    _check_label_map("y_pred", y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true and y_pred: expected one shape, got {y_true.shape} and "
            f"{y_pred.shape}"
        )
    true_regions, true_areas = _regions_and_areas(y_true)
    predicted_regions, predicted_areas = _regions_and_areas(y_pred)
    pairs, pixels = _values_and_counts(
        true_regions * len(predicted_areas) + predicted_regions
    )
    true_region, predicted_region = np.divmod(pairs, len(predicted_areas))
    return _RegionOverlap(
        pixels, true_areas[true_region], predicted_areas[predicted_region], true_region
    )


def _covering(overlap: _RegionOverlap) -> float:
    union = overlap.true_area + overlap.predicted_area - overlap.pixels
    best_iou = np.zeros(overlap.true_region.max() + 1)
    np.maximum.at(best_iou, overlap.true_region, overlap.pixels / union)
    # A region's pixels are spread over its pairs; each counts the region's best.
    covered = overlap.pixels * best_iou[overlap.true_region]
    return float(covered.sum() / overlap.pixels.sum())


def _rand_index(overlap: _RegionOverlap) -> float:
    num_pixels = overlap.pixels.sum()
    if num_pixels == 1:
        return 1.0
    # sum_R' a_R'^2 = sum_RR' n a_R'. Integers, hence exact.
    disagreements = np.sum(
        overlap.pixels
        * (overlap.true_area + overlap.predicted_area - 2 * overlap.pixels)
    )
    return float(1 - disagreements / (num_pixels * (num_pixels - 1)))


def _variation_of_information(overlap: _RegionOverlap) -> float:
    bits = np.log2(overlap.predicted_area / overlap.pixels) + np.log2(
        overlap.true_area / overlap.pixels
    )
    return float(np.sum(overlap.pixels * bits) / overlap.pixels.sum())


def _regions_and_areas(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the region index of each pixel, `[pixels]`, and areas `[regions]`."""
    flat = labels.ravel()
    numbers, areas = _values_and_counts(flat)
    return np.searchsorted(numbers, flat), areas


def _values_and_counts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what occurs, sorted, and how often; by counting where that is quick."""
    if values.min() < 0 or values.max() > 4 * len(values):
        return np.unique(values, return_counts=True)
    counts = np.bincount(values)
    (found,) = np.nonzero(counts)
    return found, counts[found]


def _check_label_map(name: str, labels: np.ndarray) -> None:
    if labels.ndim != 2 or not labels.size or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{name}: expected [height, width] integers, got {labels.dtype} "
            f"{labels.shape}"
        )
