"""The pattern-frequency procedure of thesis 12.1, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

from cirs_tf.oned.images import BACKGROUND


@dataclass(frozen=True)
class Step:
    """One round of steps 1 to 4 of the procedure, which finds one object.

    Attributes:
        images: The images before the step.
        counts: For every pattern, the number of images that hold it.
        pattern: The selected pattern.
        ties: Other patterns that are as frequent and as long.
        locations: Location of the pattern's first pixel in each image, None where an
            image does not hold it.
        remaining: The images with the pattern replaced by background.
    """

    images: tuple[str, ...]
    counts: dict[str, int]
    pattern: str
    ties: tuple[str, ...]
    locations: tuple[int | None, ...]
    remaining: tuple[str, ...]


def pattern_counts(images: Sequence[str]) -> dict[str, int]:
    """Return for every pattern the number of images that hold it (steps 1 and 2).

    Patterns are all strings of adjacent pixels, background or not, from size 1 to
    the whole image.

    Args:
        images: Strings of digits of one length.

    Returns:
        Pattern to count, by size, then in order of appearance.

    Example:
        >>> pattern_counts(["10", "01"])
        {'1': 2, '0': 2, '10': 1, '01': 1}
    """
    width = len(images[0])
    counts: dict[str, int] = {}
    for size in range(1, width + 1):
        for image in images:
            starts = range(width - size + 1)
            # A dictionary, not a set, to keep the order of appearance.
            for pattern in dict.fromkeys(image[i : i + size] for i in starts):
                counts[pattern] = counts.get(pattern, 0) + 1
    return counts


def select_patterns(counts: dict[str, int]) -> list[str]:
    """Return the largest of the most frequent patterns (step 3), ties by appearance.

    Only patterns without background are candidates: '0' is no part of an object. An
    object that never touches the border would otherwise be selected with it.

    Args:
        counts: From `pattern_counts`.

    Returns:
        All patterns of the highest count and then the largest size; empty where there
        is no pattern without background.
    """
    candidates = {p: count for p, count in counts.items() if BACKGROUND not in p}
    if not candidates:
        return []
    best = max((count, len(p)) for p, count in candidates.items())
    return [p for p, count in candidates.items() if (count, len(p)) == best]


def find_objects(images: Sequence[str], max_objects: int | None = None) -> list[Step]:
    """Run the procedure until it found the objects or all is background (step 5).

    Step 4 matches the leftmost occurrence in every image that holds the pattern. It
    finds exactly the objects if in no image two of them touch; `12121`, of 12 and
    121, is matched as 121|21.

    Args:
        images: Strings of digits of one length.
        max_objects: Largest number of objects to find; None for all.

    Returns:
        One `Step` per object, in the order of discovery.

    Reference: thesis 12.1.

    Example:
        >>> [step.pattern for step in find_objects(["112200", "011220", "001122"])]
        ['1122']
    """
    steps: list[Step] = []
    current = tuple(images)
    while max_objects is None or len(steps) < max_objects:
        counts = pattern_counts(current)
        selected = select_patterns(counts)
        if not selected:
            break
        pattern, *ties = selected
        blank = BACKGROUND * len(pattern)
        locations = (image.find(pattern) for image in current)
        remaining = tuple(image.replace(pattern, blank, 1) for image in current)
        steps.append(
            Step(
                images=current,
                counts=counts,
                pattern=pattern,
                ties=tuple(ties),
                locations=tuple(None if i < 0 else i for i in locations),
                remaining=remaining,
            )
        )
        current = remaining
    return steps
