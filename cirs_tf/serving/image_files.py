"""Image files of any kind in, palette masks and overlays out."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.data.image_files import SUFFIXES
from cirs_tf.data.image_files import read_image as read_image  # used beside the others
from cirs_tf.errors import DataError, ImageError
from cirs_tf.visualization import colourise, overlay, palette_image


def find_images(sources: Iterable[str | Path]) -> list[Path]:
    """Return the image files among files and folders (not their sub-folders).

    Raises:
        DataError: A source does not exist, or there is no image at all, or two images
            would be written under one name.
    """
    found: list[Path] = []
    for source in map(Path, sources):
        if source.is_dir():
            inside = sorted(source.iterdir())
            found += [path for path in inside if path.suffix.lower() in SUFFIXES]
        elif source.is_file():
            found.append(source)
        else:
            raise DataError(f"{source}: no such file or folder")
    if not found:
        raise DataError(
            f"no images found; expected files ending in {', '.join(SUFFIXES)}"
        )
    by_stem: dict[str, Path] = {}
    for path in found:
        other = by_stem.setdefault(path.stem, path)
        if other != path:
            raise DataError(
                f"{other} and {path} would both be written as {path.stem}.png; "
                "segment them into different folders"
            )
    return list(by_stem.values())


def write_mask(labels: np.ndarray, path: str | Path) -> None:
    """Write `[height, width]` uint8 labels as an 8-bit palette PNG, value = segment."""
    _write(palette_image(labels), Path(path))


def write_overlay(image: np.ndarray, labels: np.ndarray, path: str | Path) -> None:
    """Write an RGB image with the segments' colours laid over it."""
    _write(Image.fromarray(overlay(image, colourise(labels))), Path(path))


def _write(image: Image.Image, path: Path) -> None:
    """Write a PNG under a temporary name and rename it."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        image.save(temporary, format="PNG")
        os.replace(temporary, path)
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
