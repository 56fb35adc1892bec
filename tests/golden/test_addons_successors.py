"""What docs/tensorflow_addons.md says of Keras' successors of TensorFlow Addons."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

GOLDEN = Path(__file__).parent
IMAGES = np.load(GOLDEN / "addons_transform.npz")
BLURS = np.load(GOLDEN / "addons_blur.npz")
UPDATES = np.load(GOLDEN / "addons_optimizers.npz")


def test_golden_files_are_small_and_name_their_versions():
    assert sum(path.stat().st_size for path in GOLDEN.glob("addons_*.npz")) < 100_000
    for golden in (IMAGES, BLURS, UPDATES):
        assert golden["tensorflow"] == "2.15.1"
        assert golden["tensorflow_addons"] == "0.23.0"


def test_image_transform_is_the_op_of_tensorflow_itself():
    poses = len(IMAGES["matrices"])
    images = tf.raw_ops.ImageProjectiveTransformV3(
        images=np.repeat(IMAGES["template"][None], poses, axis=0),
        transforms=IMAGES["matrices"],
        output_shape=IMAGES["images"].shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
    )
    np.testing.assert_allclose(images, IMAGES["images"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("index", range(len(IMAGES["angles"])))
def test_image_rotate_is_affine_transform(index):
    cosine, sine = np.cos(IMAGES["angles"][index]), np.sin(IMAGES["angles"][index])
    column = [cosine, -sine, 3 - 3 * cosine + 3 * sine]  # about (3, 3)
    row = [sine, cosine, 3 - 3 * sine - 3 * cosine]
    turned = keras.ops.image.affine_transform(
        IMAGES["template"], np.array([*column, *row, 0, 0], np.float32)
    )
    np.testing.assert_allclose(turned, IMAGES["rotated"][index], rtol=0, atol=1e-6)


def test_gaussian_filter_is_gaussian_blur_of_the_padded_image():
    pad = [(0, 0), (2, 2), (2, 2), (0, 0)]
    for padding in ("constant", "reflect", "symmetric"):
        padded = np.pad(BLURS["image"], pad, mode=padding)
        blurred = keras.ops.image.gaussian_blur(padded, (5, 5), (0.7, 0.7))
        blurred = blurred[:, 2:-2, 2:-2]
        np.testing.assert_allclose(blurred, BLURS[padding], rtol=0, atol=1e-6)


def updated(optimizer):
    """Return the variable after each update, and the variable."""
    variable = keras.Variable(UPDATES["start"])
    optimizer.build([variable])
    values = []
    for gradient in UPDATES["gradients"]:
        optimizer.apply([tf.constant(gradient)], [variable])
        values.append(keras.ops.convert_to_numpy(variable))
    return np.array(values), variable


def test_lamb_is_lamb_with_the_epsilon_of_addons():
    values, _ = updated(keras.optimizers.Lamb(0.01, epsilon=1e-6))
    np.testing.assert_allclose(values, UPDATES["lamb"], rtol=0, atol=1e-6)
    values, _ = updated(keras.optimizers.Lamb(0.01))
    assert np.abs(values - UPDATES["lamb"]).max() > 1e-4


def test_adamw_is_adamw_with_the_decay_over_the_learning_rate():
    values, _ = updated(keras.optimizers.AdamW(0.01, weight_decay=0.002 / 0.01))
    np.testing.assert_allclose(values, UPDATES["adamw"], rtol=0, atol=1e-6)


def test_moving_average_is_ema_that_begins_one_update_later():
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    values, variable = updated(optimizer)
    np.testing.assert_allclose(values, UPDATES["average"], rtol=0, atol=1e-6)
    optimizer.finalize_variable_values([variable])
    keras_average, addons_average = values[0], UPDATES["start"]
    for value in values:
        keras_average = 0.9 * keras_average + 0.1 * value
        addons_average = 0.9 * addons_average + 0.1 * value
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(variable), keras_average, rtol=0, atol=1e-6
    )
    np.testing.assert_allclose(
        UPDATES["average_at_the_end"], addons_average, rtol=0, atol=1e-6
    )
