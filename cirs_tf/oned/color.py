"""The color objective of thesis 4.1, minimized by trying every segmentation."""

from collections.abc import Sequence
from fractions import Fraction

from cirs_tf.oned.segmentations import Segmentation, format_patterns, segmentations


def squared_deviations(values: Sequence[int]) -> Fraction:
    """Return sum_i (value_i - mean)^2, the thesis's var.

    Args:
        values: At least one.

    Example:
        >>> squared_deviations([1, 1, 2])
        Fraction(2, 3)
    """
    mean = Fraction(sum(values), len(values))
    return sum(((value - mean) ** 2 for value in values), start=Fraction(0))


def color_variance(image: str, segmentation: Segmentation) -> Fraction:
    """Return the squared deviations within segments, summed over the segments.

    Args:
        image: A string of digits.
        segmentation: One of its segmentations.
    """
    colors = [[int(image[i]) for i in segment] for segment in segmentation]
    return sum(map(squared_deviations, colors), start=Fraction(0))


def color_objective(
    image: str, segmentation: Segmentation, alpha_1: float = 1, alpha_2: float = 1
) -> Fraction:
    """Return the color objective of one image.

        alpha_1 sum_k var(segment k) - alpha_2 mean_k size(segment k)

    where the mean size is pixels / segments because the segments cover the image.

    Args:
        image: A string of digits.
        segmentation: One of its segmentations.
        alpha_1: Weight of the variance.
        alpha_2: Weight of the mean segment size.

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

    Example:
        >>> objective, segmentation = rank_by_color("112200")[0]
        >>> format_patterns("112200", segmentation), int(objective)
        ('11|22|00', -2)
    """
    ranked = [
        (color_objective(image, segmentation, alpha_1, alpha_2), segmentation)
        for segmentation in segmentations(image)
        if not zero_variance or color_variance(image, segmentation) == 0
    ]
    return sorted(ranked, key=lambda r: (r[0], len(r[1]), format_patterns(image, r[1])))
