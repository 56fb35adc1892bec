"""Templates proposed by unlabeled images, and drawn at poses."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.errors import DataError
from cirs_tf.methods.template_proposals import propose_templates, template_pictures
from cirs_tf.models.posed_templates import PosedTemplates

SIDE, CANVAS = 16, 10
GROUND = (30, 30, 30)
COLORS = ((200, 40, 10), (10, 60, 220))


def scenes(count):
    """Return images and truth: a square and a bar of one color each, side by side."""
    truth = np.zeros((count, SIDE, SIDE), np.uint8)
    rng = np.random.default_rng(0)
    for mask in truth:
        mask[rng.integers(0, 12) :, rng.integers(0, 4) :][:4, :4] = 1
        mask[rng.integers(0, 14) :, rng.integers(8, 11) :][:2, :5] = 2
    return np.array((GROUND, *COLORS), np.uint8)[truth], truth


def test_templates_are_the_objects_on_their_background():
    images, truth = scenes(60)
    found = propose_templates(images, 2, CANVAS, threshold=0.02, seed=0)
    background = np.full((SIDE, SIDE, 3), 30 / 255)
    np.testing.assert_allclose(found["background"], background, atol=1e-6)
    areas = {}
    for index in range(2):
        support = found["template_support"][index]
        colors = np.unique(np.rint(255 * found["template_colors"][index][support]))
        label = [set(color) for color in COLORS].index(set(colors.tolist()))
        areas[label + 1] = support.sum()
        # Outside of the support, the mean color of the object.
        outside = found["template_colors"][index][~support]
        expected = np.tile(np.array(COLORS[label]) / 255, (len(outside), 1))
        np.testing.assert_allclose(outside, expected, atol=1e-6)
        own = found["pseudo_labels"] == index + 1
        np.testing.assert_array_equal(own, truth == label + 1)
    assert areas == {1: 16, 2: 10}
    assert str(found["summary"]) == "parts of each object in 60 images: 60, 60"


def test_too_few_parts_are_one_line():
    gray = np.full((10, SIDE, SIDE, 3), 9, np.uint8)
    with pytest.raises(DataError, match="^cirs_aligned: 0 connected parts differ"):
        propose_templates(gray, 2, CANVAS, threshold=0.02, seed=0)


def test_pictures_show_each_template_and_all_of_them():
    templates = PosedTemplates((SIDE, SIDE), CANVAS / SIDE, 2, seed=0)
    images, truth = scenes(60)
    found = propose_templates(images, 2, CANVAS, threshold=0.02, seed=0)
    names = ("background", "template_colors", "template_support")
    templates.layer.assign(*(found[name] for name in names))
    masks = tf.one_hot(truth[:3], 3, axis=1)[..., None]
    pictures = template_pictures(templates, images[:3], masks, templates.background())
    assert pictures.keys() == {"poses", "templates"}
    # Rows of the images, of two templates, and of all together; margins of 4.
    assert pictures["poses"].height == 4 * (2 * SIDE + 4) + 4
    assert pictures["templates"].height == 4 * CANVAS + 8
