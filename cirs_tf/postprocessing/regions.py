"""Merging of small connected regions into their neighbors."""

import heapq

import numpy as np
from scipy import ndimage


def merge_small_regions(labels: np.ndarray, minimum: int) -> np.ndarray:
    """Give every region of fewer than `minimum` pixels the label of a neighbor.

    A region is a set of pixels of one label connected over their sides (4-connected).
    While there is more than one region and one is too small, the smallest takes the
    label of the neighboring region with which it shares the longest border, counted in
    sides of pixels, and becomes one region with all its neighbors of that label. Of
    equals, the one whose first pixel comes first, row by row, is taken.

    Args:
        labels: `[height, width]` integers.
        minimum: In pixels; 0 and 1 change nothing.

    Returns:
        `[height, width]` in the dtype of `labels`, a new array.

    Raises:
        ValueError: `labels` has no two axes or no integers, or `minimum` is below 0.
    """
    if labels.ndim != 2 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels: expected integers [height, width], got {labels.dtype} "
            f"{labels.shape}"
        )
    if minimum < 0:
        raise ValueError(f"minimum: expected 0 or more, got {minimum}")
    if minimum <= 1 or labels.size == 0:
        return labels.copy()
    regions = _number_regions(labels)
    graph = _Regions(labels, regions)
    graph.merge(minimum)
    return graph.labels()[regions]


def _number_regions(labels: np.ndarray) -> np.ndarray:
    """Return `[height, width]` region numbers, ordered by first pixel, row by row."""
    regions = np.zeros(labels.shape, np.int64)
    count = 0
    for label in np.unique(labels):
        parts, found = ndimage.label(labels == label)
        regions += np.where(parts > 0, parts + count, 0)
        count += found
    _, first, inverse = np.unique(regions, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].reshape(labels.shape)


def _borders(regions: np.ndarray) -> list[dict[int, int]]:
    """Return, for each region, the length of its border with each neighbor."""
    sides = [(regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:])]
    pairs = np.concatenate(
        [np.stack([here.ravel(), there.ravel()], axis=1) for here, there in sides]
    )
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    borders = [{} for _ in range(regions.max() + 1)]
    pairs, lengths = np.unique(pairs, axis=0, return_counts=True)
    for (one, other), length in zip(pairs.tolist(), lengths.tolist(), strict=True):
        borders[one][other] = borders[other][one] = length
    return borders


class _Regions:
    """The graph of regions; a merged region goes under the number of one of its parts.

    Args:
        labels: `[height, width]` integers.
        regions: `[height, width]`, from `_number_regions`.
    """

    def __init__(self, labels: np.ndarray, regions: np.ndarray):
        numbers, first = np.unique(regions, return_index=True)
        self._label = labels.ravel()[first]
        self._size = np.bincount(regions.ravel()).tolist()
        self._borders = _borders(regions)
        self._first = numbers.tolist()  # The order of first pixels.
        self._merged_into = numbers.tolist()
        self._left = len(numbers)

    def merge(self, minimum: int) -> None:
        """Merge until no region is below `minimum` pixels, or one is left."""
        queue = [
            (size, first, first)
            for first, size in enumerate(self._size)
            if size < minimum
        ]
        heapq.heapify(queue)
        while queue and self._left > 1:
            size, _, region = heapq.heappop(queue)
            # Regions only grow: an entry of another size is out of date.
            if self._merged_into[region] != region or self._size[region] != size:
                continue
            merged = self._merge_one(region)
            if self._size[merged] < minimum:
                entry = (self._size[merged], self._first[merged], merged)
                heapq.heappush(queue, entry)

    def labels(self) -> np.ndarray:
        """Return `[regions]`, the label that each region has come to."""
        roots = [self._root(region) for region in range(len(self._label))]
        return self._label[roots]

    def _root(self, region: int) -> int:
        while self._merged_into[region] != region:
            region = self._merged_into[region]
        return region

    def _merge_one(self, region: int) -> int:
        """Merge a region into its neighbors of the chosen label; return the whole."""
        borders = self._borders[region]
        target = max(borders, key=lambda other: (borders[other], -self._first[other]))
        label = self._label[target]
        parts = [region, *(one for one in borders if self._label[one] == label)]
        # The part with the most neighbors stays; the work is that of the others.
        whole = max(parts, key=lambda part: len(self._borders[part]))
        self._label[whole] = label
        for part in parts:
            if part != whole:
                self._absorb(whole, part)
        return whole

    def _absorb(self, whole: int, part: int) -> None:
        """Join two regions that touch, or that a third, absorbed next, connects."""
        for other, length in self._borders[part].items():
            del self._borders[other][part]
            if other != whole:
                mine, theirs = self._borders[whole], self._borders[other]
                mine[other] = theirs[whole] = mine.get(other, 0) + length
        self._borders[part] = {}
        self._size[whole] += self._size[part]
        self._first[whole] = min(self._first[whole], self._first[part])
        self._merged_into[part] = whole
        self._left -= 1
