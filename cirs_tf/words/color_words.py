"""Color words: clusters of the colors that occur in unlabeled images."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans

LEVELS = 32  # per channel
_BIN_WIDTH = 256 // LEVELS


class ColorHistogram(NamedTuple):
    """Counts and mean colors of the bins of a color cube.

    Attributes:
        counts: `[LEVELS ** 3]` int64, pixels per bin; bin (r LEVELS + g) LEVELS + b.
        sums: `[LEVELS ** 3, 3]` int64, their colors in [0, 255], summed.
    """

    counts: np.ndarray
    sums: np.ndarray


class ColorWords(NamedTuple):
    """A vocabulary of colors.

    Attributes:
        colors: `[words, 3]` float64 in [0, 1], the center of each word.
        table: `[LEVELS, LEVELS, LEVELS]` int32, the word of each bin of the color cube.
    """

    colors: np.ndarray
    table: np.ndarray


def color_bins(images: np.ndarray) -> np.ndarray:
    """Return the bin of every pixel.

    Args:
        images: `[..., 3]` uint8.

    Returns:
        `[...]` int64 in [0, LEVELS ** 3).
    """
    levels = images.astype(np.int64) // _BIN_WIDTH
    return (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]


def color_histogram(batches: Iterable[np.ndarray]) -> ColorHistogram:
    """Count colors, one batch of images in memory at a time.

    Args:
        batches: Each `[images, height, width, 3]` uint8.
    """
    counts = np.zeros(LEVELS**3, np.int64)
    sums = np.zeros((LEVELS**3, 3), np.int64)
    for images in batches:
        bins = color_bins(images).ravel()
        counts += np.bincount(bins, minlength=LEVELS**3)
        for channel in range(3):
            values = images[..., channel].ravel()
            # Exact: the sums stay far below 2 ** 53.
            weighted = np.bincount(bins, values, minlength=LEVELS**3)
            sums[:, channel] += weighted.astype(np.int64)
    return ColorHistogram(counts, sums)


def fit_color_words(histogram: ColorHistogram, count: int, seed: int) -> ColorWords:
    """Cluster the colors that occur by k-means, each bin weighing sqrt(its pixels).

    The square root keeps the colors of small objects from sharing the words of a large
    background.

    Args:
        histogram: Of unlabeled images.
        count: Number of words; fewer where fewer bins are occupied.
        seed: Seed of the first centers.

    Returns:
        The words. A bin that no pixel fell into has the word of the nearest color.
    """
    (occupied,) = np.nonzero(histogram.counts)
    weights = histogram.counts[occupied]
    colors = histogram.sums[occupied] / weights[:, None] / 255
    kmeans = KMeans(min(count, len(occupied)), n_init=1, random_state=seed)
    kmeans.fit(colors, sample_weight=np.sqrt(weights))
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    table = kmeans.predict(cube.reshape(-1, 3))
    table[occupied] = kmeans.labels_
    table = table.astype(np.int32).reshape((LEVELS,) * 3)
    return ColorWords(kmeans.cluster_centers_, table)


def words_of(images: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the word of every pixel.

    Args:
        images: `[..., 3]` uint8.
        table: From `ColorWords`.

    Returns:
        `[...]` int32.
    """
    return table.ravel()[color_bins(images)]
