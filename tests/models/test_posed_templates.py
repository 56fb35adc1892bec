"""Templates at poses, and known poses, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.models.posed_templates import PosedTemplates

SIZE = (20, 24)


@pytest.fixture(scope="module")
def templates():
    """Return two templates of 10 pixels on a background of one color."""
    posed = PosedTemplates(SIZE, canvas=0.5, num_objects=2, seed=0)
    rng = np.random.default_rng(0)
    support = np.zeros((2, 10, 10), bool)
    support[0, 2:8, 3:7] = support[1, 4:6, 1:9] = True
    posed.layer.assign(np.full((*SIZE, 3), 0.25), rng.random((2, 10, 10, 3)), support)
    return posed


def render(templates, index, pose):
    """Render one of the templates alone."""
    template = templates.stored()[index : index + 1]
    return templates.render(template, pose[:, None]).numpy()[:, 0]


def test_upright_template_lies_around_its_center(templates):
    pose = tf.constant([[11.5, 8.5, 1.0, 0.0]])
    rendered = render(templates, 0, pose)[0]
    colors, support = (stored.numpy() for stored in templates.layer(tf.zeros([1]))[1:])
    rows, columns = slice(4, 14), slice(7, 17)
    np.testing.assert_allclose(rendered[rows, columns, :3], colors[0], atol=1e-5)
    np.testing.assert_allclose(rendered[rows, columns, 3], support[0], atol=1e-5)
    outside = np.ones(SIZE, bool)
    outside[rows, columns] = False
    assert not rendered[outside].any()


def test_a_quarter_turn_is_that_of_numpy(templates):
    upright, turned = (
        render(templates, 1, tf.constant([[11.5, 9.5, *turn]]))[0, 5:15, 7:17]
        for turn in ((1.0, 0.0), (0.0, 1.0))
    )
    # Clockwise, as y points down.
    np.testing.assert_allclose(turned, np.rot90(upright, -1), atol=1e-4)


def test_segments_are_the_background_and_each_template(templates):
    poses = tf.constant([[[9.0, 8.0, 0.6, 0.8], [15.0, 9.0, 1.0, 0.0]]])
    colors, support = templates.render_segments(
        templates.stored(), poses, templates.background()
    )
    assert colors.shape == (1, 3, *SIZE, 3)
    np.testing.assert_allclose(colors[0, 0], 0.25, atol=1e-6)
    np.testing.assert_array_equal(support[0, 0], np.ones(SIZE))
    for index in range(2):
        rendered = render(templates, index, poses[:, index])[0]
        np.testing.assert_array_equal(colors[0, index + 1], rendered[..., :3])
        np.testing.assert_array_equal(support[0, index + 1], rendered[..., 3])


def test_random_poses_come_with_what_they_show(templates):
    like = tf.zeros([50, *SIZE, 3])
    seeds = tf.constant([[1, 2], [1, 3]])
    images, masks, poses = (
        values.numpy() for values in templates.render_random_poses(like, seeds)
    )
    for index in range(2):
        rendered = render(templates, index, poses[:, index])
        np.testing.assert_allclose(images[:, index], rendered[..., :3], atol=1e-6)
        inside = rendered[..., 3:] > 0.5
        shown = masks[:, index]
        assert set(np.unique(shown)) == {0, 1}
        assert not shown[~inside].any()
        # A part of the object is hidden, in many images; all of it in few.
        shares = shown.sum((1, 2, 3)) / inside.sum((1, 2, 3))
        assert (shares < 0.9).mean() > 0.2
        assert np.median(shares) > 0.5
    np.testing.assert_allclose(np.linalg.norm(poses[..., 2:], axis=-1), 1, atol=1e-6)
    assert (poses[:, 0] != poses[:, 1]).all()
    # Another object's seed gives the same poses.
    again = templates.render_random_poses(like, seeds[::-1])[2].numpy()
    np.testing.assert_array_equal(again, poses[:, ::-1])


def test_an_estimate_starts_at_the_center_of_the_mask(templates):
    """With the last layer at 0 nothing is corrected."""
    pose = templates.pose_nets.get_layer("poses")
    before = pose.get_weights()
    pose.set_weights([np.stack([0 * weights[0], weights[1]]) for weights in before])
    masks = np.zeros((2, 3, *SIZE, 1), np.float32)
    masks[0, 1, 3:6, 10:15] = masks[1, 1, 17:20, 0:2] = masks[:, 2, 5:7, 6:9] = 1
    images = tf.random.stateless_uniform([2, *SIZE, 3], [0, 0])
    found = templates.estimate_poses(images, tf.constant(masks), training=False)
    pose.set_weights(before)
    # 1e-3 is added to the area, which is at least 6.
    np.testing.assert_allclose(found[:, 0, :2], [[12, 4], [0.5, 18]], atol=4e-3)
    assert found.shape == (2, 2, 4)
    # The other network still corrects.
    corrected = templates.estimate_poses(images, tf.constant(masks), training=False)
    np.testing.assert_array_equal(corrected[:, 1], found[:, 1])
    assert (np.abs(corrected[:, 0] - found[:, 0]) > 1e-3).any()
