"""Some images of a data set, or of a folder of pictures."""

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.data.image_files import read_image
from cirs_tf.data.manifest import MANIFEST
from cirs_tf.data.pipeline import load_split
from cirs_tf.errors import DataError, ImageError
from cirs_tf.proposals.evenly_spaced import evenly_spaced
from cirs_tf.serving.image_files import find_images

LONGEST = 480  # pixels of the longer side


@dataclasses.dataclass(frozen=True)
class ImageSample:
    """Images, unlabeled.

    Attributes:
        images: `[images, height, width, 3]` uint8, of one size.
        originals: The same as they are in the files.
        size: Height and width that most of the originals have.
        num_sizes: How many different ones they have.
        total: How many images there are.
        is_data_set: Whether they are of a data set, not of a folder.
    """

    images: np.ndarray
    originals: Sequence[np.ndarray]
    size: tuple[int, int]
    num_sizes: int
    total: int
    is_data_set: bool


def sample_images(where: str | Path, count: int) -> ImageSample:
    """Read some images, evenly spaced among all; no mask.

    Args:
        where: A data set, whose training images are taken, or a folder.
        count: How many at most.

    Raises:
        DataError: There is neither, or there are fewer than two images.
    """
    folder = Path(where)
    if (folder / MANIFEST).is_file():
        images = load_split(folder, "train", with_masks=False).images
        total = len(images)
        originals = list(images[evenly_spaced(total, count)])
    else:
        files = list(find_images([folder], recursive=True).values())
        total = len(files)
        originals = _readable([files[index] for index in evenly_spaced(total, count)])
    if len(originals) < 2:
        raise DataError(f"{folder}: has {len(originals)} image, expected at least 2")
    sizes = collections.Counter(image.shape[:2] for image in originals)
    (height, width), _ = sizes.most_common(1)[0]
    scale = min(1.0, LONGEST / max(height, width))
    common = (round(scale * width), round(scale * height))
    images = np.stack([_resized(image, common) for image in originals])
    return ImageSample(
        images,
        originals,
        (height, width),
        len(sizes),
        total,
        (folder / MANIFEST).is_file(),
    )


def _readable(files: Sequence[Path]) -> list[np.ndarray]:
    """Return the images of the files that can be read; the importer names others."""
    images = []
    for file in files:
        try:
            images.append(read_image(file))
        except ImageError:
            continue
    return images


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image of a width and height; what exceeds it is cropped."""
    if image.shape[1::-1] == size:
        return image
    fitted = ImageOps.fit(Image.fromarray(image), size, Image.Resampling.BICUBIC)
    return np.asarray(fitted)
