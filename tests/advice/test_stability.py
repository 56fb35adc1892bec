"""Stability by hand, and which number of clusters is chosen by it."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from cirs_tf.advice.stability import StableCounts, stable_counts

RNG = np.random.default_rng(0)
IMAGES = np.repeat(np.arange(30), 10)


def test_halves_that_agree_are_stable_and_chance_is_not():
    kinds = RNG.integers(0, 3, len(IMAGES))
    points = 10 * np.eye(3)[kinds] + RNG.normal(0, 0.3, (len(IMAGES), 3))

    def cluster(members, count, seed):
        kmeans = KMeans(count, n_init=3, random_state=seed).fit(points[members])
        return kmeans.predict(points)

    found = stable_counts(cluster, IMAGES, [2, 3, 4, 5], 4, 0)
    assert found.stabilities[3] == 1.0
    assert max(found.stabilities[k] for k in (2, 4, 5)) < 0.9
    assert found.chosen == 3 and found.counts == (3,)

    def chance(members, count, seed):
        return np.random.default_rng(seed).integers(0, count, len(IMAGES))

    assert abs(stable_counts(chance, IMAGES, [2, 4], 8, 0).best) < 0.05


def test_images_are_divided_in_halves_and_the_mean_is_taken():
    seen = []

    def cluster(members, count, seed):
        seen.append((members, seed))
        # Halves agree in the first round, and not at all in the second.
        labels = np.arange(len(IMAGES)) % count
        return labels if seed < 2 or seed % 2 else np.zeros(len(IMAGES), int)

    found = stable_counts(cluster, IMAGES, [2], 2, 0)
    assert found.stabilities == {2: 0.5}
    (first, _), (second, _), *_ = seen
    np.testing.assert_array_equal(first, ~second)
    assert len(np.unique(IMAGES[first])) == 15
    assert not set(IMAGES[first]) & set(IMAGES[second])
    assert [seed for _, seed in seen] == [0, 1, 2, 3]
    assert not np.array_equal(seen[0][0], seen[2][0])


def test_numbers_that_halves_are_too_small_for_are_left_out():
    def cluster(members, count, seed):
        if count > 2:
            raise ValueError("too few")
        return np.arange(len(IMAGES)) % count

    assert stable_counts(cluster, IMAGES, [2, 3], 2, 0).stabilities == {2: 1.0}
    with pytest.raises(ValueError, match="too few parts in half of 30 images"):
        stable_counts(cluster, IMAGES, [3, 4], 2, 0)


@pytest.mark.parametrize(
    ("stabilities", "given", "counts", "chosen"),
    [
        ({2: 0.5, 3: 0.9, 4: 0.7}, {}, (3,), 3),
        ({2: 0.5, 3: 0.9, 4: 0.89, 5: 0.91}, {}, (3, 4, 5), 4),
        ({2: 0.5, 3: 0.9, 4: 0.89}, {}, (3, 4), 3),
        # 8 divides what 4 finds; the first ones that follow each other count.
        ({3: 0.8, 4: 0.97, 5: 0.6, 8: 0.98}, {}, (4, 8), 4),
        ({2: 0.97, 3: 0.97, 4: 0.97, 5: 0.6, 6: 0.98}, {}, (2, 3, 4, 6), 3),
        ({2: 0.5, 3: 0.9, 4: 0.89}, {"finest": True}, (3, 4), 4),
        ({2: 1.0, 3: 0.97}, {}, (2,), 2),
        ({2: 1.0, 3: 0.92, 4: 0.85, 5: 0.91}, {"tolerance": 0.1}, (2, 3, 5), 2),
    ],
)
def test_what_is_chosen(stabilities, given, counts, chosen):
    found = StableCounts(stabilities, **given)
    assert (found.counts, found.chosen) == (counts, chosen)
    assert found.best == max(stabilities.values())
