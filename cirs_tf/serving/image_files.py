"""Image files of any kind in, palette masks and overlays out."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.data.image_files import SUFFIXES
from cirs_tf.data.image_files import read_image as read_image  # used beside the others
from cirs_tf.errors import DataError, ImageError
from cirs_tf.visualization import colorise, overlay, palette_image


def find_images(
    sources: Iterable[str | Path], recursive: bool = False
) -> dict[Path, Path]:
    """Return the image files among files and folders, hidden ones left out.

    Args:
        sources: Files, taken whatever they are called, and folders.
        recursive: Whether sub-folders are searched too.

    Returns:
        Name of the output, without suffix, to the file. A file in a sub-folder has its
        path there: `cats/1` for `photos/cats/1.jpg`.

    Raises:
        DataError: A source does not exist, or there is no image at all, or two images
            would be written under one name.
    """
    found: dict[Path, Path] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise DataError(f"{source}: no such file or folder")
        inside = _below(source, recursive) if source.is_dir() else [source]
        base = source if source.is_dir() else source.parent
        for path in inside:
            name = path.relative_to(base).with_suffix("")
            other = found.setdefault(name, path)
            if other != path:
                raise DataError(
                    f"{other} and {path} would both be written as {name}.png; "
                    "segment them into different folders"
                )
    if not found:
        where = "" if recursive else "; sub-folders are read with --recursive"
        raise DataError(
            f"no images found; expected files ending in {', '.join(SUFFIXES)}{where}"
        )
    return found


def _below(folder: Path, recursive: bool) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*") if recursive else folder.iterdir())
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def write_mask(labels: np.ndarray, path: str | Path) -> None:
    """Write `[height, width]` uint8 labels as an 8-bit palette PNG, value = segment."""
    _write(palette_image(labels), Path(path))


def write_overlay(image: np.ndarray, labels: np.ndarray, path: str | Path) -> None:
    """Write an RGB image with the segments' colors laid over it."""
    _write(Image.fromarray(overlay(image, colorise(labels))), Path(path))


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
