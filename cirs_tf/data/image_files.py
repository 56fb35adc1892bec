"""Reads image files of any kind as they are meant to be seen."""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.errors import ImageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")

# What Pillow raises on files that are no images, damaged, or far too large.
UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as it is meant to be seen.

    EXIF orientation is applied, transparency is laid on black, 16-bit gray is scaled.

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        ImageError: The file is no image, or is damaged.
    """
    return decode_image(path, path)


def decode_image(file: str | Path | BinaryIO, name: str | Path) -> np.ndarray:
    """Decode an image as `read_image` does, from a path or an open file.

    Args:
        file: Where the bytes are.
        name: What errors call it.

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        ImageError: It is no image, or is damaged.
    """
    try:
        with Image.open(file) as opened:
            return rgb_array(opened)
    except UNREADABLE as error:
        raise unreadable(name, error) from None


def rgb_array(opened: Image.Image) -> np.ndarray:
    """Return a PIL image as it is meant to be seen, `[height, width, 3]` uint8."""
    image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I;16") or image.mode == "I":
        gray = np.asarray(image).astype(np.float64) / 257
        image = Image.fromarray(gray.clip(0, 255).round().astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, "black")
        image = Image.alpha_composite(black, rgba)
    return np.asarray(image.convert("RGB"))


def unreadable(name: str | Path, error: Exception) -> ImageError:
    """Return the error to raise for a file on which Pillow raised `error`."""
    reason = "not an image" if "identify" in str(error) else str(error)
    return ImageError(f"{name}: {reason}; expected a readable image file")
