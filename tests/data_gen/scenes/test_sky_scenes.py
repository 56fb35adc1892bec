from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from data_gen.render import draw_examples
from data_gen.scene import example_rng
from data_gen.scenes.sky_scenes import Fruit, TwoTone, object_size

GOLDEN = Path(__file__).parents[2] / "golden"
SHIFTING = Fruit(64, None, "shift")


@pytest.fixture(scope="module")
def fruit():
    return draw_examples(Fruit(64), 0, "val", 0, 300)


@pytest.fixture(scope="module")
def twotone():
    return draw_examples(TwoTone(64), 0, "val", 0, 300)


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
def test_kmeans_on_colors_fails_on_fruit(fruit, seed):
    images, masks = fruit
    pixels = images.reshape(-1, 3).astype(np.float32)
    sample = np.random.default_rng(seed).choice(pixels, 20_000)
    # The clustering of least inertia, which ten starts find, gives 0.31 to 0.33. A
    # single start ends in a worse clustering (inertia +18 %) about every other time,
    # and those happen to score 0.41 to 0.52: they are not what is claimed here.
    kmeans = KMeans(4, n_init=10, random_state=seed).fit(sample)
    assert 0.28 < global_miou(kmeans.predict(pixels), masks) < 0.38


def test_all_sky_fails_on_fruit(fruit):
    _, masks = fruit
    assert 0.18 < global_miou(np.zeros(masks.size, int), masks) < 0.25


def test_object_against_sky_fails_on_fruit(fruit):
    _, masks = fruit
    assert 0.30 < global_miou((masks > 0).astype(int), masks) < 0.40


def test_kmeans_fails_on_objects_of_several_colors(twotone):
    """Four clusters lump objects together; more of them split each object."""
    images, masks = twotone
    pixels = images.reshape(-1, 3).astype(np.float32)
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
    images, masks = twotone
    sky = images[masks == 0][::200].astype(float)
    kite = images[masks == 3][::200].astype(float)
    distance = np.linalg.norm(kite[:, None] - sky[None], axis=-1).min(axis=1)
    assert 0.4 < (distance < 20).mean() < 0.9


def test_twotone_covers_as_much_as_the_fruit(twotone):
    _, masks = twotone
    assert set(np.unique(masks)) == {0, 1, 2, 3}
    fractions = np.bincount(masks.ravel()) / masks.size
    assert 0.75 < fractions[0] < 0.85 and fractions[1:].min() > 0.03


def test_objects_scale_with_the_image():
    assert [object_size(size) for size in (64, 32, 128)] == [24, 12, 48]


def explained_fraction(images, masks):
    """Return the fraction of sky within 10 levels of its pixel's median sky."""
    sky = (masks == 0)[..., None]
    median = np.nanmedian(np.where(sky, images, np.nan), axis=0)
    return (abs(images - median).max(-1) <= 10)[masks == 0].mean()


def test_no_single_image_explains_a_shifting_sky(fruit):
    # But for the edges of objects, which are partly theirs.
    assert explained_fraction(*fruit) > 0.95
    assert explained_fraction(*draw_examples(SHIFTING, 0, "val", 0, 300)) < 0.25


def test_at_no_pixel_do_most_shifting_skies_have_one_color():
    images, _ = draw_examples(SHIFTING, 0, "train", 0, 400)
    for row, column in np.ndindex(64, 64):
        colors = images[:, row, column] // 32
        # Half of the sky's colors, at 32 levels per channel, would be 200 images.
        assert np.unique(colors, axis=0, return_counts=True)[1].max() < 200


def test_masks_and_objects_are_those_of_the_static_set():
    static, shifting = (
        draw_examples(sampler, 2, "test", 0, 40) for sampler in (Fruit(64), SHIFTING)
    )
    np.testing.assert_array_equal(shifting[1], static[1])
    # On an edge, up to half of the color is the sky's.
    difference = abs(shifting[0].astype(int) - static[0])[static[1] > 0]
    assert (difference.max(-1) == 0).mean() > 0.8 and difference.max() <= 128
    assert (shifting[0] != static[0])[static[1] == 0].mean() > 0.9


def test_twotone_has_the_shifting_sky_too():
    sampler = TwoTone(32, None, "shift")
    first, second = (sampler.sample(example_rng(0, "val", index)) for index in (0, 1))
    assert (first.background != second.background).any()
    assert sampler.classes == ("sky", "ball", "parcel", "kite")


def test_a_given_background_is_no_sky():
    background = np.full((32, 32, 3), 9, np.uint8)
    sampler = Fruit(32, None, background)
    scene = sampler.sample(example_rng(0, "val", 0))
    np.testing.assert_array_equal(scene.background, background)
    assert sampler.classes[0] == "background"


@pytest.mark.parametrize("background", [None, "static"])
def test_the_default_images_stay_what_they_were(background):
    """Against an image and a mask from before the sky could shift."""
    (image,), (mask,) = draw_examples(Fruit(64, None, background), 0, "val", 0, 1)
    for drawn, name in ((image, ""), (mask, "_mask")):
        with Image.open(GOLDEN / f"fruit_val_000000{name}.png") as golden:
            np.testing.assert_array_equal(drawn, np.asarray(golden))
