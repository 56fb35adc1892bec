"""Reads image files as they are meant to be seen, and nothing else.

Only the formats below are tried, whatever a file is called: Pillow knows many more, of
which some start other programs (EPS: Ghostscript). A file's size is read from its
header, and refused above a limit, before any of its pixels are decoded.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from cirs_tf.errors import ImageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
MAX_PIXELS = 128_000_000
LARGEST = 178_956_970  # more than that Pillow refuses
_STRIP_PIXELS = 2**20

# The limit here takes the place of Pillow's warning.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read an image file as it is meant to be seen.

    EXIF orientation is applied, transparency is laid on black, 16-bit gray is scaled,
    and so are 32-bit floats, which must be in [0, 1].

    Args:
        path: A PNG, JPEG, BMP, GIF, TIFF or WebP file; of several pictures, the first.
        max_pixels: Larger images are refused.

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        ImageError: The file is no image, is damaged, or is too large.
    """
    return decode_image(path, path, max_pixels)


def decode_image(
    file: str | Path | BinaryIO, name: str | Path, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decode an image as `read_image` does, from a path or an open file.

    Args:
        file: Where the bytes are.
        name: What errors call it.
        max_pixels: Larger images are refused.

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        ImageError: It is no image, is damaged, or is too large.
    """
    with open_image(file, name, max_pixels) as opened:
        return rgb_array(opened)


@contextlib.contextmanager
def open_image(
    file: str | Path | BinaryIO, name: str | Path, max_pixels: int = MAX_PIXELS
) -> Iterator[Image.Image]:
    """Open an image; whatever fails until the block ends is an error of this file.

    Args:
        file: Where the bytes are.
        name: What errors call it.
        max_pixels: Larger images are refused before they are decoded.

    Yields:
        The image, whose pixels are decoded when they are asked for.

    Raises:
        ImageError: It is no image, is damaged, or is too large.
    """
    try:
        with Image.open(file, formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > max_pixels:
                raise ImageError(
                    f"{name}: {width:,} x {height:,} pixels; expected at most "
                    f"{max_pixels:,} in all"
                )
            yield opened
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(
            f"{name}: too many pixels; expected at most {max_pixels:,} in all"
        ) from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        reason = getattr(error, "strerror", None) or str(error) or repr(error)
        if isinstance(error, UnidentifiedImageError):
            reason = "not an image"
        elif isinstance(error, FileNotFoundError):
            reason = "not found"
        raise ImageError(f"{name}: {reason}; expected a readable image file") from None


def rgb_array(opened: Image.Image) -> np.ndarray:
    """Return a PIL image as it is meant to be seen.

    Args:
        opened: Of any mode; 32-bit floats are in [0, 1].

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        ValueError: Floats are not in [0, 1].
    """
    opened.load()
    if opened.mode == "F":
        low, high = opened.getextrema()
        if not (0 <= low and high <= 1):
            raise ValueError(f"floats from {low:.3g} to {high:.3g}, not in [0, 1]")
    width, height = opened.size
    pixels = np.empty((height, width, 3), np.uint8)
    # Some rows at a time: each step holds a copy of what it is given.
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        strip = opened.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = _rgb_strip(strip)
    orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _rgb_strip(image: Image.Image) -> np.ndarray:
    """Return rows of a PIL image, without transparency, as RGB."""
    if image.mode.startswith("I;16") or image.mode == "I":
        gray = np.asarray(image).astype(np.float64) / 257
        image = Image.fromarray(gray.clip(0, 255).round().astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(np.uint8(np.rint(np.asarray(image) * 255)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, "black")
        image = Image.alpha_composite(black, rgba)
    return np.asarray(image.convert("RGB"))
