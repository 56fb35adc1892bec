"""Reads the masks that belong to a folder of images."""

import io
from pathlib import PurePosixPath

import numpy as np

from cirs_tf.data.image_files import open_image
from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.sources import FileSource

# What masks of 0 and 255 mean, as many programs write those of a single class.
NO_OBJECTS = (
    f"hold no label but 0, and {IGNORE_LABEL} to ignore; expected 1 where objects are"
)


class MaskFiles:
    """Indexed or gray PNGs, one per image, with the image's relative name but `.png`.

    Args:
        source: Where the masks are.
        num_classes: Number of named classes, or None if they have no names.
    """

    def __init__(self, source: FileSource, num_classes: int | None):
        self.source = source
        self._max_label = (IGNORE_LABEL if num_classes is None else num_classes) - 1
        self._names = {_stem(name): name for name in source.names_ending_in([".png"])}

    def name_of(self, image_name: str) -> str:
        """Return the name of an image's mask.

        Raises:
            DataError: It has none.
        """
        try:
            return self._names[_stem(image_name)]
        except KeyError:
            raise DataError(
                f"{self.source.path}: no mask for {image_name}; "
                f"expected {_stem(image_name)}.png"
            ) from None

    def read(self, image_name: str, height: int, width: int) -> np.ndarray:
        """Return the mask of an image.

        Args:
            image_name: Relative name of the image.
            height: Height of the image in pixels.
            width: Width of the image in pixels.

        Returns:
            `[height, width]` uint8.

        Raises:
            DataError: The file is no mask, or of another size than the image.
        """
        name = self.name_of(image_name)
        path = self.source.full_name(name)
        try:
            with open_image(io.BytesIO(self.source.read(name)), path) as image:
                mode, labels = image.mode, np.asarray(image)
        except ImageError as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise DataError(f"{path}: not a readable mask ({reason})") from None
        if labels.ndim != 2:
            raise DataError(f"{path}: expected an indexed or gray PNG, got {mode}")
        if labels.shape != (height, width):
            raise DataError(
                f"{path}: is {labels.shape[1]} wide and {labels.shape[0]} high, "
                f"its image {width} and {height}"
            )
        wrong = labels[(labels > self._max_label) & (labels != IGNORE_LABEL)]
        if wrong.size:
            raise DataError(
                f"{path}: expected labels of 0 to {self._max_label}, or "
                f"{IGNORE_LABEL} to ignore; got {wrong[0]}"
            )
        return labels.astype(np.uint8)


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
