"""Crops of masked images, against TensorFlow's crops of masked images made first."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.layers.masked_crops import mask_centers, masked_crops

RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 14, 18
MASKS = (RNG.random((3, 2, HEIGHT, WIDTH)) < 0.5).astype(np.float32)


def cropped(images, masks, centers, canvas, side):
    """Every masked image beside its mask, cropped and resized by TensorFlow."""
    half = (canvas - 1) / 2
    x, y = centers[..., 0], centers[..., 1]
    rows, columns = HEIGHT - 1, WIDTH - 1
    boxes = [(y - half) / rows, (x - half) / columns]
    boxes += [(y + half) / rows, (x + half) / columns]
    each = []
    for k in range(masks.shape[1]):
        image = images[:, min(k, images.shape[1] - 1)]
        mask = masks[:, k, ..., None]
        masked = tf.concat([image * mask, mask], axis=-1)
        box = tf.stack([edge[:, k] for edge in boxes], axis=1)
        crop = tf.image.crop_and_resize(masked, box, range(3), [side, side])
        each.append(crop)
    return tf.stack(each, axis=1)


@pytest.mark.parametrize(
    ("own_images", "canvas", "compiled"),
    [(1, 6, False), (1, 12, True), (1, 20, False), (2, 12, False), (2, 20, False)],
)
def test_crops_and_gradients_are_those_of_masked_images(own_images, canvas, compiled):
    images = tf.constant(RNG.random((3, own_images, HEIGHT, WIDTH, 3)), tf.float32)
    # Some squares reach beyond the image.
    centers = tf.constant(RNG.uniform(2, 12, (3, 2, 2)), tf.float32)
    masks, weights = tf.constant(MASKS), tf.constant(RNG.random((3, 2, 9, 9, 4)))
    found, expected = [], []
    function = tf.function(masked_crops, jit_compile=True) if compiled else masked_crops
    for crop, values in ((function, found), (cropped, expected)):
        with tf.GradientTape() as tape:
            tape.watch([masks, centers])
            crops = crop(images, masks, centers, canvas, 9)
            loss = tf.reduce_sum(crops * tf.cast(weights, tf.float32))
        values.extend([crops, *tape.gradient(loss, [masks, centers])])
    assert np.abs(found[0]).max() > 0.5
    for one, other in zip(found, expected, strict=True):
        scale = np.abs(other).max()
        # The places in pixels of crop_and_resize are rounded twice.
        np.testing.assert_allclose(one / scale, other / scale, atol=1e-5)


def test_centers_are_the_means_of_places():
    for mask, center in zip(
        MASKS.reshape(-1, HEIGHT, WIDTH),
        mask_centers(tf.constant(MASKS)).numpy().reshape(-1, 2),
        strict=True,
    ):
        rows, columns = np.nonzero(mask)
        # 1e-3 is added to the area, about 126.
        np.testing.assert_allclose(center, [columns.mean(), rows.mean()], atol=2e-4)
    np.testing.assert_array_equal(mask_centers(tf.zeros([2, 3, 3])), np.zeros((2, 2)))
