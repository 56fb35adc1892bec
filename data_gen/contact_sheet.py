"""Draws the contact sheet: the first pictures of a set, and labeled ones with labels.

It shows what the finished records hold, so that a set can be judged at a glance.
"""

import colorsys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.data.records import (
    IGNORE_LABEL,
    decode_example,
    decode_image_class,
    decode_segmentations,
)

CONTACT_SHEET = "contact_sheet.png"
_COLUMNS = 8  # at most; fewer of wide pictures
_ROWS = 4
_LABELED_ROWS = 2
_CELL = 128  # pixels, about: a whole multiple of a small picture's size
_LARGEST_CELL = 256  # larger pictures are shrunk to it
_GAP = 6
_MARGIN = 24
_LINE = 30
_CAPTION = 20
_LEGEND_LINES = 3
_PAPER = (250, 250, 248)
_INK = (45, 45, 50)


class _Shown(NamedTuple):
    """One record: its picture, what is known of it, and the name of its class."""

    picture: np.ndarray
    labels: tuple[np.ndarray, ...]
    caption: str


class _Grid(NamedTuple):
    """Where pictures go; lengths in pixels of the sheet."""

    height: int
    width: int
    columns: int
    captions: bool

    def rows(self, pictures: list) -> list[list]:
        step = self.columns
        return [pictures[i : i + step] for i in range(0, len(pictures), step)]


def draw_contact_sheet(folder: Path, manifest: Manifest) -> Image.Image:
    """Return the sheet.

    Args:
        folder: Where the shards are.
        manifest: What they hold.

    Returns:
        Rows of the first training pictures; where the set has a labeled split, rows of
        its first pictures, each above its mask, or above the coarsest and the finest of
        its segmentations, and the colors of the classes.
    """
    grid = _grid(manifest)
    splits = manifest.splits
    colors = class_colors(max(1, len(manifest.classes)))
    blocks = []
    if "train" in splits:
        shown = _read(folder, manifest, "train", grid.columns * _ROWS, colors)
        blocks.append(
            ("train", grid.rows([(one.picture, one.caption) for one in shown]))
        )
    labeled = next((name for name in ("val", "test") if _labels(splits.get(name))), "")
    if labeled:
        count = grid.columns * _LABELED_ROWS
        shown = _read(folder, manifest, labeled, count, colors)
        title = f"{labeled}, with {_labels(splits[labeled])}"
        blocks.append((title, _labeled_rows(grid, list(shown))))
    named = manifest.classes if labeled else ()
    width = 2 * _MARGIN + grid.columns * (grid.width + _GAP) - _GAP
    legend = _legend(named, width - _MARGIN)
    lines = 1 + max((line for line, _, _ in legend), default=0)
    sheet = _lay_out(blocks, grid, width, lines)
    _add_legend(sheet, legend, colors, lines)
    return sheet


