"""Pose networks on rendered images of known pose."""

import numpy as np
import pytest
import tensorflow as tf
from method_steps import run_phases

from cirs_tf.config.sections import PretrainingConfig
from cirs_tf.losses.aligned import pose_error
from cirs_tf.methods.known_poses import KnownPoses
from cirs_tf.models.posed_templates import PosedTemplates
from cirs_tf.training.phases import StepPlan

SIDE = 16
IMAGES = np.random.default_rng(0).integers(0, 256, (8, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def templates():
    """Return two templates of two colors each, so that their turns can be seen."""
    posed = PosedTemplates((SIDE, SIDE), 0.625, 2, seed=0)
    canvas = posed.canvas
    support = np.zeros((2, canvas, canvas), bool)
    support[0, 2:8, 1:9] = support[1, 3:7, 3:7] = True
    colors = np.zeros((2, canvas, canvas, 3))
    colors[0, :, :5, 0] = colors[0, :, 5:, 2] = colors[1, :5, :, 1] = 1
    posed.layer.assign(np.zeros((SIDE, SIDE, 3)), colors, support)
    return posed


def test_pretraining_teaches_the_pose_networks_alone(templates):
    poses = KnownPoses(templates, seed=0)
    phase = poses.pretraining_phase(150, PretrainingConfig(images=6))
    assert (phase.name, phase.steps, phase.num_images) == ("poses", 150, 6)
    before = templates.layer.get_weights()
    (early,) = run_phases([phase], StepPlan(1, (10,)), IMAGES)
    run_phases([phase], StepPlan(1, (130,)), IMAGES)
    (late,) = run_phases([phase], StepPlan(1, (10,)), IMAGES)
    assert late.totals < early.totals / 2
    for a, b in zip(before, templates.layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    trained = {id(variable) for variable in phase.variables}
    assert trained == {id(v) for v in templates.pose_nets.trainable_variables}


def test_every_update_sees_other_poses_and_a_resumed_one_the_same(templates):
    phase = KnownPoses(templates, seed=0).pretraining_phase(9, PretrainingConfig())
    batch = {"image": tf.zeros([8, SIDE, SIDE, 3])}
    losses = []
    for iteration in (0, 1, 0):
        phase.optimizer.iterations.assign(iteration)
        losses.append(phase.loss(batch)["loss"].numpy())
    np.testing.assert_array_equal(losses[0], losses[2])
    assert (losses[0] != losses[1]).all()


def test_known_poses_and_those_of_images_go_through_together(templates):
    """Written out for one object, with the batch statistics of both."""
    masks = np.zeros((8, 3, SIDE, SIDE, 1), np.float32)
    masks[:, 1, 4:9, 5:11] = masks[:, 2, 2:5, 10:14] = 1
    masks[:, 0] = 1 - masks[:, 1:].sum(axis=1)
    images = tf.constant(IMAGES / 255, tf.float32)
    known = KnownPoses(templates, seed=3)
    poses, error = known.poses_and_error(images, tf.constant(masks), tf.constant(7))
    expected = np.zeros(8)
    rendered, shown, true = templates.render_random_poses(
        images, known._seeds(tf.constant(7))
    )
    for index in range(2):
        both = estimate(
            templates,
            index,
            tf.concat([images, rendered[:, index]], axis=0),
            np.concatenate([masks[:, index + 1], shown[:, index]], axis=0),
        )
        np.testing.assert_allclose(poses[:, index], both[:8], atol=1e-4)
        error_of = pose_error(both[8:], true[:, index], templates.canvas)
        expected += error_of.numpy() / 2
    np.testing.assert_allclose(error, expected, rtol=1e-4)


def estimate(templates, index, images, masks):
    """One template's poses, from a masked copy of each image."""
    canvas, pixels = templates.canvas, np.arange(SIDE)
    total = masks.sum((1, 2, 3)) + 1e-3
    x = (masks.sum((1, 3)) @ pixels) / total
    y = (masks.sum((2, 3)) @ pixels) / total
    edges = np.stack([y, x, y, x], 1) + np.array([-1, -1, 1, 1]) * (canvas - 1) / 2
    crops = tf.image.crop_and_resize(
        tf.concat([images * masks, masks], axis=-1),
        tf.constant(edges / (SIDE - 1), tf.float32),
        range(len(masks)),
        [32, 32],
    )
    # Whatever the other network sees.
    seen = tf.stack(
        [crops if object == index else crops[::-1] for object in range(2)], 1
    )
    found = templates.pose_nets(seen, training=True).numpy()[:, index]
    found[:, :2] = np.stack([x, y], 1) + found[:, :2] * canvas / 4
    return found


def test_masks_get_no_gradient_from_where_their_center_lies(templates):
    masks = tf.random.stateless_uniform([8, 3, SIDE, SIDE, 1], [1, 2])
    images = tf.constant(IMAGES / 255, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(masks)
        known = KnownPoses(templates, seed=0)
        poses, error = known.poses_and_error(images, masks, tf.constant(0))
        total = tf.reduce_sum(poses) + tf.reduce_sum(error)
    assert tape.gradient(total, masks) is None
