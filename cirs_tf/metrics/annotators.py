"""Scores against the annotations of several people, as BSDS500 aggregates them.

Annotators drew connected regions, while a segmenter of K segments gives one number to
regions that lie apart. Label maps are scored as given; the caller chooses whether
`connected_regions` (`postprocessing.regions`) comes first, and should say so. It is the
fairer comparison with published figures, as those of W-Net with its hierarchy of
contours, whose regions are connected, too; but those also merge small regions, at the
scale that scores best (ODS: one scale for the data set, OIS: one per image). For that
there is `ScaleMetric` (`metrics.scales`), and `cirs_tf.runs.annotator_scales` merges
the regions of a run. Many tiny regions hurt, the variation of information most: a true
region of n of N pixels, cut in m equal parts, costs n / N log2(m) bits.

Reference: Arbelaez et al. 2011, as `partition_scores`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from cirs_tf.metrics.partition_scores import PartitionScores, partition_scores


@dataclasses.dataclass(frozen=True)
class AnnotatorScores:
    """Scores of a data split against its annotations, aggregated as the benchmark does.

    Attributes:
        covering: Segmentation covering of the truth by the prediction, in [0, 1], 1 is
            best. Pooled: covered pixels of all annotations of all images over all their
            pixels, so images count by their number of annotations (and size).
        probabilistic_rand: Probabilistic Rand index, in [0, 1], 1 is best. Mean over
            the annotations of each image, then over images.
        variation_of_information: In bits, 0 or more, 0 is best. Mean over the
            annotations of each image, then over images.
        images: Number of images.
    """

    covering: float
    probabilistic_rand: float
    variation_of_information: float
    images: int


def score_annotators(
    y_true: Sequence[Sequence[np.ndarray]], y_pred: Sequence[np.ndarray]
) -> AnnotatorScores:
    """Score predicted label maps against all annotations of each image.

        covering = sum over images i, annotations j of N_i covering_ij
                   / sum over i, j of N_i
        probabilistic_rand = mean over i of mean over j of rand_index_ij
        variation_of_information = mean over i of mean over j of VI_ij

    with N_i pixels and the scores of `partition_scores`. The mean of Rand indices is
    the probabilistic Rand index with empirical probabilities: that is the mean over
    pixel pairs of c p + (1 - c)(1 - p), where c says whether the prediction joins the
    pair and p is the share of annotators who do. p enters linearly, so the mean over
    annotators can be taken last. The benchmark leaves pixels of label 0 out of the
    covering; BSDS500 has none.

    Args:
        y_true: For each image its annotations, one or more: one `[height, width]`
            integer label map per annotator, any numbers.
        y_pred: For each image one `[height, width]` integer label map, any numbers.

    Returns:
        The scores.

    Raises:
        ValueError: There is no image, an image without annotations or pixels, labels
            that are no integers, or shapes or numbers of images differ.

    Reference: Unnikrishnan, Pantofaru, Hebert 2007 (probabilistic Rand index).

    Example:
        Right for the first annotator, two halves of the second one's single region.

        >>> halves = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
        >>> annotations = [[halves, np.zeros_like(halves)]]
        >>> scores = score_annotators(annotations, [halves])
        >>> scores.covering, scores.variation_of_information
        (0.75, 0.5)
    """
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"y_true: expected the annotations of {len(y_pred)} images, got "
            f"{len(y_true)}"
        )
    if not len(y_pred):
        raise ValueError("no images to score")
    covered = pixels = 0.0
    rand_indices, variations = [], []
    for index, (annotations, labels) in enumerate(zip(y_true, y_pred, strict=True)):
        scores = _image_scores(annotations, labels, index)
        covered += sum(labels.size * score.covering for score in scores)
        pixels += labels.size * len(scores)
        rand_indices.append(np.mean([score.rand_index for score in scores]))
        variations.append(np.mean([score.variation_of_information for score in scores]))
    return AnnotatorScores(
        covering=float(covered / pixels),
        probabilistic_rand=float(np.mean(rand_indices)),
        variation_of_information=float(np.mean(variations)),
        images=len(y_pred),
    )


def _image_scores(
    annotations: Sequence[np.ndarray], labels: np.ndarray, index: int
) -> list[PartitionScores]:
    """Return the scores of one image against each of its annotations."""
    if not len(annotations):
        raise ValueError(f"image {index}: no annotations")
    try:
        return [partition_scores(annotation, labels) for annotation in annotations]
    except ValueError as error:
        raise ValueError(f"image {index}: {error}") from None
