"""Pictures of segmentations: fixed colors, overlays and labeled grids."""

import colorsys
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Okabe and Ito 2008, told apart by color-blind readers; segment k is always color k.
_FIRST_COLORS = (
    (86, 180, 233),
    (240, 228, 66),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (0, 114, 178),
    (230, 159, 0),
    (90, 90, 90),
)
_GOLDEN_RATIO = 0.61803398875
_UNMATCHED = (255, 255, 255)


def palette(count: int) -> np.ndarray:
    """Return `[count, 3]` uint8 colors; the first ones never depend on `count`."""
    colors = list(_FIRST_COLORS[:count])
    for index in range(len(colors), count):
        # 0.7 and 0.8 keep the first 16 furthest apart from one another.
        hue = (0.7 + index * _GOLDEN_RATIO) % 1.0
        red_green_blue = colorsys.hsv_to_rgb(hue, 0.8, 0.6 + 0.35 * (index % 2))
        colors.append(tuple(round(255 * value) for value in red_green_blue))
    return np.array(colors, np.uint8)


def colorise(labels: np.ndarray, colors: np.ndarray | None = None) -> np.ndarray:
    """Map labels `[..., height, width]` in [0, 255] to RGB in a last axis of 3."""
    colors = palette(256) if colors is None else colors
    return colors[labels]


def palette_image(labels: np.ndarray) -> Image.Image:
    """Return `[height, width]` uint8 labels as a palette image, value = label."""
    image = Image.fromarray(labels)
    image.putpalette(palette(256).ravel().tolist())
    return image


def overlay(image: np.ndarray, colors: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Lay segment colors over images, both `[..., height, width, 3]` uint8."""
    return np.uint8(image * (1 - opacity) + colors * opacity + 0.5)


def class_colors(assignment: Sequence[int]) -> np.ndarray:
    """Return a color for each value of a truth mask, that of the matched segment.

    Args:
        assignment: `[classes]`: the segment that stands for each class, -1: none.

    Returns:
        `[256, 3]` uint8; white for classes without a segment and for ignored pixels.
    """
    colors = np.full((256, 3), _UNMATCHED, np.uint8)
    segments = palette(256)
    for true_class, segment in enumerate(assignment):
        if segment >= 0:
            colors[true_class] = segments[segment]
    return colors


def segmentation_grid(
    images: np.ndarray,
    labels: np.ndarray,
    truth: np.ndarray | None = None,
    assignment: Sequence[int] | None = None,
    scale: int = 2,
) -> Image.Image:
    """Draw rows input, segments, truth (where there is one) and overlay.

    Args:
        images: `[images, height, width, 3]` uint8.
        labels: `[images, height, width]` segment indices.
        truth: `[images, height, width]` class indices, or None.
        assignment: The segment that stands for each class; truth takes its color.
        scale: Enlargement.

    Returns:
        One picture, images side by side.
    """
    segments = colorise(labels)
    rows = {"input": images, "segments": segments}
    if truth is not None:
        rows["truth"] = colorise(truth, class_colors(assignment))
    rows["overlay"] = overlay(images, segments)
    return picture_grid(rows, scale)


def picture_grid(
    rows: Mapping[str, np.ndarray], scale: int = 2, margin: int = 4
) -> Image.Image:
    """Place rows of equally large pictures under each other, names at the left.

    Args:
        rows: Name to `[pictures, height, width, 3]` uint8.
        scale: Enlargement.
        margin: Pixels between pictures.
    """
    font = ImageFont.load_default(size=14)
    left = round(max(font.getlength(name) for name in rows)) + 2 * margin
    count, height, width = next(iter(rows.values())).shape[:3]
    height, width = height * scale, width * scale
    size = (left + count * (width + margin), len(rows) * (height + margin) + margin)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for row, (name, tiles) in enumerate(rows.items()):
        top = margin + row * (height + margin)
        draw.text((margin, top + height // 2), name, "black", font, anchor="lm")
        for column, tile in enumerate(tiles):
            enlarged = Image.fromarray(tile).resize((width, height), Image.NEAREST)
            picture.paste(enlarged, (left + column * (width + margin), top))
    return picture


def column_grid(
    columns: Mapping[str, np.ndarray], scale: int = 2, margin: int = 4
) -> Image.Image:
    """Place columns of equally large pictures beside each other, names above.

    Args:
        columns: Name to `[pictures, height, width, 3]` uint8.
        scale: Enlargement.
        margin: Pixels between pictures.
    """
    font = ImageFont.load_default(size=14)
    count, height, width = next(iter(columns.values())).shape[:3]
    height, width = height * scale, width * scale
    # Small pictures stand in columns as wide as their names.
    column = max(width, *(round(font.getlength(name)) + 1 for name in columns))
    top = 18 + 2 * margin
    size = (
        len(columns) * (column + margin) + margin,
        top + count * (height + margin),
    )
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for number, (name, tiles) in enumerate(columns.items()):
        left = margin + number * (column + margin)
        draw.text((left + column // 2, top // 2), name, "black", font, anchor="mm")
        left += (column - width) // 2
        for row, tile in enumerate(tiles):
            enlarged = Image.fromarray(tile).resize((width, height), Image.NEAREST)
            picture.paste(enlarged, (left, top + row * (height + margin)))
    return picture
