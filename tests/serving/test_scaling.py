"""Images at the scale of the training images, probabilities at that of the images."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cirs_tf.serving.scaling import (
    labels_at_size,
    probabilities_at_size,
    scaled_size,
    to_training_scale,
)


def drawn(height, width):
    rng = np.random.default_rng(0)
    # No value that would be clipped: Pillow clips between the two directions, too.
    noise = Image.fromarray(rng.integers(60, 196, (9, 11, 3), dtype=np.uint8))
    return np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    ("size", "training", "expected"),
    [
        ((480, 640), (64, 64), (64, 85)),  # s = 64 / 480; 85.3
        ((640, 480), (64, 64), (85, 64)),
        ((64, 100), (64, 64), (64, 100)),  # fills it already: cropped in training
        ((32, 64), (64, 64), (64, 128)),
        ((720, 960), (360, 480), (360, 480)),
        ((1, 1), (64, 64), (64, 64)),
        ((10, 1000), (64, 64), (26, 2560)),  # 16 * 64 * 64 pixels: s = sqrt(6.5536)
        ((1, 10**6), (64, 64), (1, 256_000)),  # that would be a quarter of a row
    ],
)
def test_images_are_scaled_to_fill_the_training_size(size, training, expected):
    found = scaled_size(tf.constant(size), tf.constant(training))
    assert tuple(found.numpy()) == expected


@pytest.mark.parametrize("size", [(64, 64), (64, 100)])
def test_an_image_of_the_training_size_is_untouched(size):
    image = np.random.default_rng(1).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    found = to_training_scale(image, tf.constant([64, 64]))
    np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize("size", [(211, 333), (40, 30)])
def test_images_are_resized_as_they_were_imported(size):
    image = drawn(*size)
    found = to_training_scale(image[None], tf.constant([64, 64]))[0].numpy()
    height, width = found.shape[:2]
    expected = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    # Pillow rounds between the two directions, too.
    np.testing.assert_allclose(found, np.asarray(expected, int), atol=1)


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("size", [(600, 1500), (13, 17), (20, 31)])
def test_probabilities_are_resized_whatever_the_number_of_bands(size, images):
    """600 x 1500 pixels of 4 segments are two bands."""
    rng = np.random.default_rng(0)
    small = rng.dirichlet(np.ones(4), (images, 20, 31)).astype(np.float32)
    found = probabilities_at_size(small, tf.constant(size))
    expected = tf.image.resize(small, size, "bilinear", antialias=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)  # positions in float32
    labels = labels_at_size(small, tf.constant(size)).numpy()
    assert labels.dtype == np.uint8
    assert labels.shape == (images, *size)
    np.testing.assert_array_equal(labels, np.argmax(found, axis=-1))
    if size == (20, 31):
        np.testing.assert_array_equal(found, small)
