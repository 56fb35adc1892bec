"""Otsu's masks against NumPy, SciPy and scikit-image."""

import keras
import numpy as np
import pytest
import scipy.ndimage as ndi
import tensorflow as tf
from otsu_reference import otsu_labels
from skimage.filters import threshold_otsu

from cirs_tf.layers.otsu_masks import OtsuMasks, gaussian_blur, otsu_threshold

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


def cells(background=30, cell=170, side=48):
    """Return an image of two discs and their mask."""
    rows, columns = np.mgrid[:side, :side]
    mask = (rows - 14) ** 2 + (columns - 15) ** 2 < 50
    mask |= (rows - 32) ** 2 + (columns - 30) ** 2 < 70
    noise = np.random.default_rng(0).normal(0, 3, (side, side, 3))
    image = np.where(mask[..., None], cell, background) + noise
    return np.uint8(np.clip(image, 0, 255)), mask


@pytest.mark.parametrize("size", [(40, 48), (37, 52)])
@pytest.mark.parametrize("background", [0.0, 0.1])
def test_masks_are_those_of_scikit_image(size, background):
    images = np.stack([blobs(*size, dark)[0] for dark in (True, False)])
    masks = OtsuMasks(1.0, background)(images / 255).numpy()[..., 0]
    differing = (masks != otsu_labels(images, background=background)).mean()
    assert differing < 1e-3  # bins of float32


def masks_of(image, background):
    """Return the mask of one uint8 image."""
    return OtsuMasks(1.0, background)(image[None] / 255).numpy()[0, ..., 0] == 1


@pytest.mark.parametrize(("light", "cell"), [(30, 170), (220, 90), (6, 30)])
def test_objects_are_1_whether_light_or_dark(light, cell):
    image, mask = cells(light, cell)
    for background in (0.0, 0.1):
        assert (masks_of(image, background) == mask).mean() > 0.95


def test_the_threshold_is_the_best_of_all():
    image, _ = cells(60, 110)
    weights = [0.2125, 0.7154, 0.0721]  # of lightness, ITU-R BT.709
    values = np.sqrt(ndi.gaussian_filter(image @ weights / 255, 1))
    thresholds = np.linspace(values.min(), values.max(), 256)[:-1]
    parts = [(values[values <= at], values[values > at]) for at in thresholds]
    inside = [sum(part.var() * part.size for part in both) for both in parts]
    mask = masks_of(image, 0.0)
    found = sum(values[part].var() * part.sum() for part in (mask, ~mask))
    assert found <= min(inside) * 1.001


def test_an_uneven_background_is_taken_away():
    image, mask = cells(20, 60)
    ramp = np.linspace(0, 140, 48)[None, :, None]
    uneven = np.uint8(np.clip(image + ramp, 0, 255))
    plain = (masks_of(uneven, 0.0) == mask).mean()
    assert (masks_of(uneven, 0.1) == mask).mean() > plain + 0.1


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
