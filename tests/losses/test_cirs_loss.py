"""The CIRS loss against loops over its formula, its gradient against differences."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.losses.cirs import BETWEEN, cirs_bounds, cirs_loss


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


@settings(max_examples=50)
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


def test_pairwise_between_is_the_mean_of_distances_by_loops():
    means = np.random.default_rng(3).normal(size=(5, 3))
    total = 0.0
    for j in range(5):
        for k in range(j):
            total += np.linalg.norm(means[j] - means[k])
    found = cirs_loss(tf.constant(means[None]), 1.0, 2.0, mean_over_batch, "pairwise")
    np.testing.assert_allclose(found.between, total / 5, rtol=1e-4)
    np.testing.assert_allclose(found.loss, found.within - 2 * found.between)


def test_log_det_between_is_that_of_eigenvalues():
    means = np.random.default_rng(3).normal(size=(5, 3))
    scatter = 5 * np.cov(means.T, bias=True)  # sum of outer products, 3 x 3
    expected = np.log(1 + 10 * np.linalg.eigvalsh(scatter)).sum()
    found = cirs_loss(tf.constant(means[None]), 1.0, 2.0, mean_over_batch, "log_det")
    np.testing.assert_allclose(found.between, expected, rtol=1e-9)


# The corners of a regular tetrahedron, and two groups of two at opposite ends.
CORNERS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
GROUPS = np.array([[1, 0, 0], [1, 0, 0], [-1, 0, 0], [-1, 0, 0.0]])


@pytest.mark.parametrize(
    ("between", "corners", "groups"),
    [
        ("squared", 4, 4),
        # Six edges of (8 / 3)^(1/2); four pairs of distance 2.
        ("pairwise", 6 * (8 / 3) ** 0.5 / 4, 4 * 2 / 4),
        # Three eigenvalues 4 / 3; one of 4.
        ("log_det", 3 * np.log(1 + 40 / 3), np.log(41)),
    ],
)
def test_two_opposite_groups_are_as_good_only_for_squared_distances(
    between, corners, groups
):
    for means, expected in ((CORNERS, corners), (GROUPS, groups)):
        features = tf.constant(means[None])
        found = cirs_loss(features, 1.0, 1.0, mean_over_batch, between).between
        np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("between", ["pairwise", "log_det"])
def test_between_has_a_finite_gradient_where_segments_are_equal(between):
    features = tf.Variable(np.repeat(GROUPS[None], 3, axis=0))
    with tf.GradientTape() as tape:
        loss = cirs_loss(features, 1.0, 1.0, mean_over_batch, between).loss
    gradient = tape.gradient(loss, features).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0.01


@pytest.mark.parametrize("between", ["pairwise", "log_det"])
def test_gradient_of_between_is_that_of_finite_differences(between):
    features = np.random.default_rng(0).normal(size=(3, 4, 2))
    theoretical, numerical = tf.test.compute_gradient(
        lambda x: cirs_loss(x, 0.3, 2.0, mean_over_batch, between).loss, [features]
    )
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-5)


@pytest.mark.parametrize("between", BETWEEN)
def test_bounds_are_reached_by_corners_and_never_passed(between):
    within, largest = cirs_bounds(4, 3, 1.0, between)
    best = cirs_loss(
        tf.constant(CORNERS[None]), 1.0, 1.0, mean_over_batch, between
    ).between
    np.testing.assert_allclose(best, largest, rtol=1e-3)
    # The same mean in every segment, and half of the images opposite to the rest.
    opposite = np.array([1, -1])[:, None, None] * np.ones((2, 4, 1)) * [[[1, 0, 0]]]
    found = cirs_loss(tf.constant(opposite), 1.0, 1.0, mean_over_batch, between)
    np.testing.assert_allclose(found.within, within)
    rng = np.random.default_rng(0)
    for _ in range(100):
        features = rng.normal(size=(5, 4, 3))
        features /= np.linalg.norm(features, axis=-1, keepdims=True)
        terms = cirs_loss(tf.constant(features), 1.0, 1.0, mean_over_batch, between)
        assert terms.within <= within and terms.between <= largest
    # More features than K - 1 are of no use; with one there is one direction.
    assert cirs_bounds(4, 8, 1.0, between) == (within, largest)
    if between == "log_det":
        np.testing.assert_allclose(cirs_bounds(4, 1, 1.0, between)[1], np.log(41))
    # A bound is that of the squared length.
    twice = cirs_bounds(4, 3, 4.0, between)
    longer = cirs_loss(
        tf.constant(2 * CORNERS[None]), 1.0, 1.0, mean_over_batch, between
    )
    np.testing.assert_allclose(longer.between, twice[1], rtol=1e-3)
    assert twice[0] == 4 * within
