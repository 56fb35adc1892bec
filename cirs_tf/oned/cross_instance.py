"""The cross-instance objective of thesis 4.2, minimized by exhaustive search.

Segments of the same index are matched. The thesis leaves open what is aligned when
their sizes differ between images; here matched segments have the same size in every
image, which objects without occlusion have.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, permutations, product

import numpy as np

from cirs_tf.oned.color import squared_deviations
from cirs_tf.oned.images import BACKGROUND
from cirs_tf.oned.segmentations import (
    Segmentation,
    format_patterns,
    segment_pattern,
    segmentations,
)

# One segmentation per image; segments of the same index are matched.
MatchedSegmentations = tuple[Segmentation, ...]
Ranked = tuple[Fraction, MatchedSegmentations]


def cross_instance_objective(
    images: Sequence[str],
    matched: MatchedSegmentations,
    alpha_1: float = 1,
    alpha_2: float = 1,
) -> Fraction:
    """Return the cross-instance objective of one segmentation of all images.

        alpha_1 sum_k sum_j sum_i (pixel j of segment k of image i - its mean over i)^2
        - alpha_2 sum_i mean_k size(segment k of image i)

    Args:
        images: Strings of digits.
        matched: One segmentation per image.
        alpha_1: Weight of the variance.
        alpha_2: Weight of the mean segment size.

    Returns:
        An exact fraction.

    Raises:
        ValueError: Matched segments differ in size.
    """
    variance, sizes = Fraction(0), Fraction(0)
    for segments in zip(*matched, strict=True):  # one segment of each image
        if len(set(map(len, segments))) > 1:
            raise ValueError(f"matched segments differ in size: {segments}")
        for pixels in zip(*segments, strict=True):  # one pixel of each image
            values = [int(image[i]) for image, i in zip(images, pixels, strict=True)]
            variance += squared_deviations(values)
    for image, segmentation in zip(images, matched, strict=True):
        sizes += Fraction(len(image), len(segmentation))
    return Fraction(alpha_1) * variance - Fraction(alpha_2) * sizes


def rank_by_cross_instance(
    images: Sequence[str],
    zero_variance: bool = True,
    alpha_1: float = 1,
    alpha_2: float = 1,
    count: int = 4,
) -> list[Ranked]:
    """Return the best segmentations of all images and their objectives, best first.

    Segmentations with the same patterns in every image count once, in their best
    matching. Every one is either tried or has a lower bound that is no better than the
    last of the `count` best so far.

    Args:
        images: Strings of digits of one length.
        zero_variance: The hard constraint of thesis 4.2.1: matched segments are
            equal. The objective is then -images * pixels / segments.
        alpha_1: Weight of the variance, not negative.
        alpha_2: Weight of the mean segment size.
        count: How many to return.

    Returns:
        At most `count` pairs; fewer, perhaps none, where images share no
        segmentation, for example because their numbers of object pixels differ.

    Reference: thesis 4.2.

    Example:
        >>> images = ["112200", "011220", "001122"]
        >>> objective, matched = rank_by_cross_instance(images)[0]
        >>> format_patterns(images[0], matched[0]), int(objective)
        ('1122|00', -9)
    """
    choices = [
        _choices_by_sizes(image, every_order=index > 0)
        for index, image in enumerate(images)
    ]
    best = _BestSoFar(images, count)
    shared_sizes = set.intersection(*map(set, choices))
    # Few segments first: theirs is the best bound.
    for sizes in sorted(shared_sizes, key=lambda s: (len(s), s)):
        num_segments = len(choices[0][sizes][0])
        mean_sizes = len(images) * Fraction(len(images[0]), num_segments)
        search = _Search(
            [choice[sizes] for choice in choices],
            zero_variance,
            Fraction(alpha_1) / len(images),
            Fraction(alpha_2) * mean_sizes,
            best,
        )
        search.extend((), 0)
    return best.ranked()


def _choices_by_sizes(
    image: str, every_order: bool
) -> dict[tuple[int, ...], list[Segmentation]]:
    """Return the segmentations of an image by the sizes of their object segments.

    Object segments are ordered by size, the largest first; those of the same size
    in every order if `every_order`, else by pattern. Single pixels are always in order
    of their values: sorted lists have the least squared differences.
    """
    choices: dict[tuple[int, ...], dict[str, Segmentation]] = {}
    for segmentation in segmentations(image):
        objects = [s for s in segmentation if image[s[0]] != BACKGROUND]
        background = segmentation[len(objects) :]
        objects.sort(key=lambda s: (-len(s), segment_pattern(image, s)))
        sizes = tuple(map(len, objects))
        for order in _orders(objects) if every_order else [objects]:
            ordered = (*order, *background)
            choices.setdefault(sizes, {})[format_patterns(image, ordered)] = ordered
    return {sizes: list(by_pattern.values()) for sizes, by_pattern in choices.items()}


def _orders(objects: list[tuple[int, ...]]) -> Iterator[Segmentation]:
    """Yield every order in which segments of the same size change places."""
    groups = [(size, tuple(group)) for size, group in groupby(objects, key=len)]
    orders = (permutations(group) if n > 1 else [group] for n, group in groups)
    for order in product(*orders):
        yield tuple(segment for group in order for segment in group)


class _BestSoFar:
    """The best segmentations so far, one for each set of patterns.

    Args:
        images: Strings of digits.
        count: How many to keep.
    """

    def __init__(self, images: Sequence[str], count: int):
        self.images, self.count = images, count
        self.to_beat: Fraction | float = math.inf
        self._best: dict[tuple, Ranked] = {}

    def add(self, objective: Fraction, matched: MatchedSegmentations) -> None:
        """Keep a segmentation if it is among the best."""
        patterns = tuple(
            tuple(sorted(segment_pattern(image, segment) for segment in segmentation))
            for image, segmentation in zip(self.images, matched, strict=True)
        )
        if patterns not in self._best or objective < self._best[patterns][0]:
            self._best[patterns] = (objective, matched)
        ranked = sorted(self._best.items(), key=lambda item: item[1][0])
        self._best = dict(ranked[: self.count])
        if len(self._best) == self.count:
            self.to_beat = max(objective for objective, _ in self._best.values())

    def ranked(self) -> list[Ranked]:
        """Return the best, best first, segments in the order of the first image."""
        ranked = []
        for objective, matched in self._best.values():
            rows = sorted(zip(*matched, strict=True), key=self._print_order)
            ranked.append((objective, tuple(zip(*rows, strict=True))))
        image = self.images[0]
        return sorted(
            ranked, key=lambda r: (r[0], len(r[1][0]), format_patterns(image, r[1][0]))
        )

    def _print_order(self, row: Segmentation) -> tuple[bool, int]:
        """Return the sort key of matched segments; the background's come last."""
        start = row[0][0]
        return self.images[0][start] == BACKGROUND, start


