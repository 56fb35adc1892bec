"""Connected regions of a label map, and merging of small ones into their neighbors."""

import heapq
from collections.abc import Sequence

import numpy as np
from scipy import ndimage


def connected_regions(labels: np.ndarray) -> np.ndarray:
    """Number the connected regions of a label map.

    A region is a set of pixels of one label that are connected over their sides
    (4-connected), as regions between contours are. Those of BSDS500's annotators are
    connected over corners, too: leave annotations as they are.

    Args:
        labels: `[height, width]` integers, any numbers.

    Returns:
        `[height, width]` int32 region numbers from 1, in the order of the regions'
        first pixels, row by row.

    Raises:
        ValueError: `labels` has no two axes, no pixels or no integers.

    Example:
        >>> connected_regions(np.array([[7, 7, 0], [0, 7, 7]]))
        array([[1, 1, 2],
               [3, 1, 1]], dtype=int32)
    """
    _check_label_map(labels)
    if not labels.size:
        raise ValueError(f"labels: no pixels in {labels.shape}")
    height, width = labels.shape
    # Pixels lie at even places; a place between two is set if they have one label.
    connected = np.zeros((2 * height - 1, 2 * width - 1), bool)
    connected[::2, ::2] = True
    connected[1::2, ::2] = labels[1:] == labels[:-1]
    connected[::2, 1::2] = labels[:, 1:] == labels[:, :-1]
    regions, _ = ndimage.label(connected)
    return regions[::2, ::2]


def merge_small_regions(labels: np.ndarray, min_region_size: int) -> np.ndarray:
    """Give every region of fewer than `min_region_size` pixels a neighbor's label.

    Regions are those of `connected_regions`. While there is more than one region and
    one is too small, the smallest takes the label of the neighboring region with which
    it shares the longest border, counted in sides of pixels, and becomes one region
    with all its neighbors of that label. Of equals, the one whose first pixel comes
    first, row by row, is taken.

    Args:
        labels: `[height, width]` integers.
        min_region_size: In pixels; 0 and 1 change nothing.

    Returns:
        `[height, width]` in the dtype of `labels`, a new array.

    Raises:
        ValueError: `labels` has no two axes or no integers, or `min_region_size` is
            below 0.

    Example:
        >>> merge_small_regions(np.array([[3, 3, 3], [3, 5, 1]]), min_region_size=2)
        array([[3, 3, 3],
               [3, 3, 3]])
    """
    _check_label_map(labels)
    _check_min_region_size(min_region_size)
    if min_region_size <= 1 or labels.size == 0:
        return labels.copy()
    regions = connected_regions(labels) - 1
    graph = _RegionGraph(labels, regions)
    graph.merge(min_region_size)
    return graph.labels()[regions]


def merged_regions(
    labels: np.ndarray, min_region_sizes: Sequence[int]
) -> list[np.ndarray]:
    """Number the regions that `merge_small_regions` leaves, for each of several sizes.

    The smallest region is always merged first, so the merging for one size begins with
    that for any lower one: all sizes together take as long as the largest.

    Args:
        labels: `[height, width]` integers, at least one pixel.
        min_region_sizes: In pixels, none below the one before; 0 and 1 merge nothing.

    Returns:
        For each size `[height, width]` integers: the same number within a region, no
        two regions of the same number.

    Raises:
        ValueError: `labels` is no such map, or a size is below 0 or the one before.

    Example:
        >>> one, two = merged_regions(np.array([[3, 3, 5, 3, 3]]), [1, 2])
        >>> one
        array([[0, 0, 1, 2, 2]])
        >>> len(np.unique(two))
        1
    """
    regions = connected_regions(labels) - 1
    graph = _RegionGraph(labels, regions)
    merged, last_size = [], 0
    for size in min_region_sizes:
        _check_min_region_size(size)
        if size < last_size:
            raise ValueError(
                f"min_region_sizes: expected rising sizes, got {size} after {last_size}"
            )
        graph.merge(size)
        merged.append(graph.merged_into()[regions])
        last_size = size
    return merged


