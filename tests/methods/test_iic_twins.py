"""IIC's twins, seen by a network that is made by hand and keeps what it was shown."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.methods import iic
from cirs_tf.methods.registry import build_method, load_config

SIDE, COUNT = 8, 16
# The left half is light, the right half dark, so that mirroring is seen.
HALVES = np.full((COUNT, SIDE, SIDE, 3), 0.1, np.float32)
HALVES[:, :, : SIDE // 2] = 0.9
RANDOM = np.random.default_rng(0).random(HALVES.shape).astype(np.float32)


class LightOrDark(keras.Model):
    """Segment 0 where a pixel is light, 1 where it is dark; keeps its inputs."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def call(self, images, training=False):
        self.shown.append(images.numpy())
        light = 100 * (images[..., :1] - 0.5)
        return tf.concat([light, -light], axis=-1)


@pytest.fixture
def twins(monkeypatch):
    """Return a function from images and settings to a loss, images and twins."""

    def first_step(images, *overrides, iteration=0):
        networks = LightOrDark(), LightOrDark()
        monkeypatch.setattr(iic, "iic_networks", lambda *_: networks)
        settings = ("iic.reach=0", "segments=2", *overrides)
        method = build_method(load_config("iic", settings), SIDE, SIDE)
        main = method.phases[1]
        main.optimizer.iterations.assign(iteration)
        loss = float(main.loss({"image": tf.constant(images)})["loss"])
        return loss, *networks[0].shown

    return first_step


def mirrored(images, twins):
    """Return which twins are the images' mirror images, which must be some."""
    # 0.5 + (x - 0.5) is rounded.
    flipped = np.isclose(twins, images[:, :, ::-1], atol=1e-6).all(axis=(1, 2, 3))
    np.testing.assert_allclose(twins[~flipped], images[~flipped], atol=1e-7)
    assert 0 < flipped.sum() < len(images)
    return flipped


@pytest.mark.parametrize("jitter", [0, 0.2])
def test_twins_are_flipped_back_before_they_are_compared(twins, jitter):
    """The joint distribution is diagonal, half and half: ln 2 nats."""
    loss, images, shown = twins(HALVES, f"iic.jitter={jitter}")
    np.testing.assert_array_equal(images, HALVES)
    lighter = shown.mean(axis=(1, 3))
    flipped = lighter[:, 0] < lighter[:, -1]
    assert 0 < flipped.sum() < COUNT
    assert loss == pytest.approx(-np.log(2), abs=1e-5)


def test_other_images_are_flipped_at_every_step(twins):
    settings = (RANDOM, "iic.jitter=0")
    flips = [mirrored(*twins(*settings, iteration=step)[1:]) for step in range(3)]
    assert (flips[0] != flips[1]).any()
    assert (flips[1] != flips[2]).any()


def test_jitter_changes_the_pixels_of_the_twin_and_only_of_the_twin(twins):
    _, images, shown = twins(RANDOM, "iic.flip=false", "iic.jitter=0.3")
    np.testing.assert_array_equal(images, RANDOM)
    assert shown.min() >= 0
    assert shown.max() <= 1
    for image, twin in zip(images, shown, strict=True):
        for channel in range(3):
            before, after = image[..., channel].ravel(), twin[..., channel].ravel()
            inside = (after > 0) & (after < 1)
            # A line: contrast and channel within 0.7 to 1.3, brightness within 0.3.
            slope, shift = np.polyfit(before[inside] - 0.5, after[inside] - 0.5, 1)
            assert 0.7**2 <= slope <= 1.3**2
            assert abs(shift) <= 0.3
            fitted = np.clip(0.5 + slope * (before - 0.5) + shift, 0, 1)
            np.testing.assert_allclose(after, fitted, atol=1e-5)
            assert abs(slope - 1) > 1e-3 or abs(shift) > 1e-3


def test_strength_0_without_flips_changes_nothing(twins):
    _, images, shown = twins(RANDOM, "iic.flip=false", "iic.jitter=0")
    np.testing.assert_array_equal(images, RANDOM)
    np.testing.assert_allclose(shown, RANDOM, atol=1e-7)  # rounded, as above