def class_colors(count: int) -> np.ndarray:
    """Return `[count, 3]` uint8: a pale gray for class 0, then six hues in turn."""
    lightness = (0.52, 0.36, 0.70, 0.24)  # of each round of hues
    colors = [
        colorsys.hls_to_rgb((0.13 - index / 6) % 1, lightness[index // 6 % 4], 0.75)
        for index in range(count - 1)
    ]
    return np.rint(np.array([(0.86, 0.88, 0.91), *colors]) * 255).astype(np.uint8)


def _grid(manifest: Manifest) -> _Grid:
    longest = max(manifest.height, manifest.width)
    scale = max(1, round(_CELL / longest))
    if longest > _LARGEST_CELL:
        scale = _LARGEST_CELL / longest
    height, width = (
        max(1, round(length * scale)) for length in (manifest.height, manifest.width)
    )
    fit = _COLUMNS * (_CELL + _GAP) // (width + _GAP)
    columns = min(_COLUMNS, max(1, fit))
    return _Grid(height, width, columns, bool(manifest.image_classes))


def _labels(split: Split | None) -> str:
    """Say what the records of a split hold beside the picture."""
    if split is None:
        return ""
    if split.masks:
        return "masks"
    return "their coarsest and finest segmentations" if split.segmentations else ""


def _read(
    folder: Path, manifest: Manifest, name: str, count: int, colors: np.ndarray
) -> Iterator[_Shown]:
    """Yield the first records of a split, with labels as pictures."""
    split = manifest.splits[name]
    size = (manifest.height, manifest.width)
    # 255 and all between, white: no class.
    painted = np.full((IGNORE_LABEL + 1, 3), 255, np.uint8)
    painted[: len(colors)] = colors
    files = [str(folder / shard.file) for shard in split.shards]
    for record in tf.data.TFRecordDataset(files).take(count):
        decoded = decode_example(record, *size, with_mask=split.masks)
        picture = decoded["image"].numpy()
        labels = ()
        if split.masks:
            labels = (painted[decoded["mask"].numpy()],)
        elif split.segmentations:
            found = list(decode_segmentations(record, *size).numpy())
            found.sort(key=lambda one: len(np.unique(one)))
            labels = tuple(_in_mean_colors(picture, found[i]) for i in (0, -1))
        index = int(decode_image_class(record))
        caption = manifest.image_classes[index] if index >= 0 else ""
        yield _Shown(picture, labels, caption)


def _in_mean_colors(picture: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return a picture in which each region has its mean color."""
    _, numbers = np.unique(regions, return_inverse=True)
    numbers = numbers.ravel()
    sizes = np.bincount(numbers)
    sums = [np.bincount(numbers, picture[..., i].ravel()) for i in range(3)]
    means = np.stack(sums, axis=-1) / sizes[:, None]  # (regions, 3)
    return np.rint(means[numbers]).astype(np.uint8).reshape(picture.shape)


def _labeled_rows(grid: _Grid, shown: list[_Shown]) -> list[list]:
    rows = []
    for row in grid.rows(shown):
        # The name of the class stands below the last of what belongs together.
        parts = [(one.picture, *one.labels) for one in row]
        for part in zip(*parts, strict=True):
            rows.append([(picture, "") for picture in part])
        rows[-1] = [
            (picture, one.caption)
            for (picture, _), one in zip(rows[-1], row, strict=True)
        ]
    return rows


def _lay_out(
    blocks: list[tuple[str, list]], grid: _Grid, width: int, lines: int
) -> Image.Image:
    """Place titled blocks of rows below each other, with room for lines below."""
    across = grid.width + _GAP
    down = grid.height + _GAP + (_CAPTION if grid.captions else 0)
    rows = sum(len(block) for _, block in blocks)
    height = 2 * _MARGIN + rows * down + (len(blocks) + lines) * _LINE
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    top = _MARGIN
    for title, block in blocks:
        pen.text((_MARGIN, top), title, _INK, ImageFont.load_default(18))
        top += _LINE
        for row in block:
            for column, (picture, caption) in enumerate(row):
                left = _MARGIN + column * across
                sheet.paste(_resized(picture, grid), (left, top))
                pen.text(
                    (left, top + grid.height + 2),
                    caption,
                    _INK,
                    ImageFont.load_default(13),
                )
            top += down
    return sheet


def _resized(picture: np.ndarray, grid: _Grid) -> Image.Image:
    """Enlarge by repeating pixels, shrink by averaging them."""
    shrinks = grid.height < len(picture)
    how = Image.Resampling.BOX if shrinks else Image.Resampling.NEAREST
    return Image.fromarray(picture).resize((grid.width, grid.height), how)


def _legend(classes: tuple[str, ...], right: int) -> list[tuple[int, int, str]]:
    """Return line, left edge and name of each class, as many as fit `_LEGEND_LINES`."""
    font = ImageFont.load_default(18)
    legend = []
    line, left = 0, _MARGIN
    for name in classes:
        length = 24 + round(font.getlength(name)) + 28
        if left + length > right:
            if line + 1 == _LEGEND_LINES:
                return [*legend, (line, left, "...")]
            line, left = line + 1, _MARGIN
        legend.append((line, left, name))
        left += length
    return legend


def _add_legend(
    sheet: Image.Image,
    legend: list[tuple[int, int, str]],
    colors: np.ndarray,
    lines: int,
) -> None:
    """Write each class beside its color on the last lines."""
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(18)
    for (line, left, name), color in zip(legend, colors.tolist(), strict=False):
        middle = sheet.height - _MARGIN - _LINE // 2 - (lines - 1 - line) * _LINE
        if name == "...":
            pen.text((left, middle), name, _INK, font, anchor="lm")
            return
        box = (left, middle - 8, left + 16, middle + 8)
        pen.rectangle(box, tuple(color), (150, 150, 155))
        pen.text((left + 24, middle), name, _INK, font, anchor="lm")
