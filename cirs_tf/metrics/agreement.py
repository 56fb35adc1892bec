"""Agreement of two segmentations of the same images, corrected for chance.

No labels are needed: both segmentations come from segmenters. A collapse to one segment
agrees with itself in every pixel, and so does a division of the frame that is the same
in every image; `segment_agreement` and `matched_agreement` give both 0.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from cirs_tf.metrics.confusion import confusion_matrices
from cirs_tf.metrics.matching import iou_matrix


def pixel_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of pixels with equal labels; 1 for a collapse to one segment.

    Args:
        first: `[images, height, width]` integers, with at least one pixel.
        second: The same shape.

    Returns:
        In [0, 1].

    Example:
        >>> pixel_agreement(np.array([[[0, 1, 1, 2]]]), np.array([[[0, 1, 1, 1]]]))
        0.75
    """
    return float(np.mean(first == second))


def segment_agreement(
    first: np.ndarray, second: np.ndarray, num_segments: int
) -> float:
    """Compare two segmentations whose segments have the same indices.

        a = (1/K) sum_k IoU(first == k, second == k)            the same images
        c = (1/K) sum_k IoU(first == k, rolled second == k)     each with another image
        agreement = (a - c) / (1 - c)

    IoU is of counts over all images, 0 for a segment that is empty in both: with u
    segments in use, a is at most u / K. c is what the sizes of the segments and their
    places in the frame give without looking at the image: Cohen's correction, with the
    chance measured. The other image is half the number of images further on.

    Args:
        first: `[images, height, width]` integers in [0, num_segments), two images or
            more.
        second: The same shape, from another segmenter with the same segment indices or
            from the same one, on mirrored images.
        num_segments: K.

    Returns:
        At most 1, for equal segmentations that use all K segments; about 0 for two that
        do not depend on the image, exactly 0 if they are the same in every image.

    Raises:
        ValueError: There are fewer than two images, shapes differ, or a label is out of
            range.

    Example:
        >>> labels = np.array([[[0, 0, 1, 1]], [[1, 0, 1, 0]]])
        >>> segment_agreement(labels, labels, num_segments=2)
        1.0
        >>> round(segment_agreement(labels, 1 - labels, num_segments=2), 3)
        -0.5
    """
    iou, chance_iou = _iou_and_chance(first, second, num_segments)
    return _above_chance(iou, chance_iou, np.arange(num_segments))


def matched_agreement(
    first: np.ndarray, second: np.ndarray, num_segments: int
) -> float:
    """Compare two segmentations whose segments are numbered independently.

    As `segment_agreement`, with the segments of `second` renumbered by the permutation
    for which a is largest (Hungarian); c keeps it.

    Args:
        first: `[images, height, width]` integers in [0, num_segments), two images or
            more.
        second: The same shape.
        num_segments: K.

    Returns:
        As `segment_agreement`.

    Raises:
        ValueError: As `segment_agreement`.

    Reference: Kuhn 1955.

    Example:
        >>> labels = np.array([[[0, 0, 1, 1]], [[1, 0, 1, 0]]])
        >>> matched_agreement(labels, 1 - labels, num_segments=2)
        1.0
    """
    iou, chance_iou = _iou_and_chance(first, second, num_segments)
    _, partners = linear_sum_assignment(iou, maximize=True)
    return _above_chance(iou, chance_iou, partners)


def _iou_and_chance(
    first: np.ndarray, second: np.ndarray, num_segments: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the IoU of all segment pairs, with the same and with other images."""
    if len(first) < 2:
        raise ValueError(f"expected two images or more, got {len(first)}")
    if first.shape != second.shape:
        raise ValueError(
            f"first and second: expected one shape, got {first.shape} and "
            f"{second.shape}"
        )
    others = np.roll(second, len(second) // 2, axis=0)
    return _iou(first, second, num_segments), _iou(first, others, num_segments)


def _iou(first: np.ndarray, second: np.ndarray, num_segments: int) -> np.ndarray:
    """Return `[K, K]`: IoU of segments of `first` (rows) and `second` (columns)."""
    # No label is ignored: both are predictions.
    counts = confusion_matrices(
        second, first, num_segments, num_segments, ignore_class=None
    )
    return np.nan_to_num(iou_matrix(counts.sum(axis=0)), nan=0.0)


def _above_chance(
    iou: np.ndarray, chance_iou: np.ndarray, partners: np.ndarray
) -> float:
    """Return (a - c) / (1 - c) for the segment of `second` that each one is matched to.

    Args:
        iou: `[K, K]` with the same images.
        chance_iou: `[K, K]` with other images.
        partners: `[K]`, segment of `second` for each segment of `first`.
    """
    segments = np.arange(len(partners))
    agreement = iou[segments, partners].mean()
    chance = chance_iou[segments, partners].mean()
    return 0.0 if chance == 1 else float((agreement - chance) / (1 - chance))
