import keras
import numpy as np
import pytest

from cirs_tf.layers.segment_conv import SegmentConv2D


@pytest.mark.parametrize("strides", [1, 2])
def test_each_segment_is_convolved_with_its_own_kernel(strides):
    """A loop over segments and places; 3x3, zeros beyond the border."""
    layer = SegmentConv2D(2, filters=4, kernel_size=3, strides=strides, seed=1)
    maps = np.random.default_rng(0).normal(size=(2, 5, 7, 6)).astype(np.float32)
    found = layer(maps).numpy()
    assert found.shape == (2, -(-5 // strides), -(-7 // strides), 8)
    assert layer.compute_output_shape(maps.shape) == found.shape
    kernels = layer.kernels.numpy()
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for k in range(2):
        channels = padded[..., 3 * k : 3 * k + 3]
        for y in range(found.shape[1]):
            for x in range(found.shape[2]):
                rows = slice(strides * y, strides * y + 3)
                columns = slice(strides * x, strides * x + 3)
                patch = channels[:, rows, columns].reshape(2, -1)
                np.testing.assert_allclose(
                    found[:, y, x, 4 * k : 4 * k + 4],
                    patch @ kernels[k].reshape(-1, 4),
                    atol=1e-5,
                )
    assert not np.allclose(kernels[0], kernels[1])


def test_kernels_are_those_of_a_convolution_of_one_segment():
    """He's scale by each segment's own fan-in."""
    layer = SegmentConv2D(3, filters=8, kernel_size=5, seed=4)
    layer.build((None, None, None, 12))
    for number, kernel in enumerate(layer.kernels.numpy()):
        initializer = keras.initializers.HeNormal(seed=4 + number)
        np.testing.assert_array_equal(kernel, initializer((5, 5, 4, 8)))
    assert layer.compute_output_shape((None, None, 9, 12)) == (None, None, 9, 24)


def test_config_round_trip():
    layer = SegmentConv2D(3, filters=2, kernel_size=5, strides=2, seed=9)
    config = layer.get_config()
    assert SegmentConv2D.from_config(config).get_config() == config
