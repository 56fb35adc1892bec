"""The CIRS loss against loops over its formula, its gradient against differences."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.losses.cirs import cirs_loss


def mean_over_batch(values):
    return tf.reduce_mean(values, axis=0)


def by_loops(features: np.ndarray, alpha_1: float, alpha_2: float):
    """Loss, within and between, one segment and one image at a time."""
    images, segments, length = features.shape
    means = []
    for k in range(segments):
        total = np.zeros(length)
        for i in range(images):
            total += features[i, k]
        means.append(total / images)
    within = between = 0.0
    common = sum(means) / segments
    for k in range(segments):
        for i in range(images):
            within += sum((features[i, k] - means[k]) ** 2) / images / segments
        between += sum((means[k] - common) ** 2)
    return alpha_1 * within - alpha_2 * between, within, between


@settings(deadline=None, max_examples=50)
@given(
    images=st.integers(1, 6),
    segments=st.integers(1, 5),
    length=st.integers(1, 4),
    alpha_1=st.sampled_from([0.0, 0.5, 1.0, 10.0]),
    alpha_2=st.sampled_from([0.0, 0.1, 1.0, 3.0]),
)
def test_terms_are_those_of_the_loops(images, segments, length, alpha_1, alpha_2):
    rng = np.random.default_rng(images * 25 + segments * 5 + length)
    features = rng.normal(size=(images, segments, length)).astype(np.float32)
    found = cirs_loss(tf.constant(features), alpha_1, alpha_2, mean_over_batch)
    expected = by_loops(features.astype(np.float64), alpha_1, alpha_2)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)


def test_terms_by_hand():
    # Two images, two segments, one feature; means 1 and 6, common mean 3.5.
    features = tf.constant([[[0.0], [5.0]], [[2.0], [7.0]]])
    terms = cirs_loss(features, 2.0, 0.5, mean_over_batch)
    # within: (1 + 1) / 2 in either segment; between: 2.5 squared, twice.
    assert [float(term) for term in terms] == [2 * 1 - 0.5 * 12.5, 1, 12.5]


@pytest.mark.parametrize(("alpha_1", "alpha_2"), [(1, 0), (0, 1), (1, 1), (0.3, 2)])
def test_gradient_is_that_of_finite_differences(alpha_1, alpha_2):
    features = np.random.default_rng(0).normal(size=(3, 4, 2))
    variable = tf.Variable(features)  # float64, for the differences
    with tf.GradientTape() as tape:
        loss = cirs_loss(variable, alpha_1, alpha_2, mean_over_batch).loss
    step = 1e-4
    expected = np.empty_like(features)
    for place in np.ndindex(features.shape):
        moved = [features.copy(), features.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = (by_loops(values, alpha_1, alpha_2)[0] for values in moved)
        expected[place] = (up - down) / (2 * step)
    np.testing.assert_allclose(tape.gradient(loss, variable), expected, atol=1e-9)


def test_a_batch_taken_twice_and_a_shift_change_nothing():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(5, 3, 4)).astype(np.float32)
    expected = cirs_loss(features, 1.0, 1.0, mean_over_batch)
    twice = cirs_loss(np.concatenate([features] * 2), 1.0, 1.0, mean_over_batch)
    np.testing.assert_allclose(twice, expected, rtol=1e-6, atol=1e-6)
    shifted = cirs_loss(features + np.float32([1, 2, -1, 0]), 1, 1, mean_over_batch)
    # The shift costs about two bits of each feature.
    np.testing.assert_allclose(shifted, expected, rtol=5e-6, atol=5e-6)


def test_statistics_of_the_batch_come_from_the_reducer_alone():
    features = np.random.default_rng(0).normal(size=(6, 3, 2)).astype(np.float32)

    def mean_of_first_four(values):
        return tf.reduce_mean(values[:4], axis=0)

    found = cirs_loss(tf.constant(features), 1.0, 2.0, mean_of_first_four)
    expected = by_loops(features[:4].astype(np.float64), 1.0, 2.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
