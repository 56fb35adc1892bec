"""Confusion matrices, one per image; `SegmentationMetric` is computed from them."""

import numpy as np


def confusion_matrices(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    num_segments: int,
    num_classes: int,
    *,
    ignore_class: int | None = 255,
) -> np.ndarray:
    """Count, for each image, the pixels of every (segment, class) pair.

        counts[i, s, c] = #{pixels of image i with y_pred = s and y_true = c}

    Args:
        y_true: `[images, height, width]` integers in [0, num_classes), or
            `ignore_class`.
        y_pred: `[images, height, width]` integers in [0, num_segments); any integers
            at ignored pixels.
        num_segments: Number of predicted segments.
        num_classes: Number of true classes.
        ignore_class: Pixels of this true class are not counted; None counts all.

    Returns:
        `[images, num_segments, num_classes]` int64; all 0 for an image that is ignored
        as a whole.

    Raises:
        ValueError: The shapes differ, or a label is out of range.

    Example:
        >>> y_true = np.array([[[0, 1], [1, 255]]])
        >>> y_pred = np.array([[[2, 0], [0, 0]]])
        >>> confusion_matrices(y_true, y_pred, num_segments=3, num_classes=2)
        array([[[0, 2],
                [0, 0],
                [1, 0]]])
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true and y_pred: expected one shape, got {y_true.shape} and "
            f"{y_pred.shape}"
        )
    num_images = len(y_true)
    y_true = y_true.reshape(num_images, -1).astype(np.int64)
    y_pred = y_pred.reshape(num_images, -1).astype(np.int64)
    counted = np.full(y_true.shape, True)
    if ignore_class is not None:
        counted = y_true != ignore_class
    _check_range("y_true", y_true[counted], num_classes)
    _check_range("y_pred", y_pred[counted], num_segments)
    image_index = np.arange(num_images)[:, None]
    cell = (image_index * num_segments + y_pred) * num_classes + y_true
    num_cells = num_images * num_segments * num_classes
    counts = np.bincount(cell[counted], minlength=num_cells)
    return counts.reshape(num_images, num_segments, num_classes)


def _check_range(name: str, labels: np.ndarray, limit: int) -> None:
    if labels.size and (labels.min() < 0 or labels.max() >= limit):
        raise ValueError(
            f"{name}: expected labels in [0, {limit}), got "
            f"[{labels.min()}, {labels.max()}]"
        )
