"""One segmentation against those of several annotators, as BSDS500 scores regions.

Every measure compares partitions of the pixels: names of regions do not matter, and 0
is a region like any other. Annotators drew connected regions, while a segmenter of K
segments gives one number to parts that lie apart. What is given is scored; the caller
chooses whether `connected_regions` comes first, and should say so. It is the fairer
comparison with published figures, as those of W-Net with its hierarchy of contours,
whose regions are connected, too; but those also merge small regions, at the scale that
scores best (ODS: one scale for the data set, OIS: one an image), for which there is no
counterpart here. Many tiny regions hurt, VI most: a true region of n of N pixels, cut
in m equal parts, costs n / N log2(m) bits.

Reference: Arbelaez, Maire, Fowlkes, Malik 2011, Contour Detection and Hierarchical
Image Segmentation, section 2; the benchmark's code, github.com/BIDS/BSDS500,
bench/benchmarks (evaluation_reg_image, match_segmentations2, collect_eval_reg).
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.ndimage


@dataclasses.dataclass(frozen=True)
class AnnotatorScores:
    """What a split scored against its annotators, aggregated as the benchmark does.

    Attributes:
        covering: Segmentation covering of the truth by the prediction, in [0, 1], 1 is
            best. Pooled: covered pixels of all annotators of all images over all their
            pixels, so images count by their number of annotators (and size).
        probabilistic_rand: Probabilistic Rand index, in [0, 1], 1 is best. Mean over
            the annotators of each image, then over images.
        variation_of_information: In bits, 0 or more, 0 is best. Mean over the
            annotators of each image, then over images.
        images: Number of images.
    """

    covering: float
    probabilistic_rand: float
    variation_of_information: float
    images: int


class Overlap(NamedTuple):
    """What two segmentations of an image share: one entry for each pair that meets.

    Attributes:
        pixels: `[pairs]` int64, pixels that a predicted and a true region share, > 0.
        predicted_area: `[pairs]` int64, pixels of the pair's predicted region.
        true_area: `[pairs]` int64, pixels of the pair's true region.
        true_region: `[pairs]` int64, number of the pair's true region, from 0.
    """

    pixels: np.ndarray
    predicted_area: np.ndarray
    true_area: np.ndarray
    true_region: np.ndarray


def score_annotators(
    predicted: Sequence[np.ndarray], segmentations: Sequence[Sequence[np.ndarray]]
) -> AnnotatorScores:
    """Score predicted label maps against the segmentations of their annotators.

    Args:
        predicted: One `[height, width]` integer label map an image, any numbers.
        segmentations: For each image one `[height, width]` integer label map an
            annotator, any numbers, one annotator or more.

    Returns:
        The scores.

    Raises:
        ValueError: There is no image, an image without annotators or pixels, labels
            that are no integers, or shapes or numbers of images differ.
    """
    if len(predicted) != len(segmentations):
        raise ValueError(
            f"segmentations: expected those of {len(predicted)} images, got "
            f"{len(segmentations)}"
        )
    if not len(predicted):
        raise ValueError("no images to score")
    covered = pixels = 0.0
    rand_indices, variations = [], []
    for image, (labels, annotators) in enumerate(
        zip(predicted, segmentations, strict=True)
    ):
        if not len(annotators):
            raise ValueError(f"image {image}: no annotators")
        try:
            overlaps = [overlap(labels, truth) for truth in annotators]
        except ValueError as error:
            raise ValueError(f"image {image}: {error}") from None
        covered += sum(labels.size * covering(one) for one in overlaps)
        pixels += labels.size * len(overlaps)
        rand_indices.append(np.mean([rand_index(one) for one in overlaps]))
        variations.append(np.mean([variation_of_information(one) for one in overlaps]))
    return AnnotatorScores(
        covering=float(covered / pixels),
        probabilistic_rand=float(np.mean(rand_indices)),
        variation_of_information=float(np.mean(variations)),
        images=len(predicted),
    )


def connected_regions(labels: np.ndarray) -> np.ndarray:
    """Give each connected part of a label a number of its own.

    Pixels that share an edge are neighbors, as in regions between contours. Those of
    BSDS500's annotators hold together at corners, too: leave them as they are.

    Args:
        labels: `[height, width]` integers, any numbers.

    Returns:
        `[height, width]` int32 region numbers from 1.

    Raises:
        ValueError: It is no such map.
    """
    _check_labels("labels", labels)
    height, width = labels.shape
    # Pixels at even places; a place between two is filled if they have one label.
    filled = np.zeros((2 * height - 1, 2 * width - 1), bool)
    filled[::2, ::2] = True
    filled[1::2, ::2] = labels[1:] == labels[:-1]
    filled[::2, 1::2] = labels[:, 1:] == labels[:, :-1]
    regions, _ = scipy.ndimage.label(filled)
    return regions[::2, ::2]


def overlap(predicted: np.ndarray, truth: np.ndarray) -> Overlap:
    """Count the pixels of every pair of regions that meet.

    Args:
        predicted: `[height, width]` integers, any numbers.
        truth: `[height, width]` integers, any numbers.

    Returns:
        The pairs; there are at most as many as pixels, however many the regions.

    Raises:
        ValueError: The shapes differ, or one is no such map.
    """
    _check_labels("predicted", predicted)
    _check_labels("truth", truth)
    if predicted.shape != truth.shape:
        raise ValueError(
            f"predicted and truth: expected one shape, got {predicted.shape} "
            f"and {truth.shape}"
        )
    _, predicted, predicted_areas = _regions(predicted)
    _, truth, true_areas = _regions(truth)
    pairs, pixels = np.unique(
        truth * len(predicted_areas) + predicted, return_counts=True
    )
    true_region, predicted_region = np.divmod(pairs, len(predicted_areas))
    return Overlap(
        pixels, predicted_areas[predicted_region], true_areas[true_region], true_region
    )


def covering(pairs: Overlap) -> float:
    """Return the covering of one annotator's segmentation S by the prediction S'.

        C(S' -> S) = 1/N sum_{R in S} |R| max_{R' in S'} O(R, R')
        O(R, R') = |R and R'| / |R or R'|

    All annotators cover the same N pixels, so the mean of this over annotators is what
    the benchmark computes: the sum over the regions of all annotators, over their area.
    It leaves pixels of label 0 out; BSDS500 has none.

    Args:
        pairs: Of the prediction and the annotator.

    Returns:
        In (0, 1]; 1 for equal partitions. Not symmetric.

    Reference: Arbelaez et al. 2011, section 2.3.
    """
    union = pairs.predicted_area + pairs.true_area - pairs.pixels
    best = np.zeros(pairs.true_region.max() + 1)
    np.maximum.at(best, pairs.true_region, pairs.pixels / union)
    # A region's pixels are spread over its pairs; each counts the region's best.
    covered = pairs.pixels * best[pairs.true_region]
    return float(covered.sum() / pairs.pixels.sum())


def rand_index(pairs: Overlap) -> float:
    """Return the share of pixel pairs on which the prediction and one annotator agree.

        RI = 1 - (sum_i a_i^2 / 2 + sum_j b_j^2 / 2 - sum_ij n_ij^2) / C(N, 2)

    with areas a and b and overlaps n. The mean over annotators is the probabilistic
    Rand index with empirical probabilities. That is the mean over pixel pairs of
    c p + (1 - c)(1 - p), where c says whether the prediction joins the pair, and p is
    the share of annotators who do: p is a mean over annotators and enters linearly, so
    the mean can be taken last, and for one annotator p is 0 or 1, which leaves RI.

    Args:
        pairs: Of the prediction and the annotator.

    Returns:
        In [0, 1]; 1 for equal partitions, and for a single pixel.

    Reference: Rand 1971; Unnikrishnan, Pantofaru, Hebert 2007.
    """
    count = pairs.pixels.sum()
    if count == 1:
        return 1.0
    # sum_i a_i^2 = sum_ij n_ij a_i. Integers, hence exact.
    apart_in_one = np.sum(
        pairs.pixels * (pairs.predicted_area + pairs.true_area - 2 * pairs.pixels)
    )
    return float(1 - apart_in_one / (count * (count - 1)))


def variation_of_information(pairs: Overlap) -> float:
    """Return what the prediction and one annotator do not tell of each other, in bits.

        VI = H(S') + H(S) - 2 I(S', S) = sum_ij n_ij / N log2(a_i b_j / n_ij^2)

    with areas a and b and overlaps n. Meila leaves the base of the logarithm open; the
    benchmark's is 2.

    Args:
        pairs: Of the prediction and the annotator.

    Returns:
        Bits in [0, log2 N]; 0 for equal partitions only. Lower is better.

    Reference: Meila 2005, Comparing Clusterings: an Axiomatic View.
    """
    bits = np.log2(pairs.predicted_area / pairs.pixels) + np.log2(
        pairs.true_area / pairs.pixels
    )
    return float(np.sum(pairs.pixels * bits) / pairs.pixels.sum())


def _regions(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, the index of each pixel's label among them, and their areas."""
    return np.unique(labels.ravel(), return_inverse=True, return_counts=True)


def _check_labels(name: str, labels: np.ndarray) -> None:
    if labels.ndim != 2 or not labels.size or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{name}: expected [height, width] integers, got {labels.dtype} "
            f"{labels.shape}"
        )
