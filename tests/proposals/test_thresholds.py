"""Thresholds beside a search over all of them."""

import numpy as np
import pytest
from scipy import ndimage

from cirs_tf.proposals.thresholds import local_contrast_labels, otsu_labels


def cells(background=30, cell=170, side=48):
    """Return an image of two discs and their mask."""
    rows, columns = np.mgrid[:side, :side]
    mask = (rows - 14) ** 2 + (columns - 15) ** 2 < 50
    mask |= (rows - 32) ** 2 + (columns - 30) ** 2 < 70
    noise = np.random.default_rng(0).normal(0, 3, (side, side, 3))
    image = np.where(mask[..., None], cell, background) + noise
    return np.uint8(np.clip(image, 0, 255)), mask


@pytest.mark.parametrize(("background", "cell"), [(30, 170), (220, 90), (6, 30)])
def test_objects_are_1_whether_light_or_dark(background, cell):
    image, mask = cells(background, cell)
    for labels in (otsu_labels(image[None]), local_contrast_labels(image[None])):
        assert labels.dtype == np.uint8 and labels.shape == (1, 48, 48)
        assert (labels[0] == mask).mean() > 0.95


def test_the_threshold_is_the_best_of_all():
    image, _ = cells(60, 110)
    weights = [0.2125, 0.7154, 0.0721]  # of lightness, ITU-R BT.709
    values = np.sqrt(ndimage.gaussian_filter(image @ weights / 255, 1))
    thresholds = np.linspace(values.min(), values.max(), 256)[:-1]
    parts = [(values[values <= at], values[values > at]) for at in thresholds]
    inside = [sum(part.var() * part.size for part in both) for both in parts]
    labels = otsu_labels(image[None])[0].astype(bool)
    found = sum(values[part].var() * part.sum() for part in (labels, ~labels))
    assert found <= min(inside) * 1.001


def test_an_uneven_background_is_taken_away():
    image, mask = cells(20, 60)
    ramp = np.linspace(0, 140, 48)[None, :, None]
    uneven = np.uint8(np.clip(image + ramp, 0, 255))[None]
    plain = (otsu_labels(uneven)[0] == mask).mean()
    assert (local_contrast_labels(uneven)[0] == mask).mean() > plain + 0.1


def test_one_color_is_one_segment():
    assert not otsu_labels(np.full((2, 8, 8, 3), 77, np.uint8)).any()
