from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.losses.pseudo_labels import (
    REACH,
    SPREAD,
    gaussian_window_sums,
    pseudo_labels,
    settle_borders,
)

RNG = np.random.default_rng(0)
# What TensorFlow Addons 0.23.0 returned; make_addons_golden.py beside it wrote it.
ADDONS = np.load(Path(__file__).parents[1] / "golden" / "addons_blur.npz")
# Ours are sums and Addons' are means: this is the sum of the 5x5 weights.
TOTAL_WEIGHT = sum(np.exp(-(step**2) / (2 * 0.7**2)) for step in range(-2, 3)) ** 2


def by_loops(image, labels):
    """The docstring's rule, a pixel at a time."""
    height, width = labels.shape

    def around(y, x, reach):
        rows = range(max(0, y - reach), min(height, y + reach + 1))
        columns = range(max(0, x - reach), min(width, x + reach + 1))
        return [(r, c) for r in rows for c in columns]

    inside = np.zeros(labels.shape, bool)
    for y, x in np.ndindex(labels.shape):
        inside[y, x] = len({labels[place] for place in around(y, x, 1)}) == 1
    settled = labels.copy()
    for y, x in np.ndindex(labels.shape):
        near = [place for place in around(y, x, REACH) if inside[place]]
        weights = np.array(
            [np.exp(-((r - y) ** 2 + (c - x) ** 2) / (2 * SPREAD**2)) for r, c in near]
        )
        colors = {}
        for k in {labels[place] for place in near}:
            own = np.array([labels[place] == k for place in near])
            shown = np.array([image[place] for place in near])
            colors[k] = np.average(shown[own], axis=0, weights=weights[own])
        if not inside[y, x] and labels[y, x] in colors:
            settled[y, x] = min(
                colors, key=lambda k: np.square(image[y, x] - colors[k]).sum()
            )
    return settled


def test_against_loops():
    image = RNG.random((20, 23, 3))
    # Blobs of three labels, thin lines among them.
    labels = np.kron(RNG.integers(0, 3, (5, 6)), np.ones((4, 4), int))[:, :23]
    labels[9, 3:17] = 1
    labels[2:12, 13:15] = 2
    expected = by_loops(image, labels)
    found = settle_borders(tf.constant(image[None]), tf.constant(labels[None]), 3)
    np.testing.assert_array_equal(found[0], expected)
    assert (expected != labels).sum() > 20
    thin = labels.copy()
    thin[:] = 0
    thin[9, 3:17] = 1  # nothing of it is inside: it stays
    found = settle_borders(tf.constant(image[None]), tf.constant(thin[None]), 3)
    np.testing.assert_array_equal(found[0] == 1, thin == 1)


def test_a_mixed_pixel_goes_to_the_side_that_covers_more_of_it():
    share = np.array([0, 0, 0, 0, 0.3, 0.7, 1, 1, 1, 1])
    left, right = np.array([0.9, 0.8, 0.1]), np.array([0.1, 0.3, 0.7])
    image = ((1 - share)[:, None] * left + share[:, None] * right)[None].repeat(8, 0)
    truth = (share > 0.5).astype(int)[None].repeat(8, 0)
    for shift in (-1, 1):
        wrong = np.roll(truth, shift, axis=1)
        wrong[:, :3], wrong[:, -3:] = 0, 1
        found = settle_borders(tf.constant(image[None]), tf.constant(wrong[None]), 2)
        np.testing.assert_array_equal(found[0], truth)


def test_window_sums_are_tensorflow_addons_blur_of_a_black_surrounding():
    means = gaussian_window_sums(tf.constant(ADDONS["image"])) / TOTAL_WEIGHT
    np.testing.assert_allclose(means, ADDONS["constant"], rtol=0, atol=1e-6)


def test_gradient_of_window_sums_is_tensorflow_addons():
    image = tf.constant(ADDONS["image"])
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = tf.reduce_sum(ADDONS["weights"] * gaussian_window_sums(image))
    gradient = tape.gradient(total, image) / TOTAL_WEIGHT
    np.testing.assert_allclose(gradient, ADDONS["constant_gradient"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("padding", ["reflect", "symmetric"])
def test_other_paddings_of_addons_differ_within_two_pixels_of_the_border(padding):
    means = (gaussian_window_sums(tf.constant(ADDONS["image"])) / TOTAL_WEIGHT).numpy()
    distance = np.abs(means - ADDONS[padding]).max(axis=(0, 3))
    assert distance[2:-2, 2:-2].max() < 1e-6
    assert distance.max() > 0.1


def test_pseudo_labels_are_the_least_errors_with_borders_settled():
    image = RNG.random((12, 15, 3))
    labels = np.kron(RNG.integers(0, 3, (3, 4)), np.ones((4, 4), int))[:, :15]
    errors = RNG.uniform(0.5, 1, (3, 12, 15))
    np.put_along_axis(errors, labels[None], 0.1, axis=0)
    found = pseudo_labels(tf.constant(image[None]), tf.constant(errors[None]))
    expected = by_loops(image, labels)
    assert (expected != labels).any()
    np.testing.assert_array_equal(found[0], expected)
