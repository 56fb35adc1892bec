"""Pooled features against loops over pixels, gradients against finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.layers.segment_pooling import SegmentPooling

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(2, 12, 15, 3))
SHAPE = (2, 4, 12, 15, 1)


def hard_masks():
    labels = RNG.integers(0, 3, (2, 12, 15))
    labels[1] = 0
    labels[1, 0, 0] = 1  # 1 of 180 pixels: counted as a hundredth
    one_hot = np.eye(4)[labels]  # segment 3 is empty
    return np.moveaxis(one_hot, -1, 1)[..., None]


def by_loops(vectors, masks, power, softness):
    features = np.zeros((2, 4, 3))
    for image in range(2):
        for segment in range(4):
            total, area = np.zeros(3), 0.0
            for row in range(12):
                for column in range(15):
                    weight = masks[image, segment, row, column, 0]
                    total += weight * vectors[image, row, column]
                    area += weight
            pooled = total / (180 * max(area / 180, 0.01) ** power)
            if softness:
                pooled = pooled / np.sqrt((pooled**2).sum() + softness**2)
            features[image, segment] = pooled
    return features


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("softness", [0.0, 0.3])
def test_features_are_a_loop_over_pixels(power, softness):
    masks = hard_masks()
    features = SegmentPooling(power, softness, dtype="float64")(
        tf.constant(VECTORS), tf.constant(masks)
    )
    expected = by_loops(VECTORS, masks, power, softness)
    np.testing.assert_allclose(features, expected, atol=1e-12)
    np.testing.assert_array_equal(features[:, 3], 0)


def test_gradients_are_finite_differences():
    layer = SegmentPooling(0.5, 0.3, dtype="float64")
    masks = RNG.random(SHAPE) * 0.5
    masks[1, 2] *= 0.01  # below a hundredth, where area does not count
    weights = RNG.normal(size=(2, 4, 3))

    def value(vectors, masks):
        return tf.reduce_sum(layer(vectors, masks) * weights)

    inputs = [tf.constant(VECTORS), tf.constant(masks)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = value(*inputs)
    gradients = tape.gradient(output, inputs)
    for which, gradient in enumerate(gradients):
        for place in RNG.permutation(gradient.shape.num_elements())[:40]:
            step = np.zeros(gradient.shape.num_elements())
            step[place] = 1e-5
            step = step.reshape(gradient.shape)
            both = [
                value(
                    *(
                        x + sign * step if i == which else x
                        for i, x in enumerate(inputs)
                    )
                )
                for sign in (1, -1)
            ]
            expected = float(both[0] - both[1]) / 2e-5
            np.testing.assert_allclose(
                gradient.numpy().ravel()[place], expected, atol=1e-8
            )
