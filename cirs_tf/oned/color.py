"""The color objective of thesis 4.1, minimized by trying every segmentation."""

from collections.abc import Sequence
from fractions import Fraction

from cirs_tf.oned.segmentations import Segmentation, segmentations, written


def squared_deviations(values: Sequence[int]) -> Fraction:
    """Return the sum over the values of (value - mean)^2, the thesis's var."""
    mean = Fraction(sum(values), len(values))
    return sum(((value - mean) ** 2 for value in values), start=Fraction(0))


def color_variance(image: str, segmentation: Segmentation) -> Fraction:
    """Return the squared deviations within segments, summed over the segments."""
    return sum(
        (squared_deviations([int(image[at]) for at in s]) for s in segmentation),
        start=Fraction(0),
    )


def color_objective(
    image: str, segmentation: Segmentation, alpha_1: float = 1, alpha_2: float = 1
) -> Fraction:
    """Return the share of one image in the color objective.

    alpha_1 * sum_k var(segment k) - alpha_2 * mean_k size(segment k), where the mean
    size is pixels / segments because the segments cover the image.

    Returns:
        An exact fraction, so that a tie is a tie.
    """
    mean_size = Fraction(len(image), len(segmentation))
    variance = color_variance(image, segmentation)
    return Fraction(alpha_1) * variance - Fraction(alpha_2) * mean_size


def rank_by_color(
    image: str, zero_variance: bool = True, alpha_1: float = 1, alpha_2: float = 1
) -> list[tuple[Fraction, Segmentation]]:
    """Return the segmentations of one image and their objectives, best first.

    The objective of a data set is the sum over its images, so that each image has
    its own best segmentation. The formula alone does not split '112200':

        1122|00   1 - 3 = -2        11|22|00   0 - 2 = -2

    a tie, and with one more pixel of background 1122|000 wins. Thesis 4.1.1 gets
    11|22|00 from the hard constraint that it adds "for simplicity".

    Args:
        image: A string of digits.
        zero_variance: The constraint: only segments of one color are allowed.
        alpha_1: Weight of the variance.
        alpha_2: Weight of the mean segment size.

    Returns:
        `(objective, segmentation)`; ties by fewer segments, then by their patterns.

    Reference: thesis 4.1.
    """
    ranked = [
        (color_objective(image, cut, alpha_1, alpha_2), cut)
        for cut in segmentations(image)
        if not zero_variance or color_variance(image, cut) == 0
    ]
    return sorted(ranked, key=lambda r: (r[0], len(r[1]), written(image, r[1])))
