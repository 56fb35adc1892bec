"""Reads a user's sprites and background from image files."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.data.image_files import open_image
from cirs_tf.errors import DataError, ImageError
from data_gen.scene import SUPERSAMPLING, Sprite, pad_sprite

# Labels 1 to 254: 0 is the background, 255 marks pixels to ignore.
_MAX_SPRITES = 254


def load_sprites(directory: str | Path, size: int) -> tuple[Sprite, ...]:
    """Read one sprite per PNG of a folder.

    Args:
        directory: Holds one `*.png` per class, named after it. Classes are sorted by
            file name.
        size: Longer side of each object in pixels of an image, without empty margins.

    Returns:
        One sprite per file.

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
    if not 1 <= len(files) <= _MAX_SPRITES:
        raise DataError(
            f"{directory}: expected 1 to {_MAX_SPRITES} PNG files, found {len(files)}"
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
        file: An image in any format that Pillow reads.
        size: Height and width of the result in pixels; the longer side is cropped
            evenly at both ends.

    Returns:
        `[size, size, 3]` uint8.

    Raises:
        ImageError: The file is missing or not an image.
    """
    with open_image(file, file) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return np.asarray(ImageOps.fit(upright, (size, size)))


def _load_sprite(file: Path, size: int) -> Sprite:
    with open_image(file, file) as image:
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
    cropped = rgba.crop(rgba.getchannel("A").getbbox()).convert("RGBa")
    scale = size * SUPERSAMPLING / max(cropped.size)
    sides = [max(1, round(length * scale)) for length in cropped.size]
    resized = cropped.resize(sides, Image.Resampling.BILINEAR)
    return pad_sprite(file.stem, np.asarray(resized))
