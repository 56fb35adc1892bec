"""Color words against loops over pixels, and scikit-learn's nearest center."""

import numpy as np
from scipy.spatial.distance import cdist

from cirs_tf.words.color_words import (
    LEVELS,
    color_bins,
    color_histogram,
    fit_color_words,
    words_of,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)


def test_bins_by_hand():
    pixels = np.array([[0, 0, 0], [7, 8, 255], [255, 255, 255]], np.uint8)
    assert color_bins(pixels).tolist() == [0, 1 * 32 + 31, 32**3 - 1]


def test_histogram_is_a_loop_over_pixels_whatever_the_batches():
    counts, sums = np.zeros(LEVELS**3, int), np.zeros((LEVELS**3, 3), int)
    for pixel in IMAGES.reshape(-1, 3):
        red, green, blue = (int(value) // 8 for value in pixel)
        counts[(red * 32 + green) * 32 + blue] += 1
        sums[(red * 32 + green) * 32 + blue] += pixel
    for batches in ([IMAGES], [IMAGES[:2], IMAGES[2:5], IMAGES[5:]], list(IMAGES)):
        found = color_histogram(iter(batches))
        np.testing.assert_array_equal(found.counts, counts)
        np.testing.assert_array_equal(found.sums, sums)


def test_every_bin_has_the_word_of_the_nearest_center():
    histogram = color_histogram([IMAGES])
    words = fit_color_words(histogram, 5, seed=0)
    assert words.colors.shape == (5, 3)
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1)
    distances = cdist(cube.reshape(-1, 3), words.colors)
    nearest = distances.argmin(axis=1)
    table = words.table.ravel()
    empty = histogram.counts == 0
    np.testing.assert_array_equal(table[empty], nearest[empty])
    # Occupied bins go by the mean color of their pixels, not by their middle.
    (occupied,) = np.nonzero(histogram.counts)
    mean = histogram.sums[occupied] / histogram.counts[occupied, None] / 255
    np.testing.assert_array_equal(
        table[occupied], cdist(mean, words.colors).argmin(axis=1)
    )
    np.testing.assert_array_equal(
        words_of(IMAGES, words.table), table[color_bins(IMAGES)]
    )


def test_centers_are_means_weighted_by_the_root_of_the_pixels():
    """A color of 9 pixels weighs 3 times as much as one of a single pixel."""
    image = np.full((1, 1, 11, 3), 16, np.uint8)
    image[0, 0, 9] = 48
    image[0, 0, 10] = 240
    words = fit_color_words(color_histogram([image[:, :, :10], image[:, :, 10:]]), 2, 0)
    low = words.colors[words.colors[:, 0].argsort()[0]]
    np.testing.assert_allclose(low, (3 * 16 + 48) / 4 / 255, atol=1e-9)


def test_no_more_words_than_colors():
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[0, 0] = 200
    words = fit_color_words(color_histogram([image]), 9, seed=0)
    assert len(words.colors) == 2
    assert set(words_of(image, words.table).ravel()) == {0, 1}
