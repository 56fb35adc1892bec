import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.templates import Templates


def test_returns_the_tensors_that_were_assigned():
    rng = np.random.default_rng(0)
    layer = Templates(6, 8, 4, 2)
    layer.build(None)
    background, colors = rng.random((6, 8, 3)), rng.random((2, 4, 4, 3))
    support = rng.random((2, 4, 4)) < 0.5
    layer.assign(background, colors, support)
    found = [stored.numpy() for stored in layer(tf.zeros([1]))]
    np.testing.assert_allclose(found[0], background, atol=1e-6)
    np.testing.assert_allclose(found[1], colors, atol=1e-6)
    np.testing.assert_array_equal(found[2] > 0.5, support)
    assert 0.9 < found[2][support].min() < 1
    assert 0 < found[2][~support].max() < 0.1
    assert len(layer.trainable_variables) == 3


def test_shapes_are_known_before_anything_is_computed():
    layer = Templates(6, 8, 4, 2)
    symbolic = layer(keras.Input((), name="ignored"))
    shapes = [(6, 8, 3), (2, 4, 4, 3), (2, 4, 4)]
    assert [tensor.shape for tensor in symbolic] == shapes
    assert [tensor.shape for tensor in layer(tf.zeros([1]))] == shapes


def test_gray_and_undecided_at_first():
    layer = Templates(6, 8, 4, 1)
    layer.build(None)
    for stored in layer(tf.zeros([1])):
        np.testing.assert_allclose(stored.numpy(), 0.5, atol=1e-6)
