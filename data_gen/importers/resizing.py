"""Brings images and their masks to one size, both in the same way."""

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.data.records import IGNORE_LABEL
from data_gen.importers.options import CROP, Frame


def resize_image(image: np.ndarray, frame: Frame) -> np.ndarray:
    """Bring an image to the size of a frame.

    Args:
        image: `[image height, image width, 3]` uint8.
        frame: The size, and how to get it.

    Returns:
        `[height, width, 3]` uint8.
    """
    resized = _scale(image, frame, Image.Resampling.BICUBIC)
    return np.pad(resized, (*_margins(resized, frame), (0, 0)), mode="edge")


def resize_mask(mask: np.ndarray, frame: Frame) -> np.ndarray:
    """Bring a mask to the size of a frame, without any new label but `IGNORE_LABEL`.

    Args:
        mask: `[image height, image width]` uint8.
        frame: The size, and how to get it.

    Returns:
        `[height, width]` uint8.
    """
    resized = _scale(mask, frame, Image.Resampling.NEAREST)
    return np.pad(resized, _margins(resized, frame), constant_values=IGNORE_LABEL)


def _scale(array: np.ndarray, frame: Frame, resampling: Image.Resampling) -> np.ndarray:
    """Scale an array to cover the frame and crop it, or to fit into the frame."""
    image = Image.fromarray(array)
    if frame.how == CROP:
        return np.asarray(ImageOps.fit(image, (frame.width, frame.height), resampling))
    scale = min(frame.width / image.width, frame.height / image.height)
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return np.asarray(image.resize(size, resampling))


def _margins(array: np.ndarray, frame: Frame) -> tuple[tuple[int, int], ...]:
    """Return what the frame has more: above and below, left and right."""
    missing = (frame.height - array.shape[0], frame.width - array.shape[1])
    return tuple((pixels // 2, pixels - pixels // 2) for pixels in missing)
