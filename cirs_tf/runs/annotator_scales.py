"""ODS and OIS of one segmentation per image: its small regions merged, more and more.

The scales are the connected regions of the segments, those of fewer pixels than a share
of the image merged into their neighbors (`merged_regions`), for each of
`MIN_REGION_SHARES`. Departs from Arbelaez et al. 2011, whose scales are the cuts of a
hierarchy of contours: here size alone decides what is merged. As there, the annotations
that the scores are from choose the scale.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from cirs_tf.metrics.annotators import AnnotatorScores
from cirs_tf.metrics.scales import ScaleMetric
from cirs_tf.postprocessing.regions import merged_regions

# 0, then 1/4096 to 1/4, doubling. Half of an image is left out: it would leave one
# region nearly everywhere, which has a low variation of information whatever the
# segments are.
MIN_REGION_SHARES = (0.0, *(2.0**-exponent for exponent in range(12, 1, -1)))


@dataclasses.dataclass(frozen=True)
class BestScaleScores:
    """Scores at the sizes of regions that score best, by the annotations themselves.

    Attributes:
        ods: Each measure at the size that is best for it over all images.
        ois: Each measure and image at the size that is best for it.
        ods_min_region_size: The size of `ods` by measure, in pixels: regions of fewer
            pixels were merged.
    """

    ods: AnnotatorScores
    ois: AnnotatorScores
    ods_min_region_size: dict[str, int]


def min_region_sizes(height: int, width: int) -> list[int]:
    """Return the scales of an image: regions of fewer pixels are merged.

    Args:
        height: Of the image, in pixels.
        width: Likewise.

    Returns:
        One size for each of `MIN_REGION_SHARES`, rising.

    Example:
        >>> min_region_sizes(321, 481)[:4]
        [0, 38, 76, 151]
    """
    return [math.ceil(share * height * width) for share in MIN_REGION_SHARES]


def scores_at_scales(
    labels: np.ndarray, annotations: Sequence[Sequence[np.ndarray]]
) -> BestScaleScores:
    """Score segmentations at the sizes of regions that score best.

    Args:
        labels: `[images, height, width]` integers, at least one image.
        annotations: For each image one `[height, width]` label map per annotator.

    Returns:
        The scores; of equal sizes, the least.
    """
    sizes = min_region_sizes(*labels.shape[1:])
    metric = ScaleMetric()
    for label_map, by_annotator in zip(labels, annotations, strict=True):
        metric.update_state(by_annotator, merged_regions(label_map, sizes))
    found = metric.result()
    return BestScaleScores(
        ods=AnnotatorScores(
            found.covering,
            found.probabilistic_rand,
            found.variation_of_information,
            found.images,
        ),
        ois=AnnotatorScores(
            found.covering_ois,
            found.probabilistic_rand_ois,
            found.variation_of_information_ois,
            found.images,
        ),
        ods_min_region_size={
            "covering": sizes[found.scale],
            "probabilistic_rand": sizes[found.probabilistic_rand_scale],
            "variation_of_information": sizes[found.variation_of_information_scale],
        },
    )
