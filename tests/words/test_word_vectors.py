"""Positive PMI against loops and logarithms, vectors against eigenvalues."""

import math

import numpy as np

from cirs_tf.words.word_vectors import positive_pmi, word_vectors

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 50, (6, 6))
COUNTS = COUNTS + COUNTS.T


def test_pmi_is_the_formula():
    total = COUNTS.sum()
    word = [COUNTS[a].sum() / total for a in range(6)]
    powers = [share**0.75 for share in word]
    expected = np.zeros((6, 6))
    for a in range(6):
        for b in range(6):
            joint = COUNTS[a, b] / total
            if joint > 0:
                chance = word[a] * powers[b] / sum(powers)
                expected[a, b] = max(0, math.log(joint / chance))
    np.testing.assert_allclose(positive_pmi(COUNTS), expected, atol=1e-8)


def test_a_word_that_never_appears_has_no_information():
    counts = np.zeros((3, 3), int)
    counts[:2, :2] = [[4, 1], [1, 4]]
    pmi = positive_pmi(counts)
    assert np.isfinite(pmi).all()
    np.testing.assert_array_equal(pmi[2], 0)
    np.testing.assert_array_equal(pmi[:, 2], 0)
    assert np.isfinite(word_vectors(counts, 2)).all()


def test_vectors_are_scaled_leading_left_singular_vectors():
    """From the eigenvalues of M M^T, which share no code with the SVD."""
    pmi = positive_pmi(COUNTS)
    squares, axes = np.linalg.eigh(pmi @ pmi.T)
    raw = axes[:, ::-1][:, :3] * squares[::-1][:3] ** 0.25
    spread = np.sqrt(np.square(raw - raw.mean(0)).sum(1).mean())
    vectors = word_vectors(COUNTS, 3)
    np.testing.assert_allclose(np.abs(vectors), np.abs(raw) / spread, atol=1e-9)
    largest = np.abs(vectors).argmax(axis=0)
    assert (vectors[largest, range(3)] > 0).all()
    deviation = vectors - vectors.mean(axis=0)
    np.testing.assert_allclose(np.square(deviation).sum() / 6, 1, atol=1e-12)


def test_words_of_one_object_lie_in_one_direction():
    """Two objects of two words each, on a ground beside which everything appears."""
    counts = np.array(
        [
            [900, 20, 20, 20, 20],
            [20, 40, 40, 0, 0],
            [20, 40, 40, 0, 0],
            [20, 0, 0, 40, 40],
            [20, 0, 0, 40, 40],
        ]
    )
    ground, *objects = word_vectors(counts, 2)
    first, second = objects[:2], objects[2:]
    np.testing.assert_allclose(first[0], first[1], atol=1e-9)
    np.testing.assert_allclose(second[0], second[1], atol=1e-9)
    assert np.linalg.norm(ground) < 0.3 * np.linalg.norm(first[0])
    cosine = first[0] @ second[0] / np.linalg.norm(first[0]) / np.linalg.norm(second[0])
    assert abs(cosine) < 0.5
