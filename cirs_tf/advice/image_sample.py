"""Some images of a data set, or of a folder of pictures."""

import collections
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.data.image_files import read_image
from cirs_tf.data.manifest import MANIFEST
from cirs_tf.data.splits import open_split
from cirs_tf.errors import DataError, ImageError
from cirs_tf.proposals.evenly_spaced import evenly_spaced
from cirs_tf.serving.image_files import image_files

LONGEST = 480  # pixels of the longer side that are kept of an image
CROP = 256  # side in pixels of the part that is kept as it is in the file
_SMALLEST = 8  # pixels of a side


@dataclasses.dataclass(frozen=True)
class ImageSample:
    """Images, unlabeled.

    Attributes:
        images: `[images, height, width, 3]` uint8, resized to one size of at most 480
            pixels; what exceeds it is cropped.
        crops: The middles of the same images as they are in the files, each `[rows,
            columns, 3]` uint8, at most 256 pixels a side.
        size: Height and width in pixels that most of the files have.
        num_sizes: Number of different sizes among the files.
        total: Number of images that there are.
        is_data_set: Whether they are of a data set, not of a folder.
        has_subfolders: Whether some lie in sub-folders.
    """

    images: np.ndarray
    crops: Sequence[np.ndarray]
    size: tuple[int, int]
    num_sizes: int
    total: int
    is_data_set: bool
    has_subfolders: bool


def sample_images(where: str | Path, count: int) -> ImageSample:
    """Read some images, evenly spaced among all; no mask.

    One image is in memory at its own size, the others at 480 pixels.

    Args:
        where: A data set, whose training images are taken, or a folder, with its
            sub-folders. Files that cannot be read are left out.
        count: How many at most.

    Raises:
        DataError: There is neither, or there are fewer than two images that can be
            read, or they are smaller than 8 pixels.
    """
    folder = Path(where)
    is_data_set, has_subfolders = (folder / MANIFEST).is_file(), False
    if is_data_set:
        found = open_split(folder, "train", with_masks=False, cache="records").images
        total = len(found)
        chosen: Iterable[np.ndarray] = (
            found[index] for index in evenly_spaced(total, count)
        )
    else:
        if not folder.is_dir():
            raise DataError(f"{folder}: expected a data set or a folder of images")
        files = image_files(folder, recursive=True)
        total = len(files)
        has_subfolders = any(file.parent != folder for file in files)
        some = evenly_spaced(total, count) if files else ()
        chosen = _readable([files[index] for index in some])
    kept, crops, sizes = [], [], collections.Counter()
    for image in chosen:
        sizes[image.shape[:2]] += 1
        crops.append(_middle(image))
        kept.append(_shrunk(image))
    if len(kept) < 2:
        raise DataError(
            f"{folder}: {len(kept)} of {total} images can be read, expected 2 or more"
        )
    (size, _), *_ = sizes.most_common(1)
    if min(size) < _SMALLEST:
        raise DataError(
            f"{folder}: images of {size[0]} x {size[1]} pixels, expected at least "
            f"{_SMALLEST} a side"
        )
    scale = min(1.0, LONGEST / max(size))
    common = tuple(max(_SMALLEST, round(scale * side)) for side in size)
    return ImageSample(
        np.stack([_fitted(image, common) for image in kept]),
        crops,
        size,
        len(sizes),
        total,
        is_data_set,
        has_subfolders,
    )


def _readable(files: Sequence[Path]) -> Iterator[np.ndarray]:
    """Yield the images of the files that can be read; the importer names others."""
    for file in files:
        try:
            yield read_image(file)
        except ImageError:
            continue


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - CROP) // 2) for side in image.shape[:2])
    return image[top : top + CROP, left : left + CROP].copy()


def _shrunk(image: np.ndarray) -> np.ndarray:
    if max(image.shape[:2]) <= LONGEST:
        return image
    picture = Image.fromarray(image)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image of a height and width; what exceeds it is cropped."""
    if image.shape[:2] == size:
        return image
    height, width = size
    picture = Image.fromarray(image)
    return np.asarray(ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC))
