"""Padding and cropping against `np.pad(mode="edge")`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.layers.padding import CropToSize, PadToMultiple


def padded_by_numpy(images: np.ndarray, multiple: int) -> np.ndarray:
    missing = [-size % multiple for size in images.shape[1:3]]
    return np.pad(
        images, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)), mode="edge"
    )


sizes = st.integers(1, 11)


@settings(max_examples=40)
@given(height=sizes, width=sizes, multiple=st.integers(1, 8), known=st.booleans())
def test_padding_is_that_of_numpy_and_cropping_undoes_it(
    height, width, multiple, known
):
    rng = np.random.default_rng(height * 100 + width)
    images = rng.random((2, height, width, 3)).astype(np.float32)

    def pad_and_crop(values):
        padded = PadToMultiple(multiple)(values)
        return padded, CropToSize()(padded, values)

    if not known:  # sizes that are known only when the graph runs
        signature = [tf.TensorSpec([None, None, None, 3])]
        pad_and_crop = tf.function(pad_and_crop, input_signature=signature)
    padded, cropped = pad_and_crop(tf.constant(images))
    np.testing.assert_array_equal(padded, padded_by_numpy(images, multiple))
    np.testing.assert_array_equal(cropped, images)


@pytest.mark.parametrize(
    ("size", "multiple", "expected"),
    [
        ((None, 35, 64, 3), 8, (None, 40, 64, 3)),
        ((2, 1, 1, 3), 16, (2, 16, 16, 3)),
        ((None, None, 9, 1), 4, (None, None, 12, 1)),
        ((None, None, None, 3), 8, (None, None, None, 3)),
    ],
)
def test_static_shape_of_the_padded_images(size, multiple, expected):
    inputs = keras.Input(batch_shape=size)
    assert PadToMultiple(multiple)(inputs).shape == expected


def test_static_shape_of_the_cropped_values():
    values, reference = keras.Input((40, 64, 7)), keras.Input((35, 61, 3))
    assert CropToSize()(values, reference).shape == (None, 35, 61, 7)


def test_crop_takes_the_top_left_part():
    values = np.arange(24, dtype=np.float32).reshape(1, 4, 3, 2)
    cropped = CropToSize()(values, np.zeros((1, 2, 2, 5), np.float32))
    np.testing.assert_array_equal(cropped, values[:, :2, :2])


def test_gradient_of_a_repeated_row_is_the_sum_over_its_copies():
    images = tf.constant(np.ones((1, 1, 3, 1), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(PadToMultiple(4)(images))
    # Four rows of four columns; the last column stands twice.
    np.testing.assert_array_equal(tape.gradient(total, images)[0, 0, :, 0], [4, 4, 8])


def test_saved_layers_do_the_same(tmp_path):
    images = keras.Input((None, None, 3))
    padded = PadToMultiple(4)(images)
    model = keras.Model(images, [padded, CropToSize()(padded, images)])
    model.save(tmp_path / "m.keras")
    restored = keras.models.load_model(tmp_path / "m.keras")
    values = np.random.default_rng(0).random((1, 5, 6, 3)).astype(np.float32)
    padded, cropped = restored(values)
    np.testing.assert_array_equal(padded, padded_by_numpy(values, 4))
    np.testing.assert_array_equal(cropped, values)
