"""Reads a user's own sprites and background from image files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.errors import DataError, ImageError
from data_gen.scene import SUPERSAMPLING, Sprite, framed

# 255 marks pixels without a label, 0 is the background.
_MOST_SPRITES = 254


def load_sprites(directory: str | Path, size: int) -> tuple[Sprite, ...]:
    """Read one sprite from each PNG of a folder.

    Args:
        directory: The classes are its `*.png`, sorted by file name; a class is named
            after its file.
        size: Longer side that each object gets, in pixels of a picture. Empty margins
            do not count.

    Returns:
        One sprite a file.

    Raises:
        DataError: The folder is missing, or holds no PNG or too many.
        ImageError: A file is not an image with a visible part.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise DataError(f"{directory}: not found; expected a folder of RGBA PNG files")
    files = sorted(
        (file for file in directory.iterdir() if file.suffix.lower() == ".png"),
        key=lambda file: file.name,
    )
    if not 1 <= len(files) <= _MOST_SPRITES:
        raise DataError(
            f"{directory}: expected 1 to {_MOST_SPRITES} PNG files, found {len(files)}"
        )
    sprites = tuple(_load_sprite(file, size) for file in files)
    names = {"background", "sky"}
    for file, sprite in zip(files, sprites, strict=True):
        if sprite.name in names:
            raise DataError(f"{file}: a class named {sprite.name!r} exists; rename it")
        names.add(sprite.name)
    return sprites


def load_background(file: str | Path, size: int) -> np.ndarray:
    """Read an image file as a background.

    Args:
        file: In any format that Pillow reads.
        size: Height and width to give it, in pixels; the longer side is cut evenly at
            both ends.

    Returns:
        `[size, size, 3]` uint8.

    Raises:
        ImageError: The file is missing or not an image.
    """
    with _opened(Path(file)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return np.asarray(ImageOps.fit(upright, (size, size)))


def _load_sprite(file: Path, size: int) -> Sprite:
    with _opened(file) as image:
        has_alpha = "A" in image.getbands() or "transparency" in image.info
        rgba = image.convert("RGBA")
    if not has_alpha:
        raise ImageError(
            f"{file}: expected a PNG with an alpha channel (RGBA), got {image.mode}"
        )
    opaque = rgba.getchannel("A").point(lambda alpha: 255 * (alpha > 127))
    if opaque.getbbox() is None:
        raise ImageError(
            f"{file}: expected a visible object, but no pixel's alpha is above one half"
        )
    cut = rgba.crop(rgba.getchannel("A").getbbox()).convert("RGBa")
    scale = size * SUPERSAMPLING / max(cut.size)
    fine = [max(1, round(length * scale)) for length in cut.size]
    resized = cut.resize(fine, Image.Resampling.BILINEAR)
    return framed(file.stem, np.asarray(resized))


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open and decode an image; say in one line what is wrong with it."""
    try:
        with Image.open(file) as image:
            image.load()
            yield image
    except FileNotFoundError:
        raise ImageError(f"{file}: not found; expected an image file") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(
            f"{file}: expected an image file, but it cannot be read ({error})"
        ) from None
