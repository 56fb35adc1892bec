"""Metrics of unsupervised segmentation, all from one confusion matrix an image."""

import dataclasses

import numpy as np

from cirs_tf.metrics.confusion import confusion_matrices
from cirs_tf.metrics.matching import match_segments, matched_iou


@dataclasses.dataclass(frozen=True)
class SegmentationScores:
    """What a split scored; shares and scores in [0, 1] (`ari` in [-0.5, 1]).

    Attributes:
        miou: Global assignment: segments matched to classes once for the whole split,
            IoU on summed counts, mean over the true classes.
        miou_thesis: Thesis 5.1.2: best assignment in each image, IoU of the image's
            classes, mean over images.
        pixel_accuracy: Share of pixels right under the global assignment.
        ari: Adjusted Rand index, mean over images.
        fg_ari: The same on pixels whose true class is not the background; None
            where there are none.
        per_class_iou: `[classes]`, global assignment; None for a class that occurs
            neither in the truth nor in its segment.
        segment_share: `[segments]`, share of pixels in each predicted segment.
        assignment: `[classes]`: the segment that stands for each class, -1: none.
        images: Number of images that have a pixel which is not ignored.
    """

    miou: float
    miou_thesis: float
    pixel_accuracy: float
    ari: float
    fg_ari: float | None
    per_class_iou: tuple[float | None, ...]
    segment_share: tuple[float, ...]
    assignment: tuple[int, ...]
    images: int


class SegmentationMetric:
    """Accumulates confusion matrices; assignments are made once, in `result`.

    Args:
        segments: Number of predicted segments K.
        classes: Number of true classes.
        background: The class left out of `fg_ari`.
    """

    def __init__(self, segments: int, classes: int, background: int = 0):
        self.segments = segments
        self.classes = classes
        self.background = background
        self._batches: list[np.ndarray] = []

    def update(self, predicted: np.ndarray, truth: np.ndarray) -> None:
        """Add a batch of label maps, both `[batch, height, width]` integers."""
        self._batches.append(
            confusion_matrices(predicted, truth, self.segments, self.classes)
        )

    def result(self) -> SegmentationScores:
        """Return the scores of all batches since construction.

        Raises:
            ValueError: Nothing was added.
        """
        if not self._batches:
            raise ValueError("no images were added")
        return score(np.concatenate(self._batches), self.background)


def score(confusions: np.ndarray, background: int = 0) -> SegmentationScores:
    """Compute every metric from per-image confusion matrices.

    Args:
        confusions: `[images, segments, classes]` pixel counts. Images of which every
            pixel is ignored are left out.
        background: The class left out of `fg_ari`.

    Returns:
        The scores.

    Raises:
        ValueError: There is no image with a counted pixel.
    """
    confusions = confusions[confusions.sum(axis=(1, 2)) > 0]
    if not len(confusions):
        raise ValueError("no image has a pixel that counts")
    total = confusions.sum(axis=0)
    assignment = match_segments(total)
    per_class = matched_iou(total, assignment)
    matched = [total[s, c] for c, s in enumerate(assignment) if s >= 0]
    foreground = np.delete(confusions, background, axis=2)
    has_foreground = foreground.sum(axis=(1, 2)) > 0
    return SegmentationScores(
        miou=float(np.nanmean(per_class)),
        miou_thesis=float(np.mean([_miou_of_image(image) for image in confusions])),
        pixel_accuracy=float(np.sum(matched) / total.sum()),
        ari=float(np.mean(adjusted_rand_index(confusions))),
        fg_ari=float(np.mean(adjusted_rand_index(foreground[has_foreground])))
        if has_foreground.any()
        else None,
        per_class_iou=tuple(None if np.isnan(v) else float(v) for v in per_class),
        segment_share=tuple(map(float, total.sum(axis=1) / total.sum())),
        assignment=tuple(map(int, assignment)),
        images=len(confusions),
    )


def adjusted_rand_index(confusions: np.ndarray) -> np.ndarray:
    """Return the adjusted Rand index of each contingency table.

        ARI = (index - expected) / (maximum - expected)
        index = sum_ij C(c_ij, 2), expected = sum_i C(a_i, 2) sum_j C(b_j, 2) / C(n, 2)
        maximum = (sum_i C(a_i, 2) + sum_j C(b_j, 2)) / 2

    with row sums a and column sums b. 1 where both partitions are trivial, as in
    scikit-learn, of which this is the form for many small tables at once.

    Args:
        confusions: `[images, segments, classes]` pixel counts, each with a pixel.

    Returns:
        `[images]` float64.

    Reference: Hubert and Arabie 1985.
    """

    def pairs(counts: np.ndarray) -> np.ndarray:
        counts = counts.astype(np.float64)
        return counts * (counts - 1) / 2

    index = pairs(confusions).sum(axis=(1, 2))
    rows = pairs(confusions.sum(axis=2)).sum(axis=1)
    columns = pairs(confusions.sum(axis=1)).sum(axis=1)
    all_pairs = np.maximum(pairs(confusions.sum(axis=(1, 2))), 1)
    expected = rows * columns / all_pairs
    maximum = (rows + columns) / 2
    trivial = maximum == expected
    return np.where(
        trivial, 1.0, (index - expected) / np.where(trivial, 1, maximum - expected)
    )


def _miou_of_image(confusion: np.ndarray) -> float:
    """Thesis 5.1.2 for one image."""
    return float(np.nanmean(matched_iou(confusion, match_segments(confusion))))
