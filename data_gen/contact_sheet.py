"""Draws the contact sheet: training pictures, and labelled ones with their masks."""

import colorsys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_gen.options import SceneOptions
from data_gen.render import draw_examples
from data_gen.scene import SceneSampler

CONTACT_SHEET = "contact_sheet.png"
_COLUMNS = 8
_ROWS = 4
_LABELLED_ROWS = 2
_CELL = 128  # pixels, about: a whole multiple of the picture's size
_GAP = 6
_MARGIN = 24
_LINE = 30
_PAPER = (250, 250, 248)
_INK = (45, 45, 50)


def draw_contact_sheet(options: SceneOptions, sampler: SceneSampler) -> Image.Image:
    """Return the sheet.

    Args:
        options: Which seed, and how many pictures there are to show.
        sampler: Kind of scene.

    Returns:
        Rows of the first training pictures; where the set has a labelled split, rows of
        its first pictures, each above its mask, and the colours of the classes.
    """
    train = min(options.train, _COLUMNS * _ROWS)
    pictures, _ = draw_examples(sampler, options.seed, "train", 0, train)
    blocks = [("train", _rows(pictures))]
    colours = class_colours(len(sampler.classes))
    labelled = next((split for split in ("val", "test") if options.examples(split)), "")
    if labelled:
        count = min(options.examples(labelled), _COLUMNS * _LABELLED_ROWS)
        pictures, masks = draw_examples(sampler, options.seed, labelled, 0, count)
        pairs = zip(_rows(pictures), _rows(colours[masks]), strict=True)
        blocks.append(
            (f"{labelled}, with masks", [row for pair in pairs for row in pair])
        )
    sheet = _lay_out(blocks, options.size)
    if labelled:
        _add_legend(sheet, sampler.classes, colours)
    return sheet


def class_colours(count: int) -> np.ndarray:
    """Return `[count, 3]` uint8: a pale grey for class 0, then six hues in turn."""
    lightness = (0.52, 0.36, 0.70)  # of each round of hues
    colours = [
        colorsys.hls_to_rgb((0.13 - index / 6) % 1, lightness[index // 6 % 3], 0.75)
        for index in range(count - 1)
    ]
    return np.rint(np.array([(0.86, 0.88, 0.91), *colours]) * 255).astype(np.uint8)


def _rows(pictures: np.ndarray) -> list[np.ndarray]:
    return [pictures[i : i + _COLUMNS] for i in range(0, len(pictures), _COLUMNS)]


def _lay_out(blocks: list[tuple[str, list]], size: int) -> Image.Image:
    """Place titled blocks of rows below each other, with room for one line below."""
    cell = size * max(1, round(_CELL / size))
    step = cell + _GAP
    rows = sum(len(block) for _, block in blocks)
    width = 2 * _MARGIN + _COLUMNS * step - _GAP
    height = 2 * _MARGIN + rows * step + (len(blocks) + 1) * _LINE
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    top = _MARGIN
    for title, block in blocks:
        pen.text((_MARGIN, top), title, _INK, ImageFont.load_default(18))
        top += _LINE
        for row in block:
            for column, picture in enumerate(row):
                image = Image.fromarray(picture)
                image = image.resize((cell, cell), Image.Resampling.NEAREST)
                sheet.paste(image, (_MARGIN + column * step, top))
            top += step
    return sheet


def _add_legend(
    sheet: Image.Image, classes: tuple[str, ...], colours: np.ndarray
) -> None:
    """Write each class beside its colour on the last line."""
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(18)
    left, middle = _MARGIN, sheet.height - _MARGIN - _LINE // 2
    for name, colour in zip(classes, colours.tolist(), strict=True):
        box = (left, middle - 8, left + 16, middle + 8)
        pen.rectangle(box, tuple(colour), (150, 150, 155))
        pen.text((left + 24, middle), name, _INK, font, anchor="lm")
        left += 24 + round(pen.textlength(name, font)) + 28
