"""Normalized logits against their formula, gradients against finite differences."""

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.layers.normalized_logits import normalized_logits

EPSILON = 1e-3  # Keras's default


def test_normalized_logits_are_their_formula_and_running_statistics():
    inputs = keras.Input((5, 6, 3))
    model = keras.Model(inputs, normalized_logits(inputs, 8.0))
    assert model.trainable_variables == []
    rng = np.random.default_rng(0)
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(30):
        logits = rng.normal([1, -5, 0], [0.1, 2, 30], (4, 5, 6, 3)).astype(np.float32)
        found = model(logits, training=True)
        batch_mean, batch_variance = logits.mean((0, 1, 2)), logits.var((0, 1, 2))
        expected = 8 * (logits - batch_mean) / np.sqrt(batch_variance + EPSILON)
        # Differences of float32 sums.
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        mean = 0.9 * mean + 0.1 * batch_mean
        variance = 0.9 * variance + 0.1 * batch_variance
    expected = 8 * (logits - mean) / np.sqrt(variance + EPSILON)
    np.testing.assert_allclose(model(logits), expected, rtol=1e-4, atol=1e-4)


def test_the_gradient_of_normalized_logits_is_that_of_finite_differences():
    keras.config.set_dtype_policy("float64")
    try:
        inputs = keras.Input((3, 2, 2), dtype="float64")
        model = keras.Model(inputs, normalized_logits(inputs, 8.0))
    finally:
        keras.config.set_dtype_policy("float32")
    rng = np.random.default_rng(0)
    logits, weights = rng.normal(size=(2, 2, 3, 2, 2))

    def value(x):
        return tf.reduce_sum(model(x, training=True) * weights)

    x = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = value(x)
    gradient = tape.gradient(output, x).numpy()
    for place in np.ndindex(logits.shape):
        step = np.zeros(logits.shape)
        step[place] = 1e-5
        difference = float(value(logits + step) - value(logits - step)) / 2e-5
        np.testing.assert_allclose(gradient[place], difference, atol=1e-7)
