"""Otsu's masks against NumPy, SciPy and scikit-image."""

import keras
import numpy as np
import pytest
import scipy.ndimage as ndi
import tensorflow as tf
from skimage.filters import threshold_otsu

from cirs_tf.layers.otsu_masks import OtsuMasks, gaussian_blur, otsu_threshold
from cirs_tf.proposals.thresholds import local_contrast_labels, otsu_labels

RNG = np.random.default_rng(0)


def blobs(height, width, dark):
    """Return an image of discs in slowly changing light, and where they are."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.zeros((height, width), bool)
    for row, column in ((9, 10), (20, 33), (30, 12)):
        inside |= (rows - row) ** 2 + (columns - column) ** 2 < 20
    gray = 110 + 0.5 * rows + np.where(inside, -60 if dark else 60, 0)
    image = gray[..., None] + RNG.normal(0, 4, (height, width, 3))
    return np.uint8(image.clip(0, 255)), inside


@pytest.mark.parametrize("size", [(40, 48), (37, 52)])
@pytest.mark.parametrize("background", [0.0, 0.1])
def test_masks_are_those_of_scikit_image(size, background):
    images = np.stack([blobs(*size, dark)[0] for dark in (True, False)])
    reference = local_contrast_labels if background else otsu_labels
    masks = OtsuMasks(1.0, background)(images / 255).numpy()[..., 0]
    differing = (masks != reference(images)).mean()
    assert differing < 1e-3  # bins of float32


def test_dark_and_bright_objects_are_1():
    for dark in (True, False):
        image, inside = blobs(40, 48, dark)
        mask = OtsuMasks(1.0, 0.1)(image[None] / 255).numpy()[0, ..., 0] == 1
        assert (mask & inside).sum() / (mask | inside).sum() > 0.8


@pytest.mark.parametrize("inside", [0.2, 0.8])
def test_objects_are_what_the_border_does_not_show(inside):
    image = np.full((1, 30, 40, 3), 1 - inside)
    image[:, 2:-2, 2:-2] = inside  # three quarters of the image
    mask = OtsuMasks(0.3, 0.0)(image).numpy()[0, ..., 0]
    assert mask[15, 20] == 1 and mask[0, 0] == 0 and mask.mean() > 0.6


@pytest.mark.parametrize("deviation", [0.6, 2.0, 9.0])
def test_the_blur_is_that_of_scipy(deviation):
    maps = RNG.random((2, 41, 38, 1)).astype(np.float32)
    blurred = gaussian_blur(maps, deviation).numpy()
    for ours, one in zip(blurred, maps, strict=True):
        expected = ndi.gaussian_filter(one[..., 0].astype(float), deviation)
        np.testing.assert_allclose(ours[..., 0], expected, atol=2e-5)


def test_the_threshold_is_that_of_scikit_image():
    values = RNG.normal(0, 1, (3, 30, 20, 1)).astype(np.float32)
    values[:, :10] += [[[[4.0]]], [[[2.5]]], [[[8.0]]]]
    found = otsu_threshold(values).numpy().ravel()
    expected = [threshold_otsu(one) for one in values]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_image_of_one_color_has_one_part():
    masks = OtsuMasks(1.0, 0.1)(tf.fill((1, 16, 16, 3), 0.4))
    assert masks.shape == (1, 16, 16, 1)
    assert not masks.numpy().any()


def test_it_is_saved_with_its_arguments():
    layer = OtsuMasks(0.5, 0.2)
    again = OtsuMasks.from_config(layer.get_config())
    assert (again.smoothing, again.background) == (0.5, 0.2)
    assert keras.saving.get_registered_name(OtsuMasks) == "cirs_tf>OtsuMasks"
