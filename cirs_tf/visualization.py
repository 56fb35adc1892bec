"""Pictures of segmentations: fixed colors, overlays and labeled grids."""

import colorsys
import functools
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
_UNMATCHED_COLOR = (255, 255, 255)
_FONT_SIZE = 14
_NAME_HEIGHT = 18  # pixels of a line of text above a column


def palette(num_colors: int) -> np.ndarray:
    """Return colors of segments; the first ones never depend on `num_colors`.

    Args:
        num_colors: 1 to 256.

    Returns:
        `[num_colors, 3]` uint8 RGB.

    Example:
        >>> palette(2)
        array([[ 86, 180, 233],
               [240, 228,  66]], dtype=uint8)
    """
    return np.array(_colors()[:num_colors], np.uint8)


@functools.cache
def _colors() -> list[tuple[int, ...]]:
    colors = list(_FIRST_COLORS)
    for index in range(len(colors), 256):
        # 0.7 and 0.8 keep the first 16 furthest apart from one another.
        hue = (0.7 + index * _GOLDEN_RATIO) % 1.0
        red_green_blue = colorsys.hsv_to_rgb(hue, 0.8, 0.6 + 0.35 * (index % 2))
        colors.append(tuple(round(255 * value) for value in red_green_blue))
    return colors


def class_colors(assignment: Sequence[int]) -> np.ndarray:
    """Return a color for each true class: that of the segment matched to it.

    Args:
        assignment: `[classes]`: the segment matched to each class, -1: none.

    Returns:
        `[256, 3]` uint8 RGB; white for classes without a segment and for other values
        of a mask, such as that of ignored pixels.

    Example:
        >>> class_colors([1, -1])[[0, 1, 255]]
        array([[240, 228,  66],
               [255, 255, 255],
               [255, 255, 255]], dtype=uint8)
    """
    colors = np.full((256, 3), _UNMATCHED_COLOR, np.uint8)
    segment_colors = palette(256)
    for true_class, segment in enumerate(assignment):
        if segment >= 0:
            colors[true_class] = segment_colors[segment]
    return colors


def colorize(labels: np.ndarray, colors: np.ndarray | None = None) -> np.ndarray:
    """Map labels to RGB.

    Args:
        labels: Integers of any shape, in [0, 255].
        colors: `[colors, 3]` uint8, one for each label; the palette if None.

    Returns:
        uint8 of the shape of `labels`, with a last axis of 3.

    Example:
        >>> colorize(np.array([[0, 1]]))
        array([[[ 86, 180, 233],
                [240, 228,  66]]], dtype=uint8)
    """
    colors = palette(256) if colors is None else colors
    return colors[labels]


def palette_image(labels: np.ndarray) -> Image.Image:
    """Return `[height, width]` uint8 labels as a palette image, pixel value = label."""
    image = Image.fromarray(labels)
    image.putpalette(palette(256).ravel().tolist())
    return image


