"""Matching of predicted segments to true classes, by intersection over union (IoU)."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def iou_matrix(confusion: np.ndarray) -> np.ndarray:
    """Return the intersection over union of every (segment, class) pair.

        iou[s, c] = n[s, c] / (sum_j n[s, j] + sum_i n[i, c] - n[s, c])

    Args:
        confusion: `[segments, classes]` pixel counts n.

    Returns:
        `[segments, classes]` float64 in [0, 1]; NaN where both are empty.

    Example:
        >>> iou_matrix(np.array([[2, 0], [2, 4]]))
        array([[0.5       , 0.        ],
               [0.25      , 0.66666667]])
    """
    intersection = confusion.astype(np.float64)
    union = (
        intersection.sum(axis=1, keepdims=True)
        + intersection.sum(axis=0, keepdims=True)
        - intersection
    )
    with np.errstate(invalid="ignore"):
        return intersection / union


def match_segments(confusion: np.ndarray) -> np.ndarray:
    """Match each class with at most one segment so that the summed IoU is largest.

        assignment = argmax over one-to-one matchings of sum_c iou[assignment[c], c]

    An empty segment is matched to an absent class where there is one: it costs no
    other pair anything, and leaves the absent class out of a mean over present ones.
    For the same reason a segment with pixels goes to an absent class last.

    Args:
        confusion: `[segments, classes]` pixel counts.

    Returns:
        `[classes]` int64: the segment of each class, -1 for a class without one, where
        there are fewer segments than classes.

    Reference: Kuhn 1955; thesis 5.1.2 ("all bipartite mappings, the maximum").

    Example:
        >>> match_segments(np.array([[2, 0], [2, 4]]))
        array([0, 1])
    """
    score = iou_matrix(confusion)
    absent = confusion.sum(axis=0) == 0
    score = np.where(np.isnan(score), 1.0, np.where(absent, -1.0, score))
    segments, classes = linear_sum_assignment(score, maximize=True)
    assignment = np.full(confusion.shape[1], -1, np.int64)
    assignment[classes] = segments
    return assignment


def matched_iou(confusion: np.ndarray, assignment: np.ndarray) -> np.ndarray:
    """Return the IoU of each class with the segment matched to it.

    Args:
        confusion: `[segments, classes]` pixel counts.
        assignment: `[classes]`, from `match_segments`.

    Returns:
        `[classes]` float64; 0 for a present class without a segment, NaN for a class
        that is absent from the truth and whose segment is empty or missing.

    Example:
        >>> confusion = np.array([[2, 0], [2, 4]])
        >>> matched_iou(confusion, match_segments(confusion))
        array([0.5       , 0.66666667])
    """
    iou = iou_matrix(confusion)
    present = confusion.sum(axis=0) > 0
    classes = np.arange(len(assignment))
    without_segment = np.where(present, 0.0, np.nan)
    return np.where(assignment >= 0, iou[assignment, classes], without_segment)
