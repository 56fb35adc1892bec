"""Components against a singular value decomposition, merging against brute force."""

import numpy as np
import pytest

from cirs_tf.proposals.feature_clusters import merged_clusterings, principal_components

RNG = np.random.default_rng(0)


def test_components_are_those_of_the_singular_value_decomposition():
    vectors = RNG.normal(size=(200, 6)) * [3, 2, 1, 0.5, 0.2, 0.1] + 7
    found = principal_components(vectors.astype(np.float32), 3)
    centered = vectors - vectors.mean(0)
    _, values, axes = np.linalg.svd(centered, full_matrices=False)
    total = np.sqrt((values**2).sum() / 199)
    expected = centered @ axes[:3].T / total
    projected = vectors @ found.matrix + found.offset
    signs = np.sign((projected * expected).sum(0))
    np.testing.assert_allclose(projected * signs, expected, atol=1e-4)
    every = vectors @ principal_components(vectors, 99).matrix
    assert np.var(every, axis=0, ddof=1).sum() == pytest.approx(1, abs=1e-5)


def merged_by_brute_force(points, groups):
    """Return sets of points: the two of the least mean distance join, one at a time."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    sets = [[number] for number in range(len(points))]
    while len(sets) > groups:
        pairs = {
            distances[np.ix_(sets[a], sets[b])].mean(): (a, b)
            for a in range(len(sets))
            for b in range(a)
        }
        a, b = pairs[min(pairs)]
        sets[b] += sets.pop(a)
    return {frozenset(members) for members in sets}


def test_centers_are_merged_by_mean_cosine_distance():
    vectors = RNG.normal(size=(300, 4)) + 3  # angles are seen from the centers' mean
    found = merged_clusterings(vectors, 3, 4, groups=5, seed=0)
    assert found.centers.shape == (3, 4, 4)
    every = found.centers.reshape(12, 4).astype(float)
    labels = found.group_of.ravel()
    groups = {frozenset(np.flatnonzero(labels == group)) for group in range(5)}
    assert groups == merged_by_brute_force(every - every.mean(0), 5)


def test_groups_of_points_far_apart_are_found():
    means = 10 * np.eye(3)
    truth = RNG.integers(0, 3, 600)
    vectors = means[truth] + RNG.normal(size=(600, 3))
    found = merged_clusterings(vectors, 2, 9, groups=3, seed=0)
    for centers, group_of in zip(found.centers, found.group_of, strict=True):
        distances = ((vectors[:, None] - centers) ** 2).sum(-1)
        labels = group_of[distances.argmin(1)]
        pairs = {(t, label) for t, label in zip(truth, labels, strict=True)}
        assert len(pairs) == 3


def test_runs_differ_and_the_seed_repeats_them():
    vectors = RNG.normal(size=(400, 3))
    one, same = (merged_clusterings(vectors, 2, 5, 3, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.centers, same.centers)
    assert (one.centers[0] != one.centers[1]).any()
    other = merged_clusterings(vectors, 2, 5, 3, seed=5)
    assert (one.centers != other.centers).any()


def test_too_few_or_too_plain():
    with pytest.raises(ValueError, match="at least 3 vectors, got 2"):
        principal_components(np.eye(2, 5), 3)
    with pytest.raises(ValueError, match="are the same"):
        principal_components(np.ones((9, 2)), 2)
    with pytest.raises(ValueError, match="at least 5 different feature vectors"):
        merged_clusterings(np.tile(np.eye(4), (20, 1)), 2, 5, 3, seed=0)
    with pytest.raises(ValueError, match="as many centers as groups .7., got 6"):
        merged_clusterings(RNG.normal(size=(50, 2)), 2, 3, 7, seed=0)
