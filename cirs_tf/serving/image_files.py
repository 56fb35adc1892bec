"""Image files to segment, and the palette masks and overlays written for them."""

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cirs_tf.atomic_write import atomic_path
from cirs_tf.data.image_files import SUFFIXES
from cirs_tf.errors import ConfigError, DataError, ImageError, refuse_unreadable
from cirs_tf.serving.output_names import output_names
from cirs_tf.serving.png_strips import write_png_strips
from cirs_tf.visualization import colorize, overlay, palette_image

_TILE, _GAP = 160, 4  # pixels of an image in a sheet, and between two
_STRIP_PIXELS = 2**18


def find_images(
    sources: Iterable[str | Path],
    recursive: bool = False,
    endings: Sequence[str] = (".png",),
) -> dict[Path, Path]:
    """Return the image files among files and folders, hidden ones left out.

    Args:
        sources: Files, taken whatever they are called, and folders.
        recursive: Whether sub-folders are searched too.
        endings: Of the files that will be written under each name.

    Returns:
        Output name to the image file, see `output_names`. For a file in a sub-folder
        the name is its path there: `cats/1` for `photos/cats/1.jpg`.

    Raises:
        DataError: A source does not exist, or there is no image at all.
    """
    images: dict[Path, Path] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise DataError(f"{source}: no such file or folder")
        is_folder = source.is_dir()
        base = source if is_folder else source.parent
        for path in image_files(source, recursive) if is_folder else [source]:
            images.setdefault(path, path.relative_to(base))
    if not images:
        where = "" if recursive else "; sub-folders are read with --recursive"
        raise DataError(
            f"no images found; expected files ending in {', '.join(SUFFIXES)}{where}"
        )
    return output_names([(place, path) for path, place in images.items()], endings)


def left_out(sources: Iterable[str | Path], recursive: bool) -> list[Path]:
    """Return the files of folders that are not taken for images, but hidden ones.

    Args:
        sources: As of `find_images`.
        recursive: As it was called.
    """
    found = []
    for folder in map(Path, sources):
        if folder.is_dir():
            taken = set(image_files(folder, recursive))
            found += [path for path in _files(folder, recursive) if path not in taken]
    return found


def image_files(folder: Path, recursive: bool) -> list[Path]:
    """Return the image files in a folder, sorted, hidden ones left out.

    Args:
        folder: Where they are.
        recursive: Whether sub-folders are searched too.
    """
    return [
        path for path in _files(folder, recursive) if path.suffix.lower() in SUFFIXES
    ]


def _files(folder: Path, recursive: bool) -> list[Path]:
    """Return everything in a folder but what is hidden and folders, sorted.

    Raises:
        DataError: It, or a folder in it, cannot be read.
    """
    found = []
    for parent, folders, files in os.walk(folder, onerror=refuse_unreadable):
        folders[:] = [name for name in folders if recursive and name[0] != "."]
        found += [Path(parent, name) for name in files if name[0] != "."]
    return sorted(path for path in found if path.is_file())


def check_apart(
    out: Path,
    sources: Iterable[str | Path],
    found: dict[Path, Path],
    recursive: bool,
    endings: Iterable[str],
) -> None:
    """Refuse to write over the images, or where a second call would find masks.

    Args:
        out: Where files will be written.
        sources: As of `find_images`.
        found: What it returned.
        recursive: As it was called.
        endings: Of the files that will be written under each name.

    Raises:
        ConfigError: `out` is no such place.
    """
    for source in map(Path, sources):
        within = out.resolve().is_relative_to(source.resolve())
        if recursive and within and source.is_dir():
            raise ConfigError(
                f"--out {out}: lies in {source}; choose a folder outside it"
            )
    images = {path.resolve() for path in found.values()}
    for name in found:
        for written in (out / f"{name}{ending}" for ending in endings):
            if written.resolve() in images:
                raise ConfigError(
                    f"--out {out}: {written} is one of the images; "
                    "choose another folder"
                )
    for source in map(Path, sources):
        place = source if source.is_dir() else source.parent
        if out.resolve() == place.resolve():
            raise ConfigError(f"--out {out}: is where the images are; choose another")


