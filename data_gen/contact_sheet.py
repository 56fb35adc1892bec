"""Draws a contact sheet of a data set: its first images, and masks beside them.

It is read from the finished records, so it shows what a reader of the set gets.
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
_MAX_COLUMNS = 8
_ROWS = 4
_LABELED_ROWS = 2
# Lengths in pixels of the sheet. Images are enlarged by a whole factor to about the
# cell, and those larger than the maximum are shrunk to it.
_CELL = 128
_MAX_CELL = 256
_GAP = 6
_MARGIN = 24
_LINE = 30
_CAPTION = 20
_MAX_LEGEND_LINES = 3
_PAPER = (250, 250, 248)
_INK = (45, 45, 50)


class _Sample(NamedTuple):
    """One record: its image, its labels as color images, and the name of its class."""

    image: np.ndarray
    label_images: tuple[np.ndarray, ...]
    caption: str


class _Cell(NamedTuple):
    """One image on the sheet, with the text below it."""

    image: np.ndarray
    caption: str


class _Block(NamedTuple):
    """Rows of cells under a title."""

    title: str
    rows: list[list[_Cell]]


class _LegendEntry(NamedTuple):
    """A class name on a line of the legend, `left` pixels from the edge."""

    line: int
    left: int
    name: str


class _Grid(NamedTuple):
    """Size of the cells in pixels, columns per row, and whether cells have captions."""

    height: int
    width: int
    columns: int
    has_captions: bool

    def split_rows(self, items: list) -> list[list]:
        step = self.columns
        return [items[start : start + step] for start in range(0, len(items), step)]


def draw_contact_sheet(folder: Path, manifest: Manifest) -> Image.Image:
    """Draw the contact sheet of a data set.

    Args:
        folder: Where the shards are.
        manifest: Describes the set.

    Returns:
        Rows of the first training images. If a split has labels, rows of its first
        images, each above its mask, or above its coarsest and its finest segmentation;
        and a legend of the classes.
    """
    grid = _make_grid(manifest)
    splits = manifest.splits
    colors = class_colors(max(1, len(manifest.classes)))
    blocks = []
    if "train" in splits:
        count = grid.columns * _ROWS
        samples = _read_samples(folder, manifest, "train", count, colors)
        cells = [_Cell(sample.image, sample.caption) for sample in samples]
        blocks.append(_Block("train", grid.split_rows(cells)))
    labeled = next(
        (split for split in ("val", "test") if _describe_labels(splits.get(split))), ""
    )
    if labeled:
        count = grid.columns * _LABELED_ROWS
        samples = list(_read_samples(folder, manifest, labeled, count, colors))
        title = f"{labeled}, with {_describe_labels(splits[labeled])}"
        blocks.append(_Block(title, _labeled_rows(grid, samples)))
    legend_names = manifest.classes if labeled else ()
    width = 2 * _MARGIN + grid.columns * (grid.width + _GAP) - _GAP
    legend = _lay_out_legend(legend_names, width - _MARGIN)
    legend_lines = 1 + max((entry.line for entry in legend), default=0)
    sheet = _draw_blocks(blocks, grid, width, legend_lines)
    _draw_legend(sheet, legend, colors, legend_lines)
    return sheet


def class_colors(count: int) -> np.ndarray:
    """Return `[count, 3]` uint8: a pale gray for class 0, then six hues in turn."""
    lightness = (0.52, 0.36, 0.70, 0.24)  # per round of hues
    colors = [
        colorsys.hls_to_rgb((0.13 - index / 6) % 1, lightness[index // 6 % 4], 0.75)
        for index in range(count - 1)
    ]
    return np.rint(np.array([(0.86, 0.88, 0.91), *colors]) * 255).astype(np.uint8)


def _make_grid(manifest: Manifest) -> _Grid:
    longer_side = max(manifest.height, manifest.width)
    scale = max(1, round(_CELL / longer_side))
    if longer_side > _MAX_CELL:
        scale = _MAX_CELL / longer_side
    height, width = (
        max(1, round(side * scale)) for side in (manifest.height, manifest.width)
    )
    fitting = _MAX_COLUMNS * (_CELL + _GAP) // (width + _GAP)
    columns = min(_MAX_COLUMNS, max(1, fitting))
    return _Grid(height, width, columns, bool(manifest.image_classes))


def _describe_labels(split: Split | None) -> str:
    """Return a phrase for the labels in the records of a split, empty without any."""
    if split is None:
        return ""
    if split.masks:
        return "masks"
    return "their coarsest and finest segmentations" if split.segmentations else ""


def _read_samples(
    folder: Path, manifest: Manifest, name: str, count: int, colors: np.ndarray
) -> Iterator[_Sample]:
    """Yield the first `count` records of the split `name`."""
    split = manifest.splits[name]
    size = (manifest.height, manifest.width)
    # White for pixels to ignore.
    palette = np.full((IGNORE_LABEL + 1, 3), 255, np.uint8)
    palette[: len(colors)] = colors
    files = [str(folder / shard.file) for shard in split.shards]
    for record in tf.data.TFRecordDataset(files).take(count):
        decoded = decode_example(record, *size, with_mask=split.masks)
        image = decoded["image"].numpy()
        label_images = ()
        if split.masks:
            label_images = (palette[decoded["mask"].numpy()],)
        elif split.segmentations:
            segmentations = list(decode_segmentations(record, *size).numpy())
            segmentations.sort(key=lambda regions: len(np.unique(regions)))
            label_images = tuple(
                _fill_with_means(image, segmentations[index]) for index in (0, -1)
            )
        class_index = int(decode_image_class(record))
        caption = manifest.image_classes[class_index] if class_index >= 0 else ""
        yield _Sample(image, label_images, caption)


def _fill_with_means(image: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return an image in which each region has its mean color."""
    _, indices = np.unique(regions, return_inverse=True)
    indices = indices.ravel()
    sizes = np.bincount(indices)
    sums = [np.bincount(indices, image[..., channel].ravel()) for channel in range(3)]
    means = np.stack(sums, axis=-1) / sizes[:, None]  # (regions, 3)
    return np.rint(means[indices]).astype(np.uint8).reshape(image.shape)


