import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.segment_masks import SegmentMasks, masked_images

RNG = np.random.default_rng(0)
PROBABILITIES = RNG.dirichlet(np.ones(3), (2, 4, 5)).astype(np.float32)


def test_masks_are_one_hot_at_the_largest_probability():
    masks = SegmentMasks()(PROBABILITIES).numpy()
    assert masks.shape == (2, 3, 4, 5, 1)
    for image, segment, row, column in np.ndindex(2, 3, 4, 5):
        largest = PROBABILITIES[image, row, column].argmax() == segment
        assert masks[image, segment, row, column, 0] == largest


def test_the_gradient_goes_straight_through():
    probabilities = tf.constant(PROBABILITIES)
    weights = RNG.normal(size=(2, 3, 4, 5, 1)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(probabilities)
        loss = tf.reduce_sum(weights * SegmentMasks()(probabilities))
    expected = weights[..., 0].transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(tape.gradient(loss, probabilities), expected)


def test_in_a_functional_model_of_unknown_size():
    inputs = keras.Input((None, None, 3))
    outputs = SegmentMasks()(inputs)
    assert outputs.shape == (None, 3, None, None, 1)
    model = keras.Model(inputs, outputs)
    np.testing.assert_array_equal(model(PROBABILITIES), SegmentMasks()(PROBABILITIES))


def test_masked_images_are_zero_outside_their_mask():
    images = RNG.random((2, 4, 5, 3)).astype(np.float32)
    masks = SegmentMasks()(PROBABILITIES)
    masked = masked_images(tf.constant(images), masks).numpy()
    assert masked.shape == (2, 3, 4, 5, 3)
    labels = PROBABILITIES.argmax(-1)
    for image, segment, row, column in np.ndindex(2, 3, 4, 5):
        own = labels[image, row, column] == segment
        expected = images[image, row, column] if own else 0
        np.testing.assert_array_equal(masked[image, segment, row, column], expected)
