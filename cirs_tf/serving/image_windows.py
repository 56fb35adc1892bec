"""Images taken some at a time, so that those of one size can go through a network."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
WINDOW_PIXELS = 2**20


def windows(
    items: Iterable[Item],
    pixels: Callable[[Item], int],
    most: int | None = None,
    most_pixels: int = WINDOW_PIXELS,
) -> Iterator[list[Item]]:
    """Yield items in lists, in their order; an item is asked for when it has room.

    Args:
        items: Images, or what holds them.
        pixels: The number of pixels of an item.
        most: Items in a list, at least 1; None: as many as the pixels allow.
        most_pixels: Pixels in a list; an item of more is a list by itself. The next
            item, which had no room, is in memory too while a list is used.

    Example:
        >>> list(windows("aabcdd", lambda letter: 3 if letter == "c" else 1, 2, 3))
        [['a', 'a'], ['b'], ['c'], ['d', 'd']]
    """
    window, total = [], 0
    for item in items:
        size = pixels(item)
        if window and total + size > most_pixels:
            yield window
            window, total = [], 0
        window.append(item)
        total += size
        # Before the next is asked for, which may be as large.
        if total >= most_pixels or len(window) == most:
            yield window
            window, total = [], 0
    if window:
        yield window


def of_one_size(images: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the indices of images by size, sizes in the order of their first image.

    Args:
        images: `[height, width, 3]` each.

    Example:
        >>> small, large = np.zeros((2, 2, 3)), np.zeros((3, 2, 3))
        >>> of_one_size([small, large, small])
        [[0, 2], [1]]
    """
    indices: dict[Hashable, list[int]] = {}
    for index, image in enumerate(images):
        indices.setdefault(image.shape, []).append(index)
    return list(indices.values())
