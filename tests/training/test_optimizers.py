"""Adam with a part of its own, beside Adam written out in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.config import FeatureNetConfig
from cirs_tf.models.feature_net import feature_net
from cirs_tf.training.optimizers import PartAdam, draws

GRADIENTS = np.random.default_rng(0).normal(size=(12, 2, 3)).astype(np.float32)
FRESH = np.float32(7)
# 1 - 0.999 has 4 digits left in float32; times updates of 0.1.
ROUNDING = 2e-5


def run(every, steps, rates=(0.1, 0.01), optimizer=None, variables=None, first=0):
    """Update two variables, of which the second is the part."""
    if variables is None:
        variables = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
        optimizer = PartAdam(
            rates[0], {1: lambda seed: tf.fill([3], FRESH)}, rates[1], every, seed=0
        )
        optimizer.build(variables)
    found = []
    for gradients in GRADIENTS[first : first + steps]:
        optimizer.apply(list(map(tf.constant, gradients)), variables)
        found.append([variable.numpy() for variable in variables])
    return np.array(found)


def adam(gradients, rate, start):
    """Kingma and Ba 2015, algorithm 1."""
    mean = square = 0.0
    value, found = np.full(3, start, float), []
    for count, gradient in enumerate(gradients.astype(float), start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9**count), square / (1 - 0.999**count)
        value = value - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-7)
        found.append(value)
    return np.array(found)


def test_each_at_its_rate():
    found = run(every=0, steps=12)
    for part, rate in enumerate((0.1, 0.01)):
        expected = adam(GRADIENTS[:, part], rate, 1)
        np.testing.assert_allclose(found[:, part], expected, atol=ROUNDING)


def test_a_restart_is_a_draw_and_then_adam_from_the_beginning():
    found = run(every=5, steps=12)
    np.testing.assert_allclose(
        found[:, 0], adam(GRADIENTS[:, 0], 0.1, 1), atol=ROUNDING
    )
    part = found[:, 1]
    np.testing.assert_allclose(part[:5], adam(GRADIENTS[:5, 1], 0.01, 1), atol=ROUNDING)
    for first in (5, 10):
        np.testing.assert_array_equal(part[first], FRESH)
        after = adam(GRADIENTS[first + 1 : first + 5, 1], 0.01, FRESH)
        np.testing.assert_allclose(part[first + 1 : first + 5], after, atol=ROUNDING)


def test_drawn_anew_each_time_after_the_first():
    found = run(every=1, steps=4)
    assert (found[0, 1] != FRESH).all()
    np.testing.assert_array_equal(found[1:, 1], FRESH)


NETWORKS = [
    {"hidden": (200,), "features": 50},
    {"hidden": (200,), "features": 50, "norm": "none"},
    {"kind": "conv", "hidden": (60, 80), "features": 50, "output": "l2"},
]


@pytest.mark.parametrize("options", NETWORKS, ids=["dense", "no norm", "conv"])
def test_draws_are_distributed_as_the_first_ones(options):
    """Each weight beside the one that Keras drew: mean, deviation and range."""
    network = feature_net(FeatureNetConfig(**options), 16, 16, 4, seed=3)
    for number, (variable, draw) in enumerate(
        zip(network.trainable_variables, draws(network), strict=True)
    ):
        first, drawn = variable.numpy(), draw(tf.constant([0, number])).numpy()
        assert drawn.shape == first.shape
        if first.std() == 0:
            np.testing.assert_array_equal(drawn, first)
            continue
        assert (drawn != first).any()
        np.testing.assert_array_equal(drawn, draw(tf.constant([0, number])))
        assert (drawn != draw(tf.constant([1, number])).numpy()).any()
        # At least 1,600 numbers: a deviation is known to 2 %, five times that here.
        np.testing.assert_allclose(drawn.std(), first.std(), rtol=0.1)
        np.testing.assert_allclose(drawn.mean(), 0, atol=0.15 * first.std())
        np.testing.assert_allclose(np.abs(drawn).max(), np.abs(first).max(), rtol=0.1)


def test_another_draw_for_each_variable_and_restart():
    seeds = []

    def draw(seed):
        seeds.append(seed)
        return tf.zeros([3])

    variables = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
    optimizer = PartAdam(0.1, {0: draw, 1: draw}, 0.1, 2, seed=5)
    optimizer.build(variables)
    for gradients in GRADIENTS[:5]:
        optimizer.apply(list(map(tf.constant, gradients)), variables)
    assert len({tuple(seed.numpy()) for seed in seeds}) == len(seeds) == 4
