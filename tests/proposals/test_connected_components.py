"""Connected components and crops, by hand and against a flood and indexing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cirs_tf.proposals.connected_components import (
    ConnectedComponent,
    connected_components,
    crop_square,
)


def flooded(mask) -> list[set]:
    """Return the components of a mask as sets of pixels, by their first pixels."""
    components, seen = [], set()
    for start in zip(*np.nonzero(mask), strict=True):
        if start in seen:
            continue
        component, open_pixels = {start}, [start]
        while open_pixels:
            row, column = open_pixels.pop()
            sides = [(row, column + 1), (row, column - 1)]
            sides += [(row + 1, column), (row - 1, column)]
            for side in sides:
                inside = 0 <= side[0] < mask.shape[0] and 0 <= side[1] < mask.shape[1]
                if inside and mask[side] and side not in component:
                    component.add(side)
                    open_pixels.append(side)
        seen |= component
        components.append(component)
    return components


@settings(max_examples=80)
@given(arrays(bool, (2, 6, 7)), st.integers(0, 4))
def test_components_are_those_of_a_flood(masks, min_area):
    components = connected_components(masks, min_area)
    expected = [
        (image, pixels)
        for image, mask in enumerate(masks)
        for pixels in flooded(mask)
        if len(pixels) >= min_area
    ]
    assert len(components) == len(expected)
    for component, (image, pixels) in zip(components, expected, strict=True):
        assert component.image == image
        assert component.area == len(pixels)
        whole = component.image_mask(6, 7)
        assert set(zip(*np.nonzero(whole), strict=True)) == pixels
        np.testing.assert_array_equal(whole[component.box], component.mask)


def test_a_component_inside_the_box_of_another_is_not_part_of_it():
    ring = np.ones((5, 5), bool)
    ring[1:4, 1:4] = False
    ring[2, 2] = True
    outer, inner = connected_components([ring], 1)
    assert (outer.area, inner.area) == (16, 1)
    assert not outer.mask[2, 2]


def test_box_center_of_even_sides_is_rounded_down():
    component = ConnectedComponent(0, slice(2, 6), slice(3, 8), np.ones((4, 5), bool))
    assert component.box_center == (4, 5)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (slice(1, 3), slice(1, 4), False),
        (slice(0, 3), slice(1, 4), True),
        (slice(1, 3), slice(0, 4), True),
        (slice(1, 4), slice(1, 4), True),
        (slice(1, 3), slice(1, 5), True),
    ],
)
def test_each_border_of_a_4_by_5_image_is_noticed(rows, columns, expected):
    component = ConnectedComponent(0, rows, columns, np.ones((1, 1), bool))
    assert component.touches_border(height=4, width=5) is expected


@pytest.mark.parametrize("mode", ["constant", "edge"])
@pytest.mark.parametrize("size", [2, 3, 9])
@pytest.mark.parametrize("center", [(0, 0), (2, 3), (1, 2)])
def test_crops_hold_the_pixels_around_their_center(center, size, mode):
    array = np.random.default_rng(0).integers(1, 99, (3, 4, 2))
    crop = crop_square(array, center, size, mode)
    assert crop.shape == (size, size, 2)
    for row, column in np.ndindex(size, size):
        y, x = center[0] + row - size // 2, center[1] + column - size // 2
        inside = 0 <= y < 3 and 0 <= x < 4
        expected = array[np.clip(y, 0, 2), np.clip(x, 0, 3)]
        if mode == "constant" and not inside:
            expected = [0, 0]
        np.testing.assert_array_equal(crop[row, column], expected)
