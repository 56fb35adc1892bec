import numpy as np
import pytest

from data_gen.sky import (
    CLOUDS,
    add_cloud,
    clear_sky,
    downsample,
    draw_sky,
    supersampled_grid,
)


def near(colors, color, distance):
    return np.linalg.norm(colors - np.array(color), axis=-1) < distance


def test_the_sky_is_the_same_every_time_and_its_colors_vary():
    sky = draw_sky(64)
    np.testing.assert_array_equal(sky, draw_sky(64))
    assert sky.shape == (64, 64, 3) and sky.dtype == np.uint8
    assert (sky.reshape(-1, 3).std(0) > [50, 35, 12]).all()
    assert near(sky.astype(int), (255, 255, 255), 30).mean() > 0.05  # clouds
    assert near(sky.astype(int), (60, 120, 215), 40).mean() > 0.1  # deep blue


def test_a_larger_sky_is_the_same_sky():
    large, small = draw_sky(128).astype(float), draw_sky(64)
    mean = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert abs(mean - small).mean() < 1


def test_the_grid_has_four_by_four_points_per_pixel():
    x, y = supersampled_grid(8, 3)
    assert x.shape == y.shape == (96, 96)
    np.testing.assert_allclose(x[0, :4].mean(), 0.5 / 8)  # center of the first pixel
    np.testing.assert_allclose(x[:, 0], 1 / 64)
    np.testing.assert_array_equal(y, x.T)
    assert np.isclose(x[0, -1], 3 - 1 / 64)


def test_a_clear_sky_gets_paler_towards_the_horizon():
    colors = clear_sky(np.linspace(0, 1, 20))
    assert colors.shape == (20, 3)
    assert (np.diff(colors, axis=0) > 0).all()
    np.testing.assert_array_equal(colors[[0, -1]], [(38, 104, 205), (150, 203, 247)])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_changes_only_the_sky_around_its_puffs(cloud):
    x, y = supersampled_grid(32, 1)
    color = np.zeros((*x.shape, 3))
    add_cloud(color, cloud, x, y)
    distances = [np.hypot(x - cx, y - cy) / radius for cx, cy, radius in cloud]
    nearest = np.min(distances, axis=0)
    # Below the lowest center a cloud is flatter than its puffs.
    upper = y <= max(cy for _, cy, _ in cloud)
    assert (color[upper & (nearest < 0.5)] > 200).all()
    assert (color[nearest > 1.5] == 0).all()


def test_a_pixel_is_the_mean_of_its_points():
    color = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(float)
    expected = color.reshape(2, 4, 3, 4, 3).mean((1, 3))
    pixels = downsample(color)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, expected, atol=0.5)
