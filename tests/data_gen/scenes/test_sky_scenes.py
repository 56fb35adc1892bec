"""The sets show what the thesis built its own for: color does not solve them."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from data_gen.render import draw_examples
from data_gen.scenes import SCENES


@pytest.fixture(scope="module")
def validation():
    return draw_examples(SCENES["fruit"](64), 0, "val", 0, 300)


@pytest.fixture(scope="module")
def twotone():
    return draw_examples(SCENES["twotone"](64), 0, "val", 0, 300)


def global_miou(predicted, truth):
    """Mean IoU over the true classes under the best one-to-one mapping of segments."""
    counts = np.zeros((4, 4))
    np.add.at(counts, (predicted.ravel(), truth.ravel()), 1)
    union = counts.sum(1)[:, None] + counts.sum(0)[None] - counts
    iou = counts / union
    return iou[linear_sum_assignment(-iou)].mean()


def test_global_miou_by_hand():
    # Segment 1 is class 0 (3 of 4 pixels), segment 0 is class 1 (1 of 2); 2, 3 exact.
    truth = np.array([0, 0, 0, 0, 1, 2, 3])
    predicted = np.array([1, 1, 1, 0, 0, 2, 3])
    assert np.isclose(global_miou(predicted, truth), (3 / 4 + 1 / 2 + 1 + 1) / 4)


@pytest.mark.parametrize("seed", range(4))
def test_kmeans_on_colors_fails(validation, seed):
    pictures, masks = validation
    pixels = pictures.reshape(-1, 3).astype(np.float32)
    sample = np.random.default_rng(seed).choice(pixels, 20_000)
    # The clustering of least inertia, which ten starts find, gives 0.31 to 0.33. A
    # single start ends in a worse clustering (inertia +18 %) about every other time,
    # and those happen to score 0.41 to 0.52: they are not what is claimed here.
    kmeans = KMeans(4, n_init=10, random_state=seed).fit(sample)
    assert 0.28 < global_miou(kmeans.predict(pixels), masks) < 0.38


def test_all_sky_fails(validation):
    _, masks = validation
    assert 0.18 < global_miou(np.zeros(masks.size, int), masks) < 0.25


def test_object_against_sky_fails(validation):
    _, masks = validation
    assert 0.30 < global_miou((masks > 0).astype(int), masks) < 0.40


def test_kmeans_fails_on_objects_of_several_colors(twotone):
    """Four clusters lump objects together; more of them split each one."""
    pictures, masks = twotone
    pixels = pictures.reshape(-1, 3).astype(np.float32)
    sample = np.random.default_rng(0).choice(pixels, 20_000)
    four, eight = (
        KMeans(clusters, n_init=10, random_state=0).fit(sample).predict(pixels)
        for clusters in (4, 8)
    )
    assert global_miou(four, masks) < 0.45
    for object_class in (1, 2, 3):
        counts = np.bincount(eight[masks.ravel() == object_class])
        assert counts.max() / counts.sum() < 0.75


def test_twotone_shares_colors_with_its_sky(twotone):
    pictures, masks = twotone
    sky = pictures[masks == 0][::200].astype(float)
    kite = pictures[masks == 3][::200].astype(float)
    distance = np.linalg.norm(kite[:, None] - sky[None], axis=-1).min(axis=1)
    assert 0.4 < (distance < 20).mean() < 0.9


def test_twotone_covers_as_much_as_the_fruit(twotone):
    _, masks = twotone
    assert set(np.unique(masks)) == {0, 1, 2, 3}
    shares = np.bincount(masks.ravel()) / masks.size
    assert 0.75 < shares[0] < 0.85 and shares[1:].min() > 0.03
