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
from cirs_tf.oned.segmentations import Segmentation, pattern, segmentations, written

# One segmentation an image; segments of the same index are matched.
Matched = tuple[Segmentation, ...]
Ranked = tuple[Fraction, Matched]


def cross_instance_objective(
    images: Sequence[str], matched: Matched, alpha_1: float = 1, alpha_2: float = 1
) -> Fraction:
    """Return the cross-instance objective of one segmentation of all images.

    alpha_1 * sum_k sum_j sum_i (pixel j of segment k of image i - its mean over i)^2
    - alpha_2 * sum_i mean_k size(segment k of image i)

    Raises:
        ValueError: Matched segments differ in size.
    """
    variance, sizes = Fraction(0), Fraction(0)
    for segments in zip(*matched, strict=True):  # one of each image
        for aligned in zip(*segments, strict=True):  # one pixel of each image
            values = [int(image[at]) for image, at in zip(images, aligned, strict=True)]
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

    Cuts with the same patterns in every image count once, in their best matching.
    Every cut and matching is either tried or has a lower bound that is no better
    than the last of the `count` best so far.

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
    """
    choices = [_choices(image, match=number > 0) for number, image in enumerate(images)]
    best = _Best(images, count)
    # Few segments first: theirs is the best bound.
    for sizes in sorted(
        set.intersection(*map(set, choices)), key=lambda s: (len(s), s)
    ):
        segments = len(choices[0][sizes][0])
        size_term = Fraction(alpha_2) * len(images) * Fraction(len(images[0]), segments)
        search = _Search(
            [choice[sizes] for choice in choices],
            zero_variance,
            Fraction(alpha_1) / len(images),
            size_term,
            best,
        )
        search.extend((), 0)
    return best.ranked()


def _choices(image: str, match: bool) -> dict[tuple[int, ...], list[Segmentation]]:
    """Return the segmentations of an image by the sizes of their object segments.

    Object segments are ordered by size, the largest first; those of the same size
    in every order if `match`, else by pattern. Single pixels are always in order of
    their values: sorted lists have the least squared differences.
    """
    found: dict[tuple[int, ...], dict[str, Segmentation]] = {}
    for cut in segmentations(image):
        objects = [s for s in cut if image[s[0]] != BACKGROUND]
        background = cut[len(objects) :]
        objects.sort(key=lambda s: (-len(s), pattern(image, s)))
        sizes = tuple(map(len, objects))
        for order in _orders(objects) if match else [objects]:
            segmentation = (*order, *background)
            found.setdefault(sizes, {})[written(image, segmentation)] = segmentation
    return {sizes: list(by_pattern.values()) for sizes, by_pattern in found.items()}


def _orders(objects: list[tuple[int, ...]]) -> Iterator[Segmentation]:
    groups = [(size, tuple(group)) for size, group in groupby(objects, key=len)]
    orders = (permutations(group) if n > 1 else [group] for n, group in groups)
    for order in product(*orders):
        yield tuple(segment for group in order for segment in group)


class _Best:
    """The best segmentations so far, one for each set of patterns."""

    def __init__(self, images: Sequence[str], count: int):
        self.images, self.count = images, count
        self.found: dict[tuple, Ranked] = {}
        self.to_beat: Fraction | float = math.inf

    def add(self, objective: Fraction, matched: Matched) -> None:
        key = tuple(
            tuple(sorted(pattern(image, segment) for segment in segmentation))
            for image, segmentation in zip(self.images, matched, strict=True)
        )
        if key not in self.found or objective < self.found[key][0]:
            self.found[key] = (objective, matched)
        ranked = sorted(self.found.items(), key=lambda item: item[1][0])
        self.found = dict(ranked[: self.count])
        if len(self.found) == self.count:
            self.to_beat = max(objective for objective, _ in self.found.values())

    def ranked(self) -> list[Ranked]:
        """Return what was found, segments in the order of the first image."""
        ranked = []
        for objective, matched in self.found.values():
            rows = sorted(zip(*matched, strict=True), key=self._place)
            ranked.append((objective, tuple(zip(*rows, strict=True))))
        first = self.images[0]
        return sorted(
            ranked, key=lambda r: (r[0], len(r[1][0]), written(first, r[1][0]))
        )

    def _place(self, row: Segmentation) -> tuple[bool, int]:
        """Return the place of matched segments in print, the background's last."""
        start = row[0][0]
        return self.images[0][start] == BACKGROUND, start


class _Search:
    """Choose a segmentation for one image after the other.

    I times the variance is the sum over pairs of images of their squared
    differences: whole numbers that only grow with every image.
    """

    def __init__(
        self,
        choices: list[list[Segmentation]],
        zero_variance: bool,
        weight: Fraction,
        size_term: Fraction,
        best: _Best,
    ):
        self.choices, self.zero_variance, self.best = choices, zero_variance, best
        self.weight, self.size_term = weight, size_term
        self.pixels = [
            np.array(
                [
                    [int(image[at]) for segment in choice for at in segment]
                    for choice in of_image
                ]
            )
            for image, of_image in zip(best.images, choices, strict=True)
        ]  # per image [choices, pixels in the order of the segments]

    def extend(self, chosen: tuple[int, ...], cost: int) -> None:
        """Try every choice for the next image that can still be among the best."""
        number = len(chosen)
        if number == len(self.choices):
            matched = tuple(
                of_image[at] for of_image, at in zip(self.choices, chosen, strict=True)
            )
            self.best.add(self.objective(cost), matched)
            return
        so_far = [
            of_image[at] for of_image, at in zip(self.pixels, chosen, strict=False)
        ]
        # What each choice of each image to come adds by the images so far, alone.
        added = [
            sum(
                (((pixels - other) ** 2).sum(axis=1) for other in so_far),
                start=np.zeros(len(pixels), int),
            )
            for pixels in self.pixels[number:]
        ]
        later = sum(int(of_image.min()) for of_image in added[1:])
        for at in np.argsort(added[0], kind="stable"):
            grown = cost + int(added[0][at])
            if self.hopeless(grown + later):
                break
            self.extend((*chosen, int(at)), grown)

    def objective(self, cost: int) -> Fraction:
        return self.weight * cost - self.size_term

    def hopeless(self, cost: int) -> bool:
        if self.zero_variance and cost > 0:
            return True
        return self.objective(cost) >= self.best.to_beat
