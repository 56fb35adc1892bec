"""Confusion matrices, one an image; every metric is computed from them."""

import numpy as np


def confusion_matrices(
    predicted: np.ndarray,
    truth: np.ndarray,
    segments: int,
    classes: int,
    ignore_label: int = 255,
) -> np.ndarray:
    """Count, for each image, the pixels of every (segment, class) pair.

    Args:
        predicted: `[images, height, width]` integers in [0, segments).
        truth: `[images, height, width]` integers in [0, classes), or `ignore_label`.
        segments: Number of predicted segments.
        classes: Number of true classes.
        ignore_label: Pixels with this truth are not counted.

    Returns:
        `[images, segments, classes]` int64.

    Raises:
        ValueError: The shapes differ, or a label is out of range.
    """
    if predicted.shape != truth.shape:
        raise ValueError(
            f"predicted and truth: expected one shape, got {predicted.shape} "
            f"and {truth.shape}"
        )
    images = len(predicted)
    predicted = predicted.reshape(images, -1).astype(np.int64)
    truth = truth.reshape(images, -1).astype(np.int64)
    counted = truth != ignore_label
    _check_range("predicted", predicted[counted], segments)
    _check_range("truth", truth[counted], classes)
    image = np.arange(images)[:, None]
    pair = (image * segments + predicted) * classes + truth
    counts = np.bincount(pair[counted], minlength=images * segments * classes)
    return counts.reshape(images, segments, classes)


def _check_range(name: str, labels: np.ndarray, limit: int) -> None:
    if labels.size and (labels.min() < 0 or labels.max() >= limit):
        raise ValueError(
            f"{name}: expected labels in [0, {limit}), got "
            f"[{labels.min()}, {labels.max()}]"
        )
