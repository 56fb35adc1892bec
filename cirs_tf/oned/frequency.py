"""The pattern-frequency procedure of thesis 12.1, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

from cirs_tf.oned.images import BACKGROUND


@dataclass(frozen=True)
class Step:
    """One round of steps 1 to 4, which finds one object."""

    images: tuple[str, ...]  # before
    counts: dict[str, int]  # images that hold the pattern, for every pattern
    pattern: str  # the selected one
    ties: tuple[str, ...]  # others as frequent and as long
    found_at: tuple[int | None, ...]  # location of its first pixel in every image
    left: tuple[str, ...]  # the images with the pattern replaced by background


def pattern_counts(images: Sequence[str]) -> dict[str, int]:
    """Return for every pattern the number of images that hold it (steps 1 and 2).

    Patterns are all strings of adjacent pixels, background or not, from size 1 to
    the whole image; by size, then in order of appearance.
    """
    width = len(images[0])
    counts: dict[str, int] = {}
    for size in range(1, width + 1):
        for image in images:
            # A dictionary, not a set, to keep the order of appearance.
            for found in dict.fromkeys(
                image[at : at + size] for at in range(width - size + 1)
            ):
                counts[found] = counts.get(found, 0) + 1
    return counts


def select_patterns(counts: dict[str, int]) -> list[str]:
    """Return the largest of the most frequent patterns (step 3), ties by appearance.

    Only patterns without background are candidates: '0' is no part of an object. An
    object that never touches the border would otherwise be selected with it.
    """
    candidates = {p: n for p, n in counts.items() if BACKGROUND not in p}
    if not candidates:
        return []
    best = max((n, len(p)) for p, n in candidates.items())
    return [p for p, n in candidates.items() if (n, len(p)) == best]


def find_objects(images: Sequence[str], objects: int | None = None) -> list[Step]:
    """Run the procedure until it found the objects or all is background (step 5).

    Step 4 matches the leftmost occurrence in every image that holds the pattern. It
    finds exactly the objects if in no image two of them touch; `12121`, of 12 and
    121, is matched as 121|21.

    Args:
        images: Strings of digits of one length.
        objects: How many to look for at most; None for all.

    Returns:
        One `Step` an object, in the order of discovery.

    Reference: thesis 12.1.
    """
    steps: list[Step] = []
    current = tuple(images)
    while objects is None or len(steps) < objects:
        counts = pattern_counts(current)
        selected = select_patterns(counts)
        if not selected:
            break
        chosen, *ties = selected
        blank = BACKGROUND * len(chosen)
        steps.append(
            Step(
                images=current,
                counts=counts,
                pattern=chosen,
                ties=tuple(ties),
                found_at=tuple(
                    i.find(chosen) if chosen in i else None for i in current
                ),
                left=tuple(image.replace(chosen, blank, 1) for image in current),
            )
        )
        current = steps[-1].left
    return steps
