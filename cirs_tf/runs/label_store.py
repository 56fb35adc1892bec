"""Labels of a whole split: in memory, or in a file where the split is streamed."""

import tempfile
from collections.abc import Sequence

import numpy as np

from cirs_tf.data.image_split import ImageSplit, LoadedSplit
from cirs_tf.postprocessing.regions import connected_regions


def new_label_store(split: ImageSplit) -> np.ndarray:
    """Return where the labels of a split go.

    Args:
        split: Its images.

    Returns:
        `[images, height, width]` uint8: in memory where the images are, else mapped to
        a temporary file, which is gone with the array.
    """
    shape = split.images.shape[:3]
    if isinstance(split, LoadedSplit):
        return np.empty(shape, np.uint8)
    with tempfile.TemporaryFile() as file:  # the map keeps it
        return np.memmap(file, np.uint8, "w+", shape=shape)


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