def make_folders(out: Path, names: Iterable[Path]) -> None:
    """Make the folders in which files of these names will be written.

    Raises:
        ConfigError: One cannot be made.
    """
    try:
        for folder in {out, *((out / name).parent for name in names)}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from None


def write_mask(labels: np.ndarray, path: str | Path) -> None:
    """Write labels as a PNG, pixel value = segment.

    Args:
        labels: `[height, width]` integers in [0, 65535]. Up to 255: an 8-bit palette
            image; above, where a palette ends: 16-bit gray.
        path: The file to write or replace.

    Raises:
        ImageError: It cannot be written.
    """
    if labels.max(initial=0) > 65_535:
        raise ImageError(f"{path}: more than 65,536 regions; expected fewer")
    if labels.max(initial=0) > 255:
        picture = Image.fromarray(labels.astype(np.uint16))
    else:
        picture = palette_image(labels.astype(np.uint8))
    write_png(picture, path)


def write_overlay(image: np.ndarray, labels: np.ndarray, path: str | Path) -> None:
    """Write an image with the segments' colors blended over it.

    Args:
        image: `[height, width, 3]` uint8.
        labels: `[height, width]` integers in [0, 255].
        path: The file to write or replace.

    Raises:
        ImageError: It cannot be written.
    """
    height, width = labels.shape
    rows = max(1, _STRIP_PIXELS // max(1, width))
    strips = (slice(top, top + rows) for top in range(0, height, rows))
    blended = (overlay(image[strip], colorize(labels[strip])) for strip in strips)
    try:
        with atomic_path(path) as temporary:
            write_png_strips(temporary, height, width, blended)
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from None


def write_probabilities(probabilities: np.ndarray, path: str | Path) -> None:
    """Write probabilities as `probabilities` of an `.npz` file, whole or not at all.

    Args:
        probabilities: `[height, width, K]` float in [0, 1]; written as float16.
        path: The file to write or replace.

    Raises:
        ImageError: It cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, probabilities=probabilities.astype(np.float16))
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from None


class OverlaySheet:
    """One picture of several images with their overlays to the right of them.

    Args:
        count: Images that it shows at most, the first ones.
    """

    def __init__(self, count: int):
        self._count = count
        self._tiles: list[Image.Image] = []

    def add(self, image: np.ndarray, labels: np.ndarray) -> None:
        """Add an image, if there is room.

        Args:
            image: `[height, width, 3]` uint8.
            labels: `[height, width]` integers in [0, 255].
        """
        if len(self._tiles) == self._count:
            return
        tile = Image.new("RGB", (2 * _TILE + _GAP, _TILE), "white")
        # Every n-th pixel of a large picture is enough to shrink it from.
        step = max(1, min(labels.shape) // (8 * _TILE))
        image, labels = image[::step, ::step], labels[::step, ::step]
        for left, half in enumerate((image, overlay(image, colorize(labels)))):
            shown = ImageOps.pad(Image.fromarray(half), (_TILE, _TILE), color="white")
            tile.paste(shown, (left * (_TILE + _GAP), 0))
        self._tiles.append(tile)

    def write(self, path: str | Path) -> None:
        """Write the picture, about as many tiles wide as high.

        Raises:
            ImageError: There is no image, or it cannot be written.
        """
        if not self._tiles:
            raise ImageError(f"{path}: no image to show")
        columns = math.ceil(math.sqrt(len(self._tiles) / 2))
        rows = math.ceil(len(self._tiles) / columns)
        width, height = 2 * _TILE + 4 * _GAP, _TILE + 2 * _GAP
        sheet = Image.new("RGB", (columns * width, rows * height), "white")
        for index, tile in enumerate(self._tiles):
            row, column = divmod(index, columns)
            sheet.paste(tile, (column * width + _GAP, row * height + _GAP))
        write_png(sheet, path)


def write_png(image: Image.Image, path: str | Path) -> None:
    """Write a picture, whole or not at all.

    Raises:
        ImageError: It cannot be written.
    """
    try:
        with atomic_path(path) as temporary:
            image.save(temporary, format="PNG")
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}") from None
