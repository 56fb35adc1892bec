"""Scores of segmentations at several scales: ODS and OIS, as BSDS500 reports them.

Reference: Arbelaez et al. 2011, section 5; the benchmark's collect_eval_reg, as
`partition_scores`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from cirs_tf.metrics.partition_scores import PartitionScores, partition_scores


@dataclasses.dataclass(frozen=True)
class ScaleScores:
    """Scores of a data split that was segmented at several scales.

    ODS: the best of the scores that one scale has over all images. OIS: each image at
    the scale that is best for it. Each measure has a best scale of its own. Choosing
    takes the annotations of the split; `AnnotatorScores` are those of a scale chosen
    before.

    Attributes:
        covering: ODS covering, pooled over annotations, in [0, 1], 1 is best.
        probabilistic_rand: ODS probabilistic Rand index, in [0, 1], 1 is best.
        variation_of_information: ODS, in bits, 0 or more, 0 is best.
        covering_ois: OIS covering.
        probabilistic_rand_ois: OIS probabilistic Rand index.
        variation_of_information_ois: OIS variation of information.
        scale: Index of the scale of the ODS covering.
        probabilistic_rand_scale: Likewise of the ODS probabilistic Rand index.
        variation_of_information_scale: Likewise of the ODS variation of information.
        images: Number of images.
    """

    covering: float
    probabilistic_rand: float
    variation_of_information: float
    covering_ois: float
    probabilistic_rand_ois: float
    variation_of_information_ois: float
    scale: int
    probabilistic_rand_scale: int
    variation_of_information_scale: int
    images: int


class ScaleMetric:
    """Sums up scores image by image.

    Example:
        One region everywhere, or two halves, which the annotator drew, too.

        >>> halves = np.array([[0, 0, 1, 1]])
        >>> metric = ScaleMetric()
        >>> metric.update_state([halves], [np.zeros_like(halves), halves])
        >>> metric.result().covering, metric.result().scale
        (1.0, 1)
    """

    def __init__(self):
        self._means: list[np.ndarray] = []  # of each image, [scales, measures]
        self._weights: list[int] = []

    def update_state(
        self, annotations: Sequence[np.ndarray], label_maps: Sequence[np.ndarray]
    ) -> None:
        """Add an image.

        Args:
            annotations: One `[height, width]` integer label map per annotator.
            label_maps: One such map per scale, in the same order for all images.
        """
        scores = [
            [partition_scores(annotation, labels) for annotation in annotations]
            for labels in label_maps
        ]
        self.update_scores(scores, annotations[0].size)

    def update_scores(
        self, scores: Sequence[Sequence[PartitionScores]], pixels: int
    ) -> None:
        """Add an image whose scores are known.

        Args:
            scores: By scale, then by annotator.
            pixels: Of the image.
        """
        if self._means and len(scores) != len(self._means[0]):
            raise ValueError(
                f"scores: expected {len(self._means[0])} scales, got {len(scores)}"
            )
        self._means.append(np.mean(scores, axis=1))
        self._weights.append(pixels * len(scores[0]))

    def result(self) -> ScaleScores:
        """Return the scores of the images so far; at least one."""
        covering, rand_index, variation = np.moveaxis(np.array(self._means), 2, 0)
        weights = np.array(self._weights) / np.sum(self._weights)
        # Of each scale, over all images.
        pooled = weights @ covering
        rand_means, variation_means = rand_index.mean(axis=0), variation.mean(axis=0)
        return ScaleScores(
            covering=float(pooled.max()),
            probabilistic_rand=float(rand_means.max()),
            variation_of_information=float(variation_means.min()),
            covering_ois=float(weights @ covering.max(axis=1)),
            probabilistic_rand_ois=float(rand_index.max(axis=1).mean()),
            variation_of_information_ois=float(variation.min(axis=1).mean()),
            scale=int(pooled.argmax()),
            probabilistic_rand_scale=int(rand_means.argmax()),
            variation_of_information_scale=int(variation_means.argmin()),
            images=len(self._means),
        )