def _check_label_map(labels: np.ndarray) -> None:
    if labels.ndim != 2 or labels.dtype.kind not in "iub":
        raise ValueError(
            f"labels: expected integers [height, width], got {labels.dtype} "
            f"{labels.shape}"
        )


def _check_min_region_size(size: int) -> None:
    if size < 0:
        raise ValueError(f"min_region_size: expected 0 or more, got {size}")


def _border_lengths(regions: np.ndarray) -> list[dict[int, int]]:
    """Return, for each region, the length of its border with each neighbor."""
    sides = [(regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:])]
    pairs = np.concatenate(
        [np.stack([here.ravel(), there.ravel()], axis=1) for here, there in sides]
    )
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    borders = [{} for _ in range(regions.max() + 1)]
    pairs, lengths = np.unique(pairs, axis=0, return_counts=True)
    for (lower, upper), length in zip(pairs.tolist(), lengths.tolist(), strict=True):
        borders[lower][upper] = borders[upper][lower] = length
    return borders


class _RegionGraph:
    """The graph of regions; a merged region keeps the number of one of its parts.

    Args:
        labels: `[height, width]` integers.
        regions: `[height, width]`, from `connected_regions`, less 1.
    """

    def __init__(self, labels: np.ndarray, regions: np.ndarray):
        numbers, first_pixels = np.unique(regions, return_index=True)
        self._label = labels.ravel()[first_pixels]
        self._size = np.bincount(regions.ravel()).tolist()
        self._borders = _border_lengths(regions)
        # Regions are numbered in the order of their first pixels.
        self._first_pixel_order = numbers.tolist()
        self._merged_into = numbers.tolist()
        self._num_regions = len(numbers)

    def merge(self, min_region_size: int) -> None:
        """Merge until no region is too small, or one is left; may go on from there."""
        queue = [
            (size, self._first_pixel_order[region], region)
            for region, size in enumerate(self._size)
            if size < min_region_size
        ]
        heapq.heapify(queue)
        while queue and self._num_regions > 1:
            size, _, region = heapq.heappop(queue)
            # Regions only grow: an entry of another size is out of date.
            if self._merged_into[region] != region or self._size[region] != size:
                continue
            merged = self._merge_region(region)
            if self._size[merged] < min_region_size:
                order = self._first_pixel_order[merged]
                heapq.heappush(queue, (self._size[merged], order, merged))

    def labels(self) -> np.ndarray:
        """Return `[regions]`, the label that each region has come to."""
        return self._label[self.merged_into()]

    def merged_into(self) -> np.ndarray:
        """Return `[regions]`, the part that names the region of which each is part."""
        return np.array([self._root(region) for region in range(len(self._label))])

    def _root(self, region: int) -> int:
        while self._merged_into[region] != region:
            region = self._merged_into[region]
        return region

    def _merge_region(self, region: int) -> int:
        """Merge a region into its neighbors of the chosen label; return the result."""
        borders = self._borders[region]
        target = max(
            borders,
            key=lambda neighbor: (
                borders[neighbor],
                -self._first_pixel_order[neighbor],
            ),
        )
        label = self._label[target]
        same_label = [
            neighbor for neighbor in borders if self._label[neighbor] == label
        ]
        parts = [region, *same_label]
        # The part with the most neighbors stays; the work is that of the others.
        whole = max(parts, key=lambda part: len(self._borders[part]))
        self._label[whole] = label
        for part in parts:
            if part != whole:
                self._absorb(whole, part)
        return whole

    def _absorb(self, whole: int, part: int) -> None:
        """Join two regions that touch, or that a third, absorbed next, connects."""
        for neighbor, length in self._borders[part].items():
            del self._borders[neighbor][part]
            if neighbor != whole:
                mine, theirs = self._borders[whole], self._borders[neighbor]
                mine[neighbor] = theirs[whole] = mine.get(neighbor, 0) + length
        self._borders[part] = {}
        self._size[whole] += self._size[part]
        self._first_pixel_order[whole] = min(
            self._first_pixel_order[whole], self._first_pixel_order[part]
        )
        self._merged_into[part] = whole
        self._num_regions -= 1
