"""Reads the masks that belong to a folder of pictures."""

import io
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from cirs_tf.data.image_files import UNREADABLE
from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.sources import FileSource


class MaskFiles:
    """Indexed or gray PNGs, one a picture, of its relative name but for the suffix.

    Args:
        source: Where the masks are.
        classes: Number of classes that are named, or None.
    """

    def __init__(self, source: FileSource, classes: int | None):
        self._source = source
        self._classes = classes
        self._by_stem = {_stem(name): name for name in source.ending_in([".png"])}

    def name_for(self, picture: str) -> str:
        """Return the name of a picture's mask.

        Raises:
            DataError: It has none.
        """
        try:
            return self._by_stem[_stem(picture)]
        except KeyError:
            raise DataError(
                f"{self._source.path}: no mask for {picture}; "
                f"expected {_stem(picture)}.png"
            ) from None

    def read(self, picture: str, height: int, width: int) -> np.ndarray:
        """Return the mask of a picture of that size, `[height, width]` uint8.

        Raises:
            DataError: It is no mask, or does not fit the picture.
        """
        name = self.name_for(picture)
        where = self._source.locate(name)
        try:
            with Image.open(io.BytesIO(self._source.read(name))) as image:
                mode, labels = image.mode, np.asarray(image)
        except (ImageError, *UNREADABLE) as error:
            raise DataError(f"{where}: not a readable mask ({error})") from None
        if labels.ndim != 2:
            raise DataError(f"{where}: expected an indexed or gray PNG, got {mode}")
        if labels.shape != (height, width):
            raise DataError(
                f"{where}: is {labels.shape[1]} wide and {labels.shape[0]} high, "
                f"its picture {width} and {height}"
            )
        most = IGNORE_LABEL - 1 if self._classes is None else self._classes - 1
        wrong = labels[(labels > most) & (labels != IGNORE_LABEL)]
        if wrong.size:
            raise DataError(
                f"{where}: expected labels of 0 to {most}, or {IGNORE_LABEL} to "
                f"ignore; got {wrong[0]}"
            )
        return labels.astype(np.uint8)


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
