"""Regions against flood filling, which starts anew after every merge."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cirs_tf.postprocessing.regions import (
    connected_regions,
    merge_small_regions,
    merged_regions,
)


def sides(height: int, width: int, row: int, column: int):
    around = [
        (row, column + 1),
        (row + 1, column),
        (row, column - 1),
        (row - 1, column),
    ]
    return [(r, c) for r, c in around if 0 <= r < height and 0 <= c < width]


def flood(labels: np.ndarray) -> list[set]:
    """Regions as sets of pixels, in the order of their first pixel."""
    regions, seen = [], set()
    for pixel in np.ndindex(labels.shape):
        if pixel in seen:
            continue
        region, open_pixels = {pixel}, [pixel]
        while open_pixels:
            for side in sides(*labels.shape, *open_pixels.pop()):
                if side not in region and labels[side] == labels[pixel]:
                    region.add(side)
                    open_pixels.append(side)
        seen |= region
        regions.append(region)
    return regions


def merged_slowly(labels: np.ndarray, min_region_size: int) -> np.ndarray:
    labels = labels.copy()
    while True:
        regions = flood(labels)
        smallest = min(regions, key=len)  # Python's min takes the first of equals.
        if len(regions) == 1 or len(smallest) >= min_region_size:
            return labels
        home = {pixel: index for index, r in enumerate(regions) for pixel in r}
        shared = collections.Counter(
            home[side]
            for pixel in smallest
            for side in sides(*labels.shape, *pixel)
            if side not in smallest
        )
        longest = max(shared.values())
        target = min(index for index, length in shared.items() if length == longest)
        label = labels[next(iter(regions[target]))]
        for pixel in smallest:
            labels[pixel] = label


images = arrays(
    np.uint8,
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    elements=st.integers(0, 3),
)


@settings(max_examples=100)
@given(images)
def test_regions_are_numbered_as_a_flood_meets_them(labels):
    regions = connected_regions(labels)
    expected = np.zeros(labels.shape, int)
    for number, region in enumerate(flood(labels), start=1):
        for pixel in region:
            expected[pixel] = number
    np.testing.assert_array_equal(regions, expected)
    assert regions.dtype == np.int32


def test_regions_by_hand():
    labels = np.array([[0, 0, 1], [1, 0, 0], [2, 1, 0]], np.uint8)  # corners part
    expected = np.array([[1, 1, 2], [3, 1, 1], [4, 5, 1]])
    np.testing.assert_array_equal(connected_regions(labels), expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((1, 2, 2), np.uint8), r"labels: expected integers .*\(1, 2, 2\)"),
        (np.zeros((2, 2)), "labels: expected integers .* got float64"),
        (np.zeros((0, 2), int), r"labels: no pixels in \(0, 2\)"),
    ],
)
def test_what_has_no_regions_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        connected_regions(labels)


@settings(max_examples=300)
@given(images, st.integers(0, 20))
def test_merged_as_by_the_slow_loop(labels, min_region_size):
    before = labels.copy()
    merged = merge_small_regions(labels, min_region_size)
    np.testing.assert_array_equal(merged, merged_slowly(labels, min_region_size))
    np.testing.assert_array_equal(labels, before)
    assert merged is not labels
    assert merged.dtype == np.uint8


@pytest.mark.parametrize("seed", range(6))
def test_merged_as_by_the_slow_loop_on_a_larger_image(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2 + seed, (19, 23))
    min_region_size = int(rng.integers(2, 40))
    merged = merge_small_regions(labels, min_region_size)
    np.testing.assert_array_equal(merged, merged_slowly(labels, min_region_size))


@settings(max_examples=100)
@given(images, st.integers(0, 20))
def test_no_small_region_is_left_after_merging(labels, min_region_size):
    merged = merge_small_regions(labels, min_region_size)
    regions = flood(merged)
    assert len(regions) == 1 or min(map(len, regions)) >= min_region_size
    np.testing.assert_array_equal(merge_small_regions(merged, min_region_size), merged)
    assert set(np.unique(merged)) <= set(np.unique(labels))


def test_the_longest_border_decides_not_the_largest_region():
    # The 5 has 2 sides to the 1s and 1 to the 0s, of which there are more.
    labels = np.array([[1, 5, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert merge_small_regions(labels, 2)[0, 1] == 1


def test_of_equal_borders_the_earlier_region_decides():
    labels = np.array([[3, 3, 3], [3, 5, 1], [1, 1, 1]])
    assert merge_small_regions(labels, 2)[1, 1] == 3
    assert merge_small_regions(labels[::-1], 2)[1, 1] == 1


def test_pixels_that_touch_at_a_corner_are_two_regions():
    labels = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(merge_small_regions(labels, 2), np.zeros((3, 3)))


def test_regions_of_one_label_do_not_add_up():
    # The 5s have 2 sides to each of two regions of 1s, and 3 to the 2s.
    labels = np.array([[1, 1, 0, 1, 1], [1, 5, 5, 5, 1], [2, 2, 2, 2, 2], [2] * 5])
    merged = merge_small_regions(np.repeat(labels, [4, 1, 1, 1], axis=0), 4)
    np.testing.assert_array_equal(merged[4], [1, 2, 2, 2, 1])


def test_the_smallest_is_first():
    # The 2 joins the 1s, which are then large enough to stay.
    labels = np.zeros((4, 5), int)
    labels[1:3, 1:4] = [[1, 1, 1], [1, 2, 1]]
    merged = merge_small_regions(labels, 6)
    np.testing.assert_array_equal(merged == 1, labels > 0)
    np.testing.assert_array_equal(merge_small_regions(labels, 7), np.zeros((4, 5)))


def test_regions_that_a_merge_connects_count_as_one():
    # Both bars of 1s are too small, until the 5 between them joins them.
    labels = np.array([[1, 1, 1, 5, 1, 1, 1], [0] * 7])
    merged = merge_small_regions(labels, 4)
    np.testing.assert_array_equal(merged, [[1] * 7, [0] * 7])


@pytest.mark.parametrize("min_region_size", [0, 1])
def test_nothing_to_merge(min_region_size):
    labels = np.array([[0, 1], [1, 0]], np.uint8)
    merged = merge_small_regions(labels, min_region_size)
    np.testing.assert_array_equal(merged, labels)
    assert merged is not labels


def test_one_region_stays_however_small():
    np.testing.assert_array_equal(
        merge_small_regions(np.full((2, 3), 7), 100), np.full((2, 3), 7)
    )


@pytest.mark.parametrize(
    ("labels", "min_region_size", "message"),
    [
        (np.zeros((2, 2)), 3, "labels: expected integers .* got float64"),
        (np.zeros((1, 2, 2), np.uint8), 3, r"labels: expected integers .*\(1, 2, 2\)"),
        (np.zeros((2, 2), np.uint8), -1, "min_region_size: expected 0 or more"),
    ],
)
def test_what_cannot_be_merged_is_refused(labels, min_region_size, message):
    with pytest.raises(ValueError, match=message):
        merge_small_regions(labels, min_region_size)


def as_sets(regions: np.ndarray) -> set[frozenset]:
    """Return the sets of pixels of one number."""
    return {
        frozenset(zip(*np.nonzero(regions == number), strict=True))
        for number in np.unique(regions)
    }


@settings(max_examples=100)
@given(images, st.lists(st.integers(0, 20), max_size=4))
def test_several_sizes_at_once_are_as_each_alone(labels, sizes):
    found = merged_regions(labels, sorted(sizes))
    assert len(found) == len(sizes)
    for size, regions in zip(sorted(sizes), found, strict=True):
        assert regions.shape == labels.shape
        expected = flood(merged_slowly(labels, size))
        assert as_sets(regions) == set(map(frozenset, expected))


def test_a_later_size_takes_the_region_that_begins_first():
    # Below 3, the first column and the last two become regions of 2s. Below 4, of two
    # columns of 3 pixels the first joins the 1s; the second would join all of the 2s.
    labels = np.array([[2, 1, 2, 2], [2, 1, 0, 2], [0, 1, 3, 3]])
    first, last = merged_regions(labels, [3, 4])
    assert as_sets(first) == as_sets(np.array([[0, 1, 2, 2]] * 3))
    assert as_sets(last) == as_sets(np.array([[0, 0, 1, 1]] * 3))


@pytest.mark.parametrize("seed", range(4))
def test_several_sizes_on_a_larger_image(seed):
    labels = np.random.default_rng(seed).integers(0, 3, (13, 17))
    sizes = [0, 2, 3, 4, 4, 5, 6, 8, 10, 14, 20, 40]
    for size, regions in zip(sizes, merged_regions(labels, sizes), strict=True):
        expected = flood(merged_slowly(labels, size))
        assert as_sets(regions) == set(map(frozenset, expected))


@pytest.mark.parametrize(
    ("labels", "sizes", "message"),
    [
        (np.zeros((2, 2)), [3], "labels: expected integers .* got float64"),
        (np.zeros((0, 2), int), [3], "labels: no pixels"),
        (np.zeros((2, 2), int), [-1], "min_region_size: expected 0 or more, got -1"),
        (np.zeros((2, 2), int), [4, 2], "expected rising sizes, got 2 after 4"),
    ],
)
def test_sizes_that_are_refused(labels, sizes, message):
    with pytest.raises(ValueError, match=message):
        merged_regions(labels, sizes)
