"""Codes: their statistics, their gradient, and draws that differ and come again."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from cirs_tf.layers.gaussian_code import GaussianCode

MEAN, LOG_VARIANCE = 0.7, -1.2


def parameters(*shape: int) -> tf.Tensor:
    ones = np.ones(shape, np.float32)
    return tf.constant(np.concatenate([MEAN * ones, LOG_VARIANCE * ones], axis=-1))


def drawn(layer, calls: int = 1) -> np.ndarray:
    given = parameters(5, 3, 8)
    return np.stack([layer(given, training=True)[0] for _ in range(calls)])


def test_draws_have_the_given_distribution():
    codes = GaussianCode(seed=0)(parameters(100, 10, 10), training=True)[0].numpy()
    reference = stats.norm(MEAN, np.exp(LOG_VARIANCE / 2))
    # Kolmogorov and Smirnov; 10,000 draws of the right law fail once in a thousand.
    assert stats.kstest(codes.ravel(), reference.cdf).pvalue > 1e-3


def test_gradient_is_that_of_finite_differences():
    """The same noise each time: a fresh layer of the same seed."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(2, 3, 4))

    def value(given: np.ndarray) -> tf.Tensor:
        code, _, _ = GaussianCode(seed=5, dtype="float64")(given, training=True)
        return tf.reduce_sum(tf.sin(code) * code)

    variable = tf.Variable(start)
    with tf.GradientTape() as tape:
        loss = value(variable)
    gradient = tape.gradient(loss, variable).numpy()
    step = 1e-5
    for place in np.ndindex(start.shape):
        change = np.zeros_like(start)
        change[place] = step
        slope = (value(start + change) - value(start - change)) / (2 * step)
        np.testing.assert_allclose(gradient[place], slope, atol=1e-6)
    assert np.abs(gradient[..., 2:]).min() > 0  # of the log-variances


def test_expected_gradient_of_a_square():
    """E z^2 = mu^2 + s^2: its gradients are 2 mu and s^2, by hand."""
    given = tf.Variable(parameters(40_000, 1))
    with tf.GradientTape() as tape:
        code, _, _ = GaussianCode(seed=1)(given, training=True)
        loss = tf.reduce_sum(tf.square(code))
    of_mean, of_log_variance = tape.gradient(loss, given).numpy().mean(axis=0)
    # Five standard errors: of 2 z, and of z s e with E e^4 = 3.
    variance = np.exp(LOG_VARIANCE)
    error = 5 * 2 * np.sqrt(variance / 40_000)
    assert of_mean == pytest.approx(2 * MEAN, abs=error)
    error = 5 * np.sqrt((MEAN**2 * variance + 2 * variance**2) / 40_000)
    assert of_log_variance == pytest.approx(variance, abs=error)


def test_the_mean_in_inference():
    given = tf.constant(np.random.default_rng(0).normal(size=(3, 2, 6)), tf.float32)
    layer = GaussianCode(seed=0)
    code, mean, log_variance = layer(given)
    np.testing.assert_array_equal(code, given[..., :3])
    np.testing.assert_array_equal(mean, given[..., :3])
    np.testing.assert_array_equal(log_variance, given[..., 3:])
    assert int(layer.calls) == 0


def test_draws_depend_on_seed_and_call():
    first = drawn(GaussianCode(seed=3), 3)
    np.testing.assert_array_equal(first, drawn(GaussianCode(seed=3), 3))
    everything = np.concatenate([first, drawn(GaussianCode(seed=4), 3)])
    assert len(np.unique(everything)) == everything.size


def test_every_replica_draws_its_own(monkeypatch):
    codes = []
    for replica in (0, 1):
        context = types.SimpleNamespace(replica_id_in_sync_group=replica)
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda c=context: c)
        codes.append(drawn(GaussianCode(seed=3)))
    assert (codes[0] != codes[1]).all()


def test_saved_model_goes_on_with_the_same_draws(tmp_path):
    given = keras.Input((3, 16))
    model = keras.Model(given, GaussianCode(seed=3)(given))
    drawn(model, 2)
    model.save(tmp_path / "m.keras")
    restored = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(drawn(restored, 2), drawn(model, 2))
