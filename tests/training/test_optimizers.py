"""Adam with a group of its own, beside Adam written out in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.config.sections import TrainingConfig
from cirs_tf.models.feature_net import feature_net
from cirs_tf.training.optimizers import (
    FusedAdam,
    ResettingAdam,
    learning_rate_schedule,
    weight_samplers,
)

GRADIENTS = np.random.default_rng(0).normal(size=(12, 2, 3)).astype(np.float32)
FRESH = np.float32(7)
# 1 - 0.999 has 4 digits left in float32; times updates of 0.1.
ROUNDING = 2e-5


def run(every, steps, rates=(0.1, 0.01), optimizer=None, variables=None, first=0):
    """Update two variables, of which the second is the group."""
    if variables is None:
        variables = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
        optimizer = ResettingAdam(
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


def kernels(optimizer, gradients):
    """Update a kernel and a bias as often as there are gradients."""
    variables = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
    optimizer.build(variables)
    for both in gradients:
        optimizer.apply(list(map(tf.constant, both)), variables)
    return variables, optimizer.variables


@pytest.mark.parametrize("rate", [0.1, TrainingConfig(decay_steps=10)])
def test_one_operation_is_the_formula_and_keras(rate):
    if not isinstance(rate, float):
        rate = learning_rate_schedule(rate, 0.1)
    fused, keras_own = (
        kernels(kind(rate), GRADIENTS) for kind in (FusedAdam, keras.optimizers.Adam)
    )
    for ours, theirs in zip(sum(fused, []), sum(keras_own, []), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), ROUNDING, ROUNDING)
    if isinstance(rate, float):
        for index, variable in enumerate(fused[0]):
            expected = adam(GRADIENTS[:, index], rate, 1)[-1]
            np.testing.assert_allclose(variable.numpy(), expected, atol=ROUNDING)


def test_both_at_their_rates():
    found = run(every=0, steps=12)
    for index, rate in enumerate((0.1, 0.01)):
        expected = adam(GRADIENTS[:, index], rate, 1)
        np.testing.assert_allclose(found[:, index], expected, atol=ROUNDING)


def test_a_reset_is_a_draw_and_then_adam_from_the_beginning():
    found = run(every=5, steps=12)
    np.testing.assert_allclose(
        found[:, 0], adam(GRADIENTS[:, 0], 0.1, 1), atol=ROUNDING
    )
    group = found[:, 1]
    np.testing.assert_allclose(
        group[:5], adam(GRADIENTS[:5, 1], 0.01, 1), atol=ROUNDING
    )
    for first in (5, 10):
        np.testing.assert_array_equal(group[first], FRESH)
        after = adam(GRADIENTS[first + 1 : first + 5, 1], 0.01, FRESH)
        np.testing.assert_allclose(group[first + 1 : first + 5], after, atol=ROUNDING)


def test_drawn_anew_each_time_after_the_first():
    found = run(every=1, steps=4)
    assert (found[0, 1] != FRESH).all()
    np.testing.assert_array_equal(found[1:, 1], FRESH)


DENSE = {
    "kind": "dense",
    "hidden": (200,),
    "features": 50,
    "norm": "batch",
    "dropout": 0.4,
    "segment_number": "scalar",
    "output": "batch_norm",
}
NETWORKS = [
    DENSE,
    {**DENSE, "norm": "none"},
    {**DENSE, "kind": "conv", "hidden": (60, 80), "output": "l2"},
]


@pytest.mark.parametrize("options", NETWORKS, ids=["dense", "no norm", "conv"])
def test_fresh_weights_are_distributed_as_the_first_ones(options):
    """Each weight beside the one that Keras drew: mean, deviation and range."""
    network = feature_net(16, 16, 4, **options, seed=3)
    for index, (variable, sample) in enumerate(
        zip(network.trainable_variables, weight_samplers(network), strict=True)
    ):
        first, drawn = variable.numpy(), sample(tf.constant([0, index])).numpy()
        assert drawn.shape == first.shape
        if first.std() == 0:
            np.testing.assert_array_equal(drawn, first)
            continue
        assert (drawn != first).any()
        np.testing.assert_array_equal(drawn, sample(tf.constant([0, index])))
        assert (drawn != sample(tf.constant([1, index])).numpy()).any()
        # At least 1,600 numbers: a deviation is known to 2 %, five times that here.
        np.testing.assert_allclose(drawn.std(), first.std(), rtol=0.1)
        np.testing.assert_allclose(drawn.mean(), 0, atol=0.15 * first.std())
        np.testing.assert_allclose(np.abs(drawn).max(), np.abs(first).max(), rtol=0.1)


def test_another_draw_for_each_variable_and_reset():
    seeds = []

    def draw(seed):
        seeds.append(seed)
        return tf.zeros([3])

    variables = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
    optimizer = ResettingAdam(0.1, {0: draw, 1: draw}, 0.1, 2, seed=5)
    optimizer.build(variables)
    for gradients in GRADIENTS[:5]:
        optimizer.apply(list(map(tf.constant, gradients)), variables)
    assert len({tuple(seed.numpy()) for seed in seeds}) == len(seeds) == 4


DECAYING = TrainingConfig(learning_rate=0.1, decay_steps=8)


def cosine(initial):
    """Half a cosine over 8 updates, to a fiftieth, by hand."""
    share = 0.5 * (1 + np.cos(np.pi * np.minimum(np.arange(12), 8) / 8))
    return initial * (0.02 + 0.98 * share)


def test_the_learning_rate_falls_as_half_a_cosine():
    for initial, expected in ((None, cosine(0.1)), (0.01, cosine(0.01))):
        schedule = learning_rate_schedule(DECAYING, initial)
        found = [float(schedule(step)) for step in range(12)]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    constant = TrainingConfig(learning_rate=0.1)
    assert learning_rate_schedule(constant) == 0.1
    assert learning_rate_schedule(constant, 0.01) == 0.01


@pytest.mark.parametrize("every", [0, 100])
def test_both_rates_decay(every):
    """Adam's step from update to update is its rate times the unbiased direction."""
    rates = [learning_rate_schedule(DECAYING, rate) for rate in (0.1, 0.01)]
    found = run(every, 12, rates)
    constant = run(every, 12, (0.1, 0.01))
    steps, undecayed = (np.diff(values, axis=0) for values in (found, constant))
    expected = undecayed * (cosine(1.0)[1:, None, None])
    np.testing.assert_allclose(steps, expected, atol=ROUNDING)


def test_a_decaying_rate_goes_on_falling_after_a_reset():
    rates = [learning_rate_schedule(DECAYING, rate) for rate in (0.1, 0.01)]
    found = run(5, 7, rates)[:, 1]
    # Update 5 draws, update 6 is Adam's first: the rate times the gradient's sign.
    step = found[6] - found[5]
    expected = -cosine(0.01)[6] * np.sign(GRADIENTS[6, 1])
    np.testing.assert_allclose(step, expected, rtol=1e-3)
