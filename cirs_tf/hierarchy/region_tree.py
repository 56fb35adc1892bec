"""The tree of regions of one image: every level can be cut at once."""

import dataclasses
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cirs_tf.atomic_write import atomic_path
from cirs_tf.errors import DataError

# What reading a file that is no tree can raise.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,  # encrypted, or another version of zip
    BadZipFile,
    zlib.error,
)


@dataclasses.dataclass(frozen=True)
class RegionTree:
    """Superpixels, and in which order they merge.

    Attributes:
        superpixels: `[height, width]` int32, from 0, each number in use.
        merges: `[superpixels - 1, 2]` int32: merger i joins the regions that hold these
            two superpixels.
        levels: `[superpixels - 1]` float64, 0 or more, never falling: where each merger
            happens.
    """

    superpixels: np.ndarray
    merges: np.ndarray
    levels: np.ndarray

    @property
    def num_superpixels(self) -> int:
        """How many there are."""
        return len(self.merges) + 1

    def cut(self, level: float) -> np.ndarray:
        """Return the regions of a level: all mergers up to it have happened.

        Args:
            level: 0: superpixels, or nearly; the higher, the fewer regions.

        Returns:
            `[height, width]` int32 from 0, in the order of first pixels, row by row.
        """
        return self._after(int(np.searchsorted(self.levels, level, side="right")))

    def cut_into(self, num_regions: int) -> np.ndarray:
        """Return so many regions, or all superpixels where there are fewer.

        Args:
            num_regions: 1 or more.

        Returns:
            As `cut`.
        """
        if num_regions < 1:
            raise ValueError(f"num_regions: expected 1 or more, got {num_regions}")
        return self._after(max(self.num_superpixels - num_regions, 0))

    def level_of(self, num_regions: int) -> float:
        """Return the lowest level with at most so many regions."""
        mergers = self.num_superpixels - num_regions
        return float(self.levels[mergers - 1]) if mergers > 0 else 0.0

    def linkage(self) -> np.ndarray:
        """Return the tree as SciPy writes it, for `scipy.cluster.hierarchy`.

        Returns:
            `[superpixels - 1, 4]` float64: the two nodes, the level, superpixels below.
        """
        count = self.num_superpixels
        node, below = list(range(count)), [1] * count
        region = DisjointSet(range(count))
        rows = np.empty((count - 1, 4))
        for index, (a, b) in enumerate(self.merges.tolist()):
            a, b = region[a], region[b]
            total = below[a] + below[b]
            rows[index] = (*sorted((node[a], node[b])), 0, total)
            region.merge(a, b)
            node[region[a]], below[region[a]] = count + index, total
        rows[:, 2] = self.levels
        return rows

    def boundary_levels(self) -> np.ndarray:
        """Return how strong the border at each pixel is (an ultrametric contour map).

        Returns:
            `[height, width]` float64: the level up to which the pixel and its neighbor
            on the right or below lie in different regions, whichever is higher; 0
            inside superpixels and in the last row and column.

        Reference: Arbelaez 2006, Boundary Extraction in Natural Images Using
            Ultrametric Contour Maps.
        """
        found = np.zeros(self.superpixels.shape)
        for axis in (0, 1):
            a = np.moveaxis(self.superpixels, axis, 0)[:-1]
            b = np.moveaxis(self.superpixels, axis, 0)[1:]
            is_border = a != b
            touching = np.stack([a[is_border], b[is_border]], axis=1)
            pairs, place = np.unique(touching, axis=0, return_inverse=True)
            part = np.moveaxis(found, axis, 0)[:-1]
            strengths = self._joining_levels(pairs)[place.ravel()]
            part[is_border] = np.maximum(part[is_border], strengths)
        return found

    def _joining_levels(self, pairs: np.ndarray) -> np.ndarray:
        """Return the levels `[pairs]` at which two superpixels come to one region."""
        levels = [None] * len(pairs)
        # Of each region, its pairs that are still apart; the shorter list is moved.
        apart = [[] for _ in range(self.num_superpixels)]
        ends = pairs.tolist()
        for index, pair in enumerate(ends):
            for superpixel in pair:
                apart[superpixel].append(index)
        region = DisjointSet(range(self.num_superpixels))
        for (a, b), level in zip(self.merges.tolist(), self.levels, strict=True):
            fewer, more = sorted((apart[region[a]], apart[region[b]]), key=len)
            region.merge(a, b)
            for index in fewer:
                first, second = ends[index]
                if levels[index] is not None:
                    continue  # found from its other end
                if region.connected(first, second):
                    levels[index] = level
                else:
                    more.append(index)
            apart[region[a]] = more
        return np.array(levels, np.float64)

    def save(self, path: str | Path, **notes: str) -> None:
        """Write the tree as `.npz`, whole or not at all.

        Args:
            path: The file to write or replace.
            notes: Kept beside it.
        """
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(
                file,
                superpixels=self.superpixels,
                merges=self.merges,
                levels=self.levels,
                **notes,
            )

    @classmethod
    def load(cls, path: str | Path) -> tuple["RegionTree", dict[str, str]]:
        """Read what `save` wrote.

        Returns:
            The tree and the notes.

        Raises:
            DataError: The file is no such tree.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            # A member that is no array is bytes.
            names = [field.name for field in dataclasses.fields(cls)]
            fields = [np.asarray(arrays.pop(name)) for name in names]
            _check_arrays(*fields)
        except _DAMAGED as error:
            raise DataError(f"{path}: {error}; expected a tree of regions") from None
        return cls(*fields), {name: str(value) for name, value in arrays.items()}

    def _after(self, mergers: int) -> np.ndarray:
        """Return the regions after so many mergers."""
        count = self.num_superpixels
        a, b = self.merges[:mergers].T
        joined = coo_array((np.ones(mergers, bool), (a, b)), shape=(count, count))
        _, region = connected_components(joined, directed=False)
        labels = region[self.superpixels]
        _, first = np.unique(labels, return_index=True)
        number = np.empty(len(first), np.int32)
        number[np.argsort(first)] = np.arange(len(first))
        return number[labels]


def _check_arrays(
    superpixels: np.ndarray, merges: np.ndarray, levels: np.ndarray
) -> None:
    """Raise a ValueError where arrays are not those of a tree."""
    count = len(levels) + 1 if levels.ndim == 1 else 0
    kinds = superpixels.dtype.kind + merges.dtype.kind + levels.dtype.kind
    fits = kinds == "iif" and superpixels.ndim == 2 and superpixels.size > 0
    if not fits or merges.shape != (count - 1, 2):
        raise ValueError("arrays of other types or shapes")
    for numbers in (superpixels, merges):
        if numbers.size and not (0 <= numbers.min() and numbers.max() < count):
            raise ValueError(f"superpixels outside of 0 to {count - 1}")