def _labeled_rows(grid: _Grid, samples: list[_Sample]) -> list[list[_Cell]]:
    """Return rows of images, each followed by rows of their labels."""
    rows = []
    for row in grid.split_rows(samples):
        stacks = [(sample.image, *sample.label_images) for sample in row]
        *upper_rows, last_row = zip(*stacks, strict=True)
        rows += [[_Cell(image, "") for image in images] for images in upper_rows]
        captions = [sample.caption for sample in row]
        rows.append([_Cell(*pair) for pair in zip(last_row, captions, strict=True)])
    return rows


def _draw_blocks(
    blocks: list[_Block], grid: _Grid, width: int, legend_lines: int
) -> Image.Image:
    """Draw blocks below each other on a new sheet, with room for the legend below."""
    step_x = grid.width + _GAP
    step_y = grid.height + _GAP + (_CAPTION if grid.has_captions else 0)
    num_rows = sum(len(block.rows) for block in blocks)
    height = 2 * _MARGIN + num_rows * step_y + (len(blocks) + legend_lines) * _LINE
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    title_font, caption_font = ImageFont.load_default(18), ImageFont.load_default(13)
    top = _MARGIN
    for block in blocks:
        pen.text((_MARGIN, top), block.title, _INK, title_font)
        top += _LINE
        for row in block.rows:
            for column, cell in enumerate(row):
                left = _MARGIN + column * step_x
                sheet.paste(_resize(cell.image, grid), (left, top))
                below = (left, top + grid.height + 2)
                pen.text(below, cell.caption, _INK, caption_font)
            top += step_y
    return sheet


def _resize(image: np.ndarray, grid: _Grid) -> Image.Image:
    """Enlarge by repeating pixels, or shrink by averaging them."""
    shrinks = grid.height < len(image)
    resampling = Image.Resampling.BOX if shrinks else Image.Resampling.NEAREST
    return Image.fromarray(image).resize((grid.width, grid.height), resampling)


def _lay_out_legend(classes: tuple[str, ...], right: int) -> list[_LegendEntry]:
    """Place as many class names as fit left of `right`, then `...` for the others."""
    font = ImageFont.load_default(18)
    legend = []
    line, left = 0, _MARGIN
    for name in classes:
        length = 24 + round(font.getlength(name)) + 28
        if left + length > right:
            if line + 1 == _MAX_LEGEND_LINES:
                return [*legend, _LegendEntry(line, left, "...")]
            line, left = line + 1, _MARGIN
        legend.append(_LegendEntry(line, left, name))
        left += length
    return legend


def _draw_legend(
    sheet: Image.Image, legend: list[_LegendEntry], colors: np.ndarray, lines: int
) -> None:
    """Write each class beside a square of its color on the last lines of the sheet."""
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(18)
    for entry, color in zip(legend, colors.tolist(), strict=False):
        left, name = entry.left, entry.name
        middle = sheet.height - _MARGIN - _LINE // 2 - (lines - 1 - entry.line) * _LINE
        if name == "...":
            pen.text((left, middle), name, _INK, font, anchor="lm")
            return
        square = (left, middle - 8, left + 16, middle + 8)
        pen.rectangle(square, tuple(color), (150, 150, 155))
        pen.text((left + 24, middle), name, _INK, font, anchor="lm")
