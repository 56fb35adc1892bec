"""How far two segmentations of the same images agree, beyond what needs no image.

No label enters: both come from segmenters. One segment everywhere agrees with itself
in every pixel, and so does a carving of the frame that is the same in every image;
`segment_agreement` and `matched_agreement` give both 0.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from cirs_tf.metrics.confusion import confusion_matrices
from cirs_tf.metrics.matching import iou_matrix


def equal_pixels(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of pixels with equal labels; a collapse has 1.

    Args:
        first: `[images, height, width]` integers.
        second: The same shape.
    """
    return float(np.mean(first == second))


def segment_agreement(first: np.ndarray, second: np.ndarray, segments: int) -> float:
    """Compare two segmentations whose segments have the same numbers.

        a = (1/K) sum_k IoU(first == k, second == k)            the same images
        c = (1/K) sum_k IoU(first == k, rolled second == k)     each with another image
        agreement = (a - c) / (1 - c)

    IoU is of counts over all images, 0 for a segment that both leave empty: with u
    segments in use, a is at most u / K. c is what the sizes of the segments and their
    places in the frame give without looking at the image: Cohen's correction, with the
    chance measured. The other image lies half the images further.

    Args:
        first: `[images, height, width]` integers in [0, segments), two images or more.
        second: The same shape; or of the same segmenter, for mirrored images.
        segments: K.

    Returns:
        At most 1, for equal segmentations that use all K segments; about 0 for two that
        do not depend on the image, exactly 0 if they are the same in every image.

    Raises:
        ValueError: There are fewer than two images, shapes differ, or a label is out of
            range.
    """
    return _above_chance(first, second, segments, lambda _: np.arange(segments))


def matched_agreement(first: np.ndarray, second: np.ndarray, segments: int) -> float:
    """Compare two segmentations whose segments are numbered independently.

    As `segment_agreement`, with the segments of `second` renumbered by the permutation
    for which a is largest (Hungarian); c keeps it.

    Args:
        first: `[images, height, width]` integers in [0, segments), two images or more.
        second: The same shape.
        segments: K.

    Returns:
        As `segment_agreement`.

    Raises:
        ValueError: As there.

    Reference: Kuhn 1955.
    """
    return _above_chance(
        first,
        second,
        segments,
        lambda iou: linear_sum_assignment(iou, maximize=True)[1],
    )


def _above_chance(first, second, segments, partner_of) -> float:
    if len(first) < 2:
        raise ValueError(f"expected two images or more, got {len(first)}")
    iou = _iou(first, second, segments)
    partner = partner_of(iou)  # [K]: number in `second` of each segment of `first`
    other = _iou(first, np.roll(second, len(second) // 2, axis=0), segments)
    rows = np.arange(segments)
    same, chance = iou[rows, partner].mean(), other[rows, partner].mean()
    return 0.0 if chance == 1 else float((same - chance) / (1 - chance))


def _iou(first: np.ndarray, second: np.ndarray, segments: int) -> np.ndarray:
    counts = confusion_matrices(first, second, segments, segments).sum(axis=0)
    return np.nan_to_num(iou_matrix(counts), nan=0.0)
