"""Signs of images that were made to have them."""

import dataclasses

import numpy as np
import pytest

from cirs_tf.advice.image_signs import image_signs

RNG = np.random.default_rng(0)
COUNT, SIDE = 40, 24


def signs(images):
    images = np.asarray(images, np.uint8)
    return image_signs(images, images)


def noise(*shape):
    return RNG.integers(0, 256, shape)


def test_a_static_background_is_what_the_places_show_most():
    scene = noise(SIDE, SIDE, 3)
    images = np.repeat(scene[None], COUNT, axis=0)
    covered = RNG.random((COUNT, SIDE, SIDE)) < 0.25
    images[covered] = noise(covered.sum(), 3)
    # What covers a pixel is near its background now and then.
    assert signs(images).static == pytest.approx(0.75, abs=0.03)
    assert signs(images).flat < 0.1


def test_few_images_of_nothing_in_common_are_not_static():
    # Each would have the color of its own share of the places.
    assert abs(signs(noise(3, SIDE, SIDE, 3)).static) < 0.05


def test_a_flat_background_may_change_from_image_to_image():
    images = np.empty((COUNT, SIDE, SIDE, 3), np.uint8)
    images[:] = noise(COUNT, 1, 1, 3)
    images[:, :, : SIDE // 3] = noise(COUNT, SIDE, SIDE // 3, 3)
    assert signs(images).flat == pytest.approx(2 / 3, abs=0.02)
    assert signs(images).static < 0.3


def test_neighbors_are_equal_in_drawn_images():
    images = np.repeat(noise(COUNT, SIDE, SIDE // 4, 3), 4, axis=2)
    pairs, walls = SIDE - 1, SIDE // 4 - 1
    assert signs(images).even == pytest.approx(1 - walls / pairs, abs=1e-6)
    # Of the originals, not of images that were resized.
    assert image_signs(np.uint8(images), [noise(9, 9, 3)] * 3).even < 0.01


def test_place_explains_what_images_share():
    layout = np.repeat(np.linspace(0, 200, SIDE), SIDE).reshape(SIDE, SIDE, 1)
    shared = layout + np.zeros((COUNT, 1, 1, 3))
    assert signs(shared).placed == pytest.approx(1.0, abs=0.03)
    assert signs(noise(COUNT, SIDE, SIDE, 3)).placed < 0.01
    # With independent noise of the same variance, half of it.
    dim = 100 + shared / 4
    noisy = dim + RNG.normal(0, dim.std(), dim.shape)
    assert signs(noisy).placed == pytest.approx(0.5, abs=0.05)


def test_gray_and_single_hues_lie_along_one_line():
    gray = np.repeat(noise(COUNT, SIDE, SIDE, 1), 3, axis=-1)
    assert signs(gray).one_line == pytest.approx(1.0)
    assert signs(gray * [1.0, 0.5, 0.2]).one_line == pytest.approx(1.0, abs=1e-3)
    # Three equal variances.
    assert signs(noise(COUNT, SIDE, SIDE, 3)).one_line == pytest.approx(1 / 3, abs=0.06)


def test_images_of_one_color_are_static_flat_and_even():
    found = dataclasses.asdict(signs(np.full((3, 8, 9, 3), 70)))
    assert found == pytest.approx(dict.fromkeys(found, 1.0))


def test_large_images_are_looked_at_coarsely():
    # A checkerboard finer than what is looked at is gray.
    board = 255 * (np.indices((400, 400)).sum(axis=0) % 2)
    found = signs(np.repeat(board[None, ..., None], 3, axis=-1).repeat(2, axis=0))
    assert found.flat == 1.0 and found.even == 0.0
