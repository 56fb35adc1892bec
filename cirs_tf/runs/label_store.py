"""Labels of many images: in memory, or in a file where they are large."""

import math
import os
import tempfile
from collections.abc import Sequence

import numpy as np

from cirs_tf.data.image_split import ImageSplit, LoadedSplit
from cirs_tf.errors import DataError
from cirs_tf.postprocessing.regions import connected_regions

_IN_MEMORY = 500 * 10**6  # bytes


def new_label_store(split: ImageSplit) -> np.ndarray:
    """Return where the labels of a split go.

    Args:
        split: Its images.

    Returns:
        `[images, height, width]` uint8: in memory where the images are, else mapped to
        a temporary file, which is gone with the array.

    Raises:
        DataError: There is no room for the file.
    """
    shape = split.images.shape[:3]
    if isinstance(split, LoadedSplit):
        return np.empty(shape, np.uint8)
    return _mapped(shape)


def new_labels(shape: tuple[int, ...]) -> np.ndarray:
    """Return where labels go: up to 500 MB in memory, else in a temporary file.

    Args:
        shape: Of the labels.

    Raises:
        DataError: There is no room for the file.
    """
    if math.prod(shape) <= _IN_MEMORY:
        return np.empty(shape, np.uint8)
    return _mapped(shape)


def _mapped(shape: tuple[int, ...]) -> np.ndarray:
    size = math.prod(shape)
    try:
        with tempfile.TemporaryFile() as file:  # the map keeps it
            # Or a disk that is full would end the process when a page is written.
            if hasattr(os, "posix_fallocate"):  # macOS and Windows have none
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise DataError(
            f"{tempfile.gettempdir()}: {size:,} bytes for labels cannot be written: "
            f"{error.strerror}; name another folder with TMPDIR"
        ) from None


class ConnectedRegions(Sequence):
    """The connected regions of label maps, made when they are indexed.

    Args:
        labels: `[images, height, width]` integers.
    """

    def __init__(self, labels: np.ndarray):
        self._labels = labels

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._labels)

    def __getitem__(self, row: int) -> np.ndarray:
        """Return `[height, width]`, as `connected_regions`.

        Args:
            row: Number of an image.
        """
        return connected_regions(self._labels[row])
