"""How often words appear together within a distance."""

import math
from collections.abc import Iterable

import numpy as np


def half_disc(radius: int, stride: int) -> list[tuple[int, int]]:
    """Return offsets up to a distance, one of each pair (d, -d), without (0, 0).

    Args:
        radius: Largest distance in pixels.
        stride: Offsets are multiples of it.

    Returns:
        (rows, columns); rows are 0 or positive.
    """
    reach = radius // stride * stride
    columns = range(-reach, reach + 1, stride)
    return [
        (row, column)
        for row in range(0, reach + 1, stride)
        for column in columns
        if (row, column) > (0, 0) and math.hypot(row, column) <= radius
    ]


def count_cooccurrences(
    batches: Iterable[np.ndarray], num_words: int, radius: int
) -> np.ndarray:
    """Count pairs of pixels by their words, one batch of images in memory at a time.

        C[a, b] = number of ordered pairs of pixels of one image with words a and b
                  whose offset is one of the disc

    The disc is sampled: offsets are multiples of a quarter of the radius, rounded down
    and at least 1.

    Args:
        batches: Each `[images, height, width]` integers in [0, num_words).
        num_words: Number of words.
        radius: Largest distance of a pair in pixels.

    Returns:
        `[num_words, num_words]` int64, symmetric.
    """
    offsets = half_disc(radius, max(1, radius // 4))
    counts = np.zeros(num_words**2, np.int64)
    for words in batches:
        words = words.astype(np.int64)
        height, width = words.shape[1:]
        for rows, columns in offsets:
            if rows >= height or abs(columns) >= width:
                continue
            left, right = max(0, -columns), max(0, columns)
            first = words[:, : height - rows, left : width - right]
            second = words[:, rows:, right : width - left]
            pairs = (first * num_words + second).ravel()
            counts += np.bincount(pairs, minlength=num_words**2)
    square = counts.reshape(num_words, num_words)
    return square + square.T