def overlay(image: np.ndarray, colors: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Blend segment colors over images.

        result = (1 - opacity) image + opacity colors, rounded, halves upwards

    Args:
        image: `[..., height, width, 3]` uint8.
        colors: The same shape, from `colorize`.
        opacity: Weight of the colors, in [0, 1].

    Returns:
        uint8 of that shape.
    """
    return np.uint8(image * (1 - opacity) + colors * opacity + 0.5)


def segmentation_grid(
    images: np.ndarray,
    y_pred: np.ndarray,
    y_true: np.ndarray | None = None,
    assignment: Sequence[int] | None = None,
    scale: int = 2,
    legend: Sequence[str] = (),
) -> Image.Image:
    """Draw rows input, segments, truth (where there is one) and overlay.

    Args:
        images: `[images, height, width, 3]` uint8.
        y_pred: `[images, height, width]` segment indices.
        y_true: `[images, height, width]` class indices, or None.
        assignment: The segment matched to each class, whose color the class takes;
            needed with `y_true`.
        scale: Factor by which images are enlarged.
        legend: What each segment is, below the images in its color.

    Returns:
        One picture, images side by side.
    """
    segment_colors = colorize(y_pred)
    rows = {"input": images, "segments": segment_colors}
    if y_true is not None:
        rows["truth"] = colorize(y_true, class_colors(assignment))
    rows["overlay"] = overlay(images, segment_colors)
    grid = image_grid(rows, scale)
    return with_legend(grid, legend) if legend else grid


def with_legend(picture: Image.Image, legend: Sequence[str]) -> Image.Image:
    """Return a picture with squares of the palette and their meanings below it.

    Args:
        picture: Is not changed.
        legend: The meaning of each color, from the first on; in lines as wide as the
            picture; the result is wider where one alone is.
    """
    font = ImageFont.load_default(size=_FONT_SIZE)
    square, gap = _FONT_SIZE, _FONT_SIZE // 2
    legend = [" ".join(text.split()) for text in legend]
    places, left, line, widest = [], gap, 0, picture.width
    for text in legend:
        width = square + gap + round(font.getlength(text)) + 2 * gap
        if left > gap and left + width > picture.width:
            left, line = gap, line + 1
        places.append((left, picture.height + line * _NAME_HEIGHT))
        left += width
        widest = max(widest, left)
    height = picture.height + (line + 1) * _NAME_HEIGHT + gap
    result = Image.new("RGB", (widest, height), "white")
    result.paste(picture)
    draw = ImageDraw.Draw(result)
    for text, color, (x, y) in zip(legend, palette(len(legend)), places, strict=True):
        fill = tuple(map(int, color))
        draw.rectangle((x, y, x + square - 1, y + square - 1), fill, "gray")
        middle = (x + square + gap, y + square // 2)
        draw.text(middle, text, "black", font, anchor="lm")
    return result


def image_grid(
    rows: Mapping[str, np.ndarray], scale: int = 2, margin: int = 4
) -> Image.Image:
    """Place rows of equally large images under each other, their names at the left.

    Args:
        rows: For each name `[images, height, width, 3]` uint8.
        scale: Factor by which images are enlarged.
        margin: Space between images in pixels.

    Returns:
        One picture.
    """
    font = ImageFont.load_default(size=_FONT_SIZE)
    names_width = round(max(font.getlength(name) for name in rows)) + 2 * margin
    count, height, width = next(iter(rows.values())).shape[:3]
    row_height, column_width = height * scale + margin, width * scale + margin
    size = (names_width + count * column_width, len(rows) * row_height + margin)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for row, (name, images) in enumerate(rows.items()):
        top = margin + row * row_height
        middle = (margin, top + height * scale // 2)
        draw.text(middle, name, "black", font, anchor="lm")
        for column, image in enumerate(images):
            left = names_width + column * column_width
            picture.paste(_enlarged(image, scale), (left, top))
    return picture


def column_grid(
    columns: Mapping[str, np.ndarray], scale: int = 2, margin: int = 4
) -> Image.Image:
    """Place columns of equally large images beside each other, their names above.

    Args:
        columns: For each name `[images, height, width, 3]` uint8.
        scale: Factor by which images are enlarged.
        margin: Space between images in pixels.

    Returns:
        One picture.
    """
    font = ImageFont.load_default(size=_FONT_SIZE)
    count, height, width = next(iter(columns.values())).shape[:3]
    # Small images stand in the middle of columns as wide as their names.
    name_widths = [round(font.getlength(name)) + 1 for name in columns]
    column_width = max(width * scale, *name_widths) + margin
    row_height = height * scale + margin
    names_height = _NAME_HEIGHT + 2 * margin
    size = (len(columns) * column_width + margin, names_height + count * row_height)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for column, (name, images) in enumerate(columns.items()):
        left = margin + column * column_width
        middle = (left + (column_width - margin) // 2, names_height // 2)
        draw.text(middle, name, "black", font, anchor="mm")
        left += (column_width - margin - width * scale) // 2
        for row, image in enumerate(images):
            top = names_height + row * row_height
            picture.paste(_enlarged(image, scale), (left, top))
    return picture


def scatter_plot(
    points: np.ndarray, colors: np.ndarray, size: int = 320, radius: int = 5
) -> Image.Image:
    """Draw points of a plane as discs, on gray, with the axes through the origin.

    Args:
        points: `[points, 2]` float, x to the right and y upwards.
        colors: `[points, 3]` uint8.
        size: Height and width of the picture in pixels.
        radius: Of a disc in pixels.
    """
    picture = Image.new("RGB", (size, size), (128, 128, 128))
    draw = ImageDraw.Draw(picture)
    scale = (size / 2 - 2 * radius) / max(np.abs(points).max(), 1e-9)
    draw.line((0, size / 2, size, size / 2), (100, 100, 100))
    draw.line((size / 2, 0, size / 2, size), (100, 100, 100))
    for (x, y), color in zip(points, colors, strict=True):
        left, top = size / 2 + scale * x - radius, size / 2 - scale * y - radius
        box = (left, top, left + 2 * radius, top + 2 * radius)
        draw.ellipse(box, tuple(map(int, color)), (60, 60, 60))
    return picture


def _enlarged(image: np.ndarray, scale: int) -> Image.Image:
    height, width = image.shape[:2]
    size = (width * scale, height * scale)
    return Image.fromarray(image).resize(size, Image.NEAREST)
