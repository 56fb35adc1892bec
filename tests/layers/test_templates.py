import numpy as np
import tensorflow as tf

from cirs_tf.layers.templates import Templates


def test_holds_what_it_is_given():
    rng = np.random.default_rng(0)
    layer = Templates(6, 8, 4, 2)
    layer.build(None)
    background, colors = rng.random((6, 8, 3)), rng.random((2, 4, 4, 3))
    support = rng.random((2, 4, 4)) < 0.5
    layer.assign(background, colors, support)
    found = [one.numpy() for one in layer(tf.zeros([1]))]
    np.testing.assert_allclose(found[0], background, atol=1e-6)
    np.testing.assert_allclose(found[1], colors, atol=1e-6)
    np.testing.assert_array_equal(found[2] > 0.5, support)
    assert 0.9 < found[2][support].min() < 1
    assert 0 < found[2][~support].max() < 0.1
    assert len(layer.trainable_variables) == 3


def test_an_undecided_start():
    layer = Templates(6, 8, 4, 1)
    layer.build(None)
    for held in layer(tf.zeros([1])):
        np.testing.assert_allclose(held.numpy(), 0.5, atol=1e-6)
