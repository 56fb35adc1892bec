"""Counts of pairs against two loops over pixels."""

import itertools
import math

import numpy as np
import pytest

from cirs_tf.words.cooccurrence import count_cooccurrences, half_disc

RNG = np.random.default_rng(0)


def test_offsets_by_hand():
    assert set(half_disc(1, 1)) == {(0, 1), (1, 0)}
    assert set(half_disc(2, 1)) == {(0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (2, 0)}
    assert set(half_disc(5, 2)) == {
        *((0, 2), (0, 4), (2, 0), (4, 0), (2, 2), (2, -2)),
        *((2, 4), (2, -4), (4, 2), (4, -2)),
    }


@pytest.mark.parametrize("radius", [1, 3, 8])
def test_counts_are_a_loop_over_pairs_of_pixels(radius):
    words = RNG.integers(0, 4, (3, 5, 6))
    stride = max(1, radius // 4)
    expected = np.zeros((4, 4), int)
    pixels = list(itertools.product(range(5), range(6)))
    for image in words:
        for one, other in itertools.permutations(pixels, 2):
            offset = (other[0] - one[0], other[1] - one[1])
            sampled = all(part % stride == 0 for part in offset)
            if sampled and math.dist(one, other) <= radius:
                expected[image[one], image[other]] += 1
    for batches in ([words], [words[:1], words[1:]]):
        counts = count_cooccurrences(iter(batches), 4, radius)
        np.testing.assert_array_equal(counts, expected)
    np.testing.assert_array_equal(counts, counts.T)
