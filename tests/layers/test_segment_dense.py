import numpy as np

from cirs_tf.layers.segment_dense import SegmentDense


def test_each_segment_has_a_layer_of_its_own():
    layer = SegmentDense(4, seed=1)
    values = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(np.float32)
    layer.build(values.shape)
    layer.bias.assign(np.arange(12, dtype=np.float32).reshape(3, 4))
    found = layer(values).numpy()
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    for k in range(3):
        expected = values[:, k] @ kernel[k] + bias[k]
        np.testing.assert_allclose(found[:, k], expected, atol=1e-6)
    assert not np.allclose(kernel[0], kernel[1])


def test_kernels_have_the_scale_of_a_dense_layer():
    """Glorot's bound of each segment's own fan-in and fan-out, not of the stack's."""
    layer = SegmentDense(100, use_bias=False)
    layer.build((None, 7, 200))
    bound = np.sqrt(6 / (200 + 100))
    for kernel in layer.kernel.numpy():
        assert 0.99 * bound < np.abs(kernel).max() <= bound
    assert len(layer.weights) == 1


def test_config_round_trip():
    layer = SegmentDense(3, use_bias=False, seed=9)
    assert (
        SegmentDense.from_config(layer.get_config()).get_config() == layer.get_config()
    )
