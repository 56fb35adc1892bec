"""Scores of unsupervised segmentation, all from one confusion matrix per image."""

import dataclasses

import numpy as np

from cirs_tf.metrics.confusion import confusion_matrices
from cirs_tf.metrics.matching import match_segments, matched_iou


@dataclasses.dataclass(frozen=True)
class SegmentationScores:
    """Scores of a data split; shares and scores in [0, 1] (`ari` in [-0.5, 1]).

    Attributes:
        miou: Mean IoU over the true classes, by one assignment of segments to classes
            for the whole split, on summed counts ("global" mIoU).
        miou_thesis: Thesis 5.1.2: best assignment in each image, IoU of the classes in
            the image or its prediction (a class that is in the prediction alone has 0),
            mean over images.
        pixel_accuracy: Share of pixels right under the global assignment.
        ari: Adjusted Rand index, mean over images.
        fg_ari: The same on pixels whose true class is not the background; None
            where there are none.
        per_class_iou: `[classes]`, global assignment; None for a class that occurs
            neither in the truth nor in its segment, which `miou` leaves out.
        segment_share: `[segments]`, share of pixels in each predicted segment.
        assignment: `[classes]`: the segment matched to each class, -1: none.
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
    """Scores of predicted segments against true classes, over any number of batches.

        n[s, c] = pixels of segment s and class c, summed over images
        assignment = argmax over one-to-one matchings of sum_c IoU(n, assignment[c], c)
        miou = mean over classes c of IoU(n, assignment[c], c)

    and the other scores of `SegmentationScores`. Counts accumulate, as in
    `keras.metrics`, and each image's own scores; the assignment is made once, in
    `result`, on the host. Memory: three numbers an image, and two matrices of counts
    for each image of a batch.

    Args:
        num_segments: Number of predicted segments K.
        num_classes: Number of true classes.
        background_class: The class left out of `fg_ari`.
        ignore_class: Pixels of this true class are not counted; None counts all.

    Example:
        Segment 1 matches class 0: IoU 3/4. Segment 0 matches class 1: 4/5.

        >>> metric = SegmentationMetric(num_segments=2, num_classes=2)
        >>> y_true = np.array([[[0, 0, 0, 0], [1, 1, 1, 1]]])
        >>> y_pred = np.array([[[1, 1, 1, 0], [0, 0, 0, 0]]])
        >>> metric.update_state(y_true, y_pred)
        >>> round(metric.result().miou, 3)
        0.775
        >>> metric.result().assignment
        (1, 0)
    """

    def __init__(
        self,
        num_segments: int,
        num_classes: int,
        *,
        background_class: int = 0,
        ignore_class: int | None = 255,
    ):
        self.num_segments = num_segments
        self.num_classes = num_classes
        self.background_class = background_class
        self.ignore_class = ignore_class
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all batches."""
        self._total = np.zeros((self.num_segments, self.num_classes), np.int64)
        self._miou: list[float] = []
        self._ari: list[float] = []
        self._fg_ari: list[float] = []

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray) -> None:
        """Add a batch of label maps.

        Args:
            y_true: `[batch, height, width]` integer classes, or `ignore_class`.
            y_pred: `[batch, height, width]` integer segments.

        Raises:
            ValueError: The shapes differ, or a label is out of range.
        """
        confusions = confusion_matrices(
            y_true,
            y_pred,
            self.num_segments,
            self.num_classes,
            ignore_class=self.ignore_class,
        )
        confusions = confusions[confusions.sum(axis=(1, 2)) > 0]
        self._total += confusions.sum(axis=0)
        self._miou.extend(map(_image_miou, confusions))
        self._ari.extend(adjusted_rand_index(confusions))
        foreground = np.delete(confusions, self.background_class, axis=2)
        foreground = foreground[foreground.sum(axis=(1, 2)) > 0]
        self._fg_ari.extend(adjusted_rand_index(foreground))

    @property
    def images(self) -> int:
        """Images so far, those of which every pixel is ignored aside."""
        return len(self._miou)

    def result(self) -> SegmentationScores:
        """Return the scores of all batches since construction or `reset_state`.

        Images of which every pixel is ignored are left out.

        Raises:
            ValueError: There is no image with a pixel that counts.
        """
        if not self._miou:
            raise ValueError("no images, or no image has a pixel that counts")
        total = self._total
        assignment = match_segments(total)
        iou = matched_iou(total, assignment)
        correct = [total[s, c] for c, s in enumerate(assignment) if s >= 0]
        return SegmentationScores(
            miou=float(np.nanmean(iou)),
            miou_thesis=float(np.mean(self._miou)),
            pixel_accuracy=float(np.sum(correct) / total.sum()),
            ari=float(np.mean(self._ari)),
            fg_ari=float(np.mean(self._fg_ari)) if self._fg_ari else None,
            per_class_iou=tuple(None if np.isnan(v) else float(v) for v in iou),
            segment_share=tuple(map(float, total.sum(axis=1) / total.sum())),
            assignment=tuple(map(int, assignment)),
            images=len(self._miou),
        )


def adjusted_rand_index(confusions: np.ndarray) -> np.ndarray:
    """Return the adjusted Rand index (ARI) of each contingency table.

        ARI = (index - expected) / (maximum - expected)
        index = sum_ij C(n_ij, 2), expected = sum_i C(a_i, 2) sum_j C(b_j, 2) / C(n, 2)
        maximum = (sum_i C(a_i, 2) + sum_j C(b_j, 2)) / 2

    with row sums a and column sums b. It is 1 where 0/0 arises: both partitions have
    one region, or one region per pixel, as in scikit-learn. This form computes many
    small tables at once.

    Args:
        confusions: `[images, segments, classes]` pixel counts, each with a pixel.

    Returns:
        `[images]` float64 in [-0.5, 1].

    Reference: Hubert and Arabie 1985.

    Example:
        >>> adjusted_rand_index(np.array([[[2, 0], [0, 2]], [[1, 1], [1, 1]]]))
        array([ 1. , -0.5])
    """

    def num_pairs(counts: np.ndarray) -> np.ndarray:
        counts = counts.astype(np.float64)
        return counts * (counts - 1) / 2

    index = num_pairs(confusions).sum(axis=(1, 2))
    row_pairs = num_pairs(confusions.sum(axis=2)).sum(axis=1)
    column_pairs = num_pairs(confusions.sum(axis=1)).sum(axis=1)
    all_pairs = np.maximum(num_pairs(confusions.sum(axis=(1, 2))), 1)
    expected = row_pairs * column_pairs / all_pairs
    maximum = (row_pairs + column_pairs) / 2
    trivial = maximum == expected
    return np.where(
        trivial, 1.0, (index - expected) / np.where(trivial, 1, maximum - expected)
    )


def _image_miou(confusion: np.ndarray) -> float:
    """Return the mIoU of one image by its own best assignment (thesis 5.1.2)."""
    return float(np.nanmean(matched_iou(confusion, match_segments(confusion))))