class _Search:
    """Choose a segmentation for one image after the other.

    I times the variance is the sum over pairs of images of their squared
    differences: whole numbers that only grow with every image.

    Args:
        choices: For each image its segmentations, all of one list of sizes.
        zero_variance: Whether matched segments must be equal.
        weight: Weight of the squared differences, alpha_1 / I.
        size_term: What the mean segment sizes take off the objective.
        best: Where segmentations are added.
    """

    def __init__(
        self,
        choices: list[list[Segmentation]],
        zero_variance: bool,
        weight: Fraction,
        size_term: Fraction,
        best: _BestSoFar,
    ):
        self.choices, self.zero_variance, self.best = choices, zero_variance, best
        self.weight, self.size_term = weight, size_term
        # For each image [choices, pixels in the order of the segments].
        self.pixels = [
            np.array(
                [
                    [int(image[i]) for s in segmentation for i in s]
                    for segmentation in image_choices
                ]
            )
            for image, image_choices in zip(best.images, choices, strict=True)
        ]

    def extend(self, chosen: tuple[int, ...], cost: int) -> None:
        """Try every choice for the next image that can still be among the best.

        Args:
            chosen: Index of the choice for each of the first images.
            cost: Their summed squared differences.
        """
        image = len(chosen)
        if image == len(self.choices):
            pairs = zip(self.choices, chosen, strict=True)
            self.best.add(self._objective(cost), tuple(c[i] for c, i in pairs))
            return
        chosen_pixels = [
            pixels[i] for pixels, i in zip(self.pixels, chosen, strict=False)
        ]
        # What each choice for each image to come adds by the chosen ones alone.
        added = [
            sum(
                (((pixels - other) ** 2).sum(axis=1) for other in chosen_pixels),
                start=np.zeros(len(pixels), int),
            )
            for pixels in self.pixels[image:]
        ]
        least_later = sum(int(costs.min()) for costs in added[1:])
        for choice in np.argsort(added[0], kind="stable"):
            new_cost = cost + int(added[0][choice])
            if self._is_hopeless(new_cost + least_later):
                break
            self.extend((*chosen, int(choice)), new_cost)

    def _objective(self, cost: int) -> Fraction:
        return self.weight * cost - self.size_term

    def _is_hopeless(self, cost: int) -> bool:
        if self.zero_variance and cost > 0:
            return True
        return self._objective(cost) >= self.best.to_beat
