"""Differences from a background against NumPy, in changing light."""

import numpy as np
import pytest
import scipy.ndimage as ndi
import tensorflow as tf
from skimage.measure import label

from cirs_tf.layers.background_difference import BackgroundDifference

RNG = np.random.default_rng(0)
HEIGHT, WIDTH, THRESHOLD = 24, 30, 0.1
BACKGROUND = RNG.uniform(0.2, 0.6, (HEIGHT, WIDTH, 3)).astype(np.float32)


def built(cleaning=1, signed=False):
    layer = BackgroundDifference(HEIGHT, WIDTH, cleaning, signed)
    layer.build((None, None, None, 3))
    layer.assign(BACKGROUND, THRESHOLD)
    return layer


def frames(gains):
    """Return frames in which a quarter of the pixels show something else."""
    images = np.repeat(BACKGROUND[None], len(gains), axis=0)
    front = np.zeros(images.shape[:3], bool)
    front[:, 4:16, 5:20] = True
    images[front] = RNG.uniform(0.7, 0.75, (front.sum(), 3))
    return (images * np.reshape(gains, (-1, 1, 1, 3))).astype(np.float32), front


def expected_difference(image):
    """Return the difference of the largest channel, the light by a median."""
    usable = np.minimum(image, BACKGROUND) > 16 / 255
    usable &= np.maximum(image, BACKGROUND) < 250 / 255
    signed = np.empty_like(image)
    for channel in range(3):
        ratios = (image / BACKGROUND)[..., channel].ravel()[::5]
        ratios = np.sort(ratios[usable[..., channel].ravel()[::5]])
        gain = ratios[(len(ratios) - 1) // 2]  # the lower of two middle ones
        expected = np.clip(gain * BACKGROUND[..., channel], 0, 1)
        signed[..., channel] = (image[..., channel] - expected) / gain
    return signed


def test_light_is_taken_away_before_the_difference():
    images, front = frames([[1, 1, 1], [0.7, 0.65, 0.72], [1.3, 1.2, 1.25]])
    expected = np.stack([expected_difference(image) for image in images])
    found = built(signed=True)(images).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    masks = built()(images).numpy()[..., 0]
    np.testing.assert_array_equal(masks, np.abs(expected).max(-1) > THRESHOLD)
    assert (masks == front).mean() > 0.97


def test_masks_are_cleaned_as_by_scipy():
    images, _ = frames(np.ones((3, 3)))
    flipped = RNG.random(images.shape[:3]) < 0.1
    images[flipped] = 1 - images[flipped]
    raw = built()(images).numpy()[..., 0] > 0
    square = np.ones((3, 3))
    found = built(cleaning=3)(images).numpy()[..., 0] > 0
    for mask, cleaned in zip(raw, found, strict=True):
        counts = ndi.uniform_filter(mask.astype(float), 3, mode="constant")
        sizes = ndi.uniform_filter(np.ones_like(counts), 3, mode="constant")
        smooth = counts > sizes / 2 + 1e-9
        closed = ndi.binary_erosion(
            ndi.binary_dilation(smooth, square), square, border_value=1
        )
        inside = ndi.binary_erosion(closed, square, border_value=1)
        parts = label(closed, connectivity=2)
        kept = closed & np.isin(parts, parts[inside])
        np.testing.assert_array_equal(cleaned, ndi.binary_fill_holes(kept))


@pytest.mark.parametrize("light", [0.6, 0.8, 1.25])
def test_a_white_sky_says_nothing_of_the_light_and_is_no_difference(light):
    scene = np.concatenate([np.full((16, WIDTH, 3), 1.6), BACKGROUND[16:]])
    layer = built()
    layer.assign(np.minimum(scene, 1).astype(np.float32), THRESHOLD)
    image = np.minimum(scene * light, 1).astype(np.float32)
    mask = layer(image[None]).numpy()[0, ..., 0]
    assert mask[16:].sum() == 0
    assert mask[:16].sum() == 0  # it may stay white in a lesser light
    image[2:8, 3:9] = 0.3 * light
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[2:8, 3:9] = True
    np.testing.assert_array_equal(layer(image[None]).numpy()[0, ..., 0], expected)


def test_a_frame_that_is_white_or_black_has_no_light_to_measure():
    images = np.stack([np.ones_like(BACKGROUND), np.zeros_like(BACKGROUND)])
    difference = built(signed=True)(images).numpy()
    np.testing.assert_allclose(difference, images - BACKGROUND, atol=1e-6)


@pytest.mark.parametrize("size", [(12, 15), (48, 60)])
def test_the_background_follows_the_size_of_the_image(size):
    def slope(height, width):
        rows = (np.arange(height)[:, None] + 0.5) / height
        columns = (np.arange(width) + 0.5) / width
        return np.repeat((0.2 + 0.3 * rows + 0.2 * columns)[..., None], 3, axis=-1)

    layer = built(signed=True)
    layer.assign(slope(HEIGHT, WIDTH).astype(np.float32), THRESHOLD)
    images = slope(*size)[None].astype(np.float32)
    assert np.abs(layer(images)).max() < 0.02


def test_no_weight_is_trained_and_no_gradient_comes_back():
    images = tf.constant(frames(np.ones((1, 3)))[0])
    for signed in (False, True):
        layer = built(signed=signed)
        assert layer.trainable_weights == []
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = layer(images)
        assert tape.gradient(output, images) is None
        assert layer.compute_output_shape(images.shape) == tuple(output.shape)
