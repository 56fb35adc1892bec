"""Colors and pictures, pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from cirs_tf.visualization import (
    class_colors,
    colorize,
    column_grid,
    overlay,
    palette,
    scatter_plot,
    segmentation_grid,
    with_legend,
)


def test_first_colors_never_depend_on_the_count():
    whole = palette(256)
    assert whole.shape == (256, 3)
    assert whole.dtype == np.uint8
    for count in (1, 2, 8, 9, 100):
        np.testing.assert_array_equal(palette(count), whole[:count])


def test_colors_of_segments_are_told_apart():
    colors = palette(16).astype(int)
    distances = np.abs(colors[:, None] - colors[None]).sum(axis=-1)
    # The two nearest of the first eight: 82.
    assert distances[~np.eye(16, dtype=bool)].min() >= 80
    white = np.array([255, 255, 255])
    assert np.abs(palette(256) - white).sum(axis=-1).min() > 30


def test_labels_become_colors():
    labels = np.array([[[0, 1], [2, 255]]])
    colors = colorize(labels)
    assert colors.shape == (1, 2, 2, 3)
    for place in np.ndindex(labels.shape):
        np.testing.assert_array_equal(colors[place], palette(256)[labels[place]])
    own = np.arange(9, dtype=np.uint8).reshape(3, 3)
    np.testing.assert_array_equal(colorize(np.array([[2, 0]]), own)[0, 0], [6, 7, 8])


@pytest.mark.parametrize(
    ("opacity", "expected"), [(0.0, [0, 100, 255]), (1.0, [255, 50, 255])]
)
def test_overlay_at_both_ends(opacity, expected):
    image = np.array([[[0, 100, 255]]], np.uint8)
    colors = np.array([[[255, 50, 255]]], np.uint8)
    np.testing.assert_array_equal(overlay(image, colors, opacity)[0, 0], expected)


def test_overlay_is_the_rounded_mean():
    image = np.array([[[0, 100, 255]]], np.uint8)
    colors = np.array([[[255, 51, 255]]], np.uint8)
    blended = overlay(image, colors)
    assert blended.dtype == np.uint8
    # 127.5, 75.5 and 255, halves upwards
    np.testing.assert_array_equal(blended[0, 0], [128, 76, 255])


def test_classes_take_the_colors_of_their_segments():
    colors = class_colors([2, -1, 0])
    assert colors.shape == (256, 3)
    np.testing.assert_array_equal(colors[0], palette(3)[2])
    np.testing.assert_array_equal(colors[2], palette(3)[0])
    for unmatched in (1, 3, 255):
        np.testing.assert_array_equal(colors[unmatched], [255, 255, 255])


def tile(picture: Image.Image, rows: int, row: int, column: int, size) -> np.ndarray:
    """Cut one tile out of a grid by its place, counted from the right."""
    height, width = size
    pixels = np.asarray(picture)
    gap = (pixels.shape[0] - rows * height) // (rows + 1)
    top = gap + row * (height + gap)
    right = pixels.shape[1] - gap - (1 - column) * (width + gap)
    return pixels[top : top + height, right - width : right]


@pytest.mark.parametrize("with_truth", [True, False])
@pytest.mark.parametrize("scale", [1, 3])
def test_segmentation_grid_holds_every_image_enlarged(with_truth, scale):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 20, 16, 3), np.uint8)
    labels = rng.integers(0, 3, (2, 20, 16))
    y_true = rng.integers(0, 2, (2, 20, 16))
    y_true[0, 0, 0] = 255
    assignment = [2, -1]
    colors = palette(3)[labels]
    rows = [images, colors]
    if with_truth:
        color_of_class = np.full((256, 3), 255, np.uint8)
        color_of_class[0] = palette(3)[2]
        rows.append(color_of_class[y_true])
        picture = segmentation_grid(images, labels, y_true, assignment, scale)
    else:
        picture = segmentation_grid(images, labels, scale=scale)
    rows.append(np.floor((images.astype(float) + colors) / 2 + 0.5))
    assert picture.mode == "RGB"
    size = (20 * scale, 16 * scale)
    for row, tiles in enumerate(rows):
        for column, expected in enumerate(tiles):
            pixels = tile(picture, len(rows), row, column, size)
            enlarged = expected.repeat(scale, axis=0).repeat(scale, axis=1)
            np.testing.assert_array_equal(pixels, enlarged)


def test_rows_of_a_grid_are_named_at_the_left():
    images = np.zeros((1, 20, 10, 3), np.uint8)
    picture = np.asarray(segmentation_grid(images, images[..., 0], scale=1))
    left = picture[:, : -(10 + 2 * 4)]
    for row in range(3):
        strip = left[4 + row * 24 : 24 + row * 24]
        assert strip.min() < 100  # some dark letters
        assert strip.max() == 255


@pytest.mark.parametrize("size", [(20, 16), (20, 90)], ids=["narrow", "wide"])
def test_column_grid_holds_every_image_under_its_name(size):
    """Images narrower than their name stand in the middle of the column."""
    height, width = size
    columns = {
        name: np.random.default_rng(seed).integers(0, 256, (2, *size, 3), np.uint8)
        for seed, name in enumerate(["segments", "of two"])
    }
    pixels = np.asarray(column_grid(columns, scale=2))
    column = (pixels.shape[1] - 3 * 4) // 2
    assert column >= 2 * width
    top = pixels.shape[0] - 2 * (2 * height + 4)
    for index, tiles in enumerate(columns.values()):
        left = 4 + index * (column + 4)
        above = pixels[:top, left : left + column]
        assert above.min() < 100  # some dark letters
        left += (column - 2 * width) // 2
        for row, tile_ in enumerate(tiles):
            first = top + row * (2 * height + 4)
            shown = pixels[first : first + 2 * height, left : left + 2 * width]
            np.testing.assert_array_equal(shown, tile_.repeat(2, 0).repeat(2, 1))


def test_points_lie_where_their_coordinates_say_in_their_color():
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    picture = np.asarray(scatter_plot(points, colors, size=100, radius=3))
    assert picture.shape == (100, 100, 3)
    # The largest coordinate lies two radii from the edge; y is upwards.
    for (row, column), color in zip([(50, 94), (6, 50), (94, 6)], colors, strict=True):
        np.testing.assert_array_equal(picture[row, column], color)
    assert tuple(picture[20, 20]) == (128, 128, 128)


def test_a_legend_shows_each_color_once_and_wraps():
    picture = Image.new("RGB", (150, 40), "black")
    legend = [f"{k}: a long name" for k in range(3)]
    shown = np.asarray(with_legend(picture, legend))
    assert shown.shape[1] == 150
    assert (shown[:40] == 0).all()
    below = shown[40:]
    rows = []
    for color in palette(3):
        where = np.argwhere((below == color).all(axis=-1))
        assert len(where) >= 100
        rows.append(where[:, 0].min())
    assert rows == sorted(rows) and len(set(rows)) == 3  # one in each line
    wide = with_legend(Image.new("RGB", (900, 40)), legend)
    assert wide.height < shown.shape[0]


def test_a_legend_wider_than_the_picture_is_not_cut():
    shown = np.asarray(with_legend(Image.new("RGB", (40, 10)), ["a\nvery long name"]))
    assert shown.shape[1] > 80
    assert (shown[:, -2:] == 255).all()
