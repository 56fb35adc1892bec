from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from cirs_tf.layers.spatial_transformer import sample_template, template_coordinates

RNG = np.random.default_rng(0)
# What TensorFlow Addons 0.23.0 returned; make_addons_golden.py beside it wrote it.
ADDONS = np.load(Path(__file__).parents[1] / "golden" / "addons_transform.npz")
POSES = ADDONS["poses"]  # x, y, angle
# At other angles both sides compute coordinates of up to 13 pixels in float32, where
# one unit in the last place is 9.5e-7, in another order.
ADDONS_TOLERANCE = [1e-6 if angle in (0, np.pi / 2) else 3e-6 for *_, angle in POSES]


def laid(template, pose, height, width):
    pose = tf.constant([pose], tf.float32)
    coordinates = template_coordinates(pose, height, width, template.shape[0])
    return sample_template(tf.constant(template), coordinates)[0].numpy()


def test_upright_in_the_middle_is_the_template_itself():
    template = RNG.random((5, 5, 3), np.float32)
    image = laid(template, (6.0, 4.0, 1.0, 0.0), 9, 13)
    np.testing.assert_allclose(image[2:7, 4:9], template, atol=1e-6)
    outside = image.copy()
    outside[2:7, 4:9] = 0
    assert not outside.any()


def test_a_quarter_turn_is_clockwise():
    template = RNG.random((5, 5, 2), np.float32)
    image = laid(template, (4.0, 4.0, 0.0, 1.0), 9, 9)
    np.testing.assert_allclose(image[2:7, 2:7], np.rot90(template, -1), atol=1e-6)


def test_length_of_the_direction_does_not_matter():
    template = RNG.random((6, 6, 1), np.float32)
    np.testing.assert_allclose(
        laid(template, (4.5, 3.0, 0.3, 0.4), 8, 8),
        laid(template, (4.5, 3.0, 6.0, 8.0), 8, 8),
        atol=1e-5,
    )


@pytest.mark.parametrize("angle", [0.3, 2.0, -1.2])
def test_any_pose_is_scipys_interpolation(angle):
    template = RNG.random((7, 7, 1), np.float32)
    x, y = 5.3, 4.8
    image = laid(template, (x, y, np.cos(angle), np.sin(angle)), 11, 12)
    rows, columns = np.mgrid[:11, :12]
    # Turned back by the angle, point by point.
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    across, down = np.einsum("ij,jhw->ihw", back, np.stack([columns - x, rows - y]))
    padded = np.pad(template[..., 0], 1)
    expected = ndimage.map_coordinates(padded, [down + 4, across + 4], order=1)
    np.testing.assert_allclose(image[..., 0], expected, atol=1e-5)


def test_gradient_of_the_pose_by_finite_differences():
    template = RNG.random((8, 8, 3))
    weights = tf.constant(RNG.random((1, 10, 10, 3)))
    pose = np.array([[4.7, 5.2, 0.8, 0.5]])

    def value(pose):
        coordinates = template_coordinates(tf.constant(pose), 10, 10, 8)
        return tf.reduce_sum(
            weights * sample_template(tf.constant(template), coordinates)
        )

    given = tf.constant(pose)
    with tf.GradientTape() as tape:
        tape.watch(given)
        coordinates = template_coordinates(given, 10, 10, 8)
        total = tf.reduce_sum(
            weights * sample_template(tf.constant(template), coordinates)
        )
    found = tape.gradient(total, given).numpy()
    for index in range(4):
        step = np.zeros_like(pose)
        step[0, index] = 1e-6
        slope = (value(pose + step) - value(pose - step)) / 2e-6
        assert found[0, index] == pytest.approx(float(slope), rel=1e-4, abs=1e-4)


def addons_pose(x, y, angle):
    return x, y, np.cos(angle), np.sin(angle)


def gradient_of_the_template(index):
    """Of the golden file's weighted sum of the image at one of its poses."""
    template = tf.constant(ADDONS["template"])
    pose = tf.constant([addons_pose(*POSES[index])], tf.float32)
    weights = ADDONS["weights"][index]
    with tf.GradientTape() as tape:
        tape.watch(template)
        coordinates = template_coordinates(pose, *weights.shape[:2], template.shape[0])
        total = tf.reduce_sum(weights * sample_template(template, coordinates)[0])
    return tf.convert_to_tensor(tape.gradient(total, template)).numpy()


@pytest.mark.parametrize("index", range(len(POSES)))
def test_any_pose_is_tensorflow_addons_transform(index):
    expected = ADDONS["images"][index]
    image = laid(ADDONS["template"], addons_pose(*POSES[index]), *expected.shape[:2])
    np.testing.assert_allclose(image, expected, rtol=0, atol=ADDONS_TOLERANCE[index])
    assert expected.max() > 0.5


@pytest.mark.parametrize("index", range(len(ADDONS["translations"])))
def test_a_move_is_tensorflow_addons_translate(index):
    x, y = ADDONS["translations"][index]
    expected = ADDONS["translated"][index]
    image = laid(ADDONS["template"], (3 + x, 3 + y, 1, 0), *expected.shape[:2])
    np.testing.assert_allclose(image, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("index", range(len(ADDONS["angles"])))
def test_a_turn_is_tensorflow_addons_rotate_the_other_way(index):
    expected = ADDONS["rotated"][index]
    pose = addons_pose(3, 3, -ADDONS["angles"][index])  # Addons turns anticlockwise
    image = laid(ADDONS["template"], pose, *expected.shape[:2])
    np.testing.assert_allclose(image, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("index", range(len(POSES)))
def test_gradient_of_the_template_is_that_of_addons_forward_pass(index):
    np.testing.assert_allclose(
        gradient_of_the_template(index),
        ADDONS["exact_gradients"][index],
        rtol=0,
        atol=ADDONS_TOLERANCE[index],
    )


@pytest.mark.parametrize("index", range(len(POSES)))
def test_addons_own_gradient_is_exact_for_moves_and_quarter_turns_only(index):
    distance = np.abs(gradient_of_the_template(index) - ADDONS["tape_gradients"][index])
    if POSES[index][2] in (0, np.pi / 2):
        assert distance.max() < 1e-6
    else:  # it turns the weights back instead of distributing them
        assert distance.max() > 0.05
