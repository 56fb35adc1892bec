"""Bilinear enlargement beside SciPy's, and for sizes that are not known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from cirs_tf.layers.upsampling import BilinearUpsampling

IMAGES = np.random.default_rng(0).random((2, 3, 5, 4)).astype(np.float32)


def doubled_by_scipy(images):
    """Pixel centers 1/4 and 3/4 of each pixel; the border's value beyond the border."""
    rows, columns = (np.arange(2 * size) / 2 - 0.25 for size in images.shape[1:3])
    places = np.meshgrid(rows, columns, indexing="ij")

    def plane(values):
        return ndimage.map_coordinates(values, places, order=1, mode="nearest")

    channels = images.shape[-1]
    return np.stack(
        [
            np.stack([plane(image[..., c]) for c in range(channels)], -1)
            for image in images
        ]
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_those_of_scipy_in_the_dtype_of_the_images(dtype):
    enlarged = BilinearUpsampling(dtype=dtype)(IMAGES)
    assert enlarged.dtype == dtype
    np.testing.assert_allclose(enlarged, doubled_by_scipy(IMAGES), atol=1e-6)


def test_values_and_gradients_are_those_of_keras_to_the_bit():
    layers = (
        BilinearUpsampling(),
        keras.layers.UpSampling2D(interpolation="bilinear"),
    )
    images, results = tf.constant(IMAGES), []
    for layer in layers:
        with tf.GradientTape() as tape:
            tape.watch(images)
            enlarged = layer(images)
            loss = tf.reduce_sum(enlarged**2)
        results.append((enlarged.numpy(), tape.gradient(loss, images).numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_traced_for_any_size():
    layer = BilinearUpsampling()
    signature = [tf.TensorSpec([None, None, None, 4])]
    compiled = tf.function(layer, input_signature=signature)
    for images in (IMAGES, IMAGES[:, :1, :2]):
        np.testing.assert_allclose(compiled(images), layer(images), atol=1e-6)
    known = tf.function(layer).get_concrete_function(tf.TensorSpec([None, 3, 5, 4]))
    assert known.output_shapes.as_list() == [None, 6, 10, 4]
    assert layer.compute_output_shape((None, None, 5, 4)) == (None, None, 10, 4)
