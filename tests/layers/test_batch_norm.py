"""Batch normalization against its formula in NumPy, and against Keras's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.layers.batch_norm import BatchNormalization

RNG = np.random.default_rng(0)
VALUES = RNG.normal(3, 2, (4, 5, 6, 3))
WEIGHTS = RNG.normal(size=VALUES.shape)
EPSILON, MOMENTUM = 1e-3, 0.9


def normalized(values, gamma, beta):
    """The definition, in float64."""
    mean, variance = values.mean((0, 1, 2)), values.var((0, 1, 2))
    return gamma * (values - mean) / np.sqrt(variance + EPSILON) + beta


@pytest.fixture
def layer():
    layer = BatchNormalization(momentum=MOMENTUM, synchronized=True)
    layer.build(VALUES.shape)
    layer.gamma.assign([0.5, 2.0, -1.0])
    layer.beta.assign([0.1, 0.0, 3.0])
    return layer


def test_values_and_running_statistics_are_the_formulas(layer):
    found = layer(tf.constant(VALUES, tf.float32), training=True)
    expected = normalized(VALUES, np.array([0.5, 2, -1]), np.array([0.1, 0, 3]))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    mean, variance = VALUES.mean((0, 1, 2)), VALUES.var((0, 1, 2))
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
    # Not the variance that divides by 119, which is larger by a factor of 1.008.
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-5)


def test_gradients_by_finite_differences(layer):
    gamma, beta = np.array([0.5, 2, -1]), np.array([0.1, 0, 3])
    values = tf.constant(VALUES, tf.float32)
    sources = [values, layer.gamma.value, layer.beta.value]
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(WEIGHTS.astype(np.float32) * layer(values, training=True))
    gradients = [slope.numpy() for slope in tape.gradient(loss, sources)]
    for argument, gradient in enumerate(gradients):
        exact = [VALUES, gamma, beta]
        for index in list(np.ndindex(gradient.shape))[::37] + [(0,) * gradient.ndim]:
            slopes = []
            for step in (1e-6, -1e-6):
                moved = [part.copy() for part in exact]
                moved[argument][index] += step
                slopes.append((WEIGHTS * normalized(*moved)).sum())
            slope = (slopes[0] - slopes[1]) / 2e-6
            np.testing.assert_allclose(gradient[index], slope, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", [VALUES.shape, (8, 3), (2, 1, 1, 3)])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_it_is_kerass_layer(shape, affine, training):
    values = tf.constant(RNG.normal(size=shape), tf.float32)
    options = {"center": affine, "scale": affine, "synchronized": True}
    layers = [
        kind(**options)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    outputs = [layer(values, training=training) for layer in layers]
    # Keras subtracts squares: its variance of two values is off by 1e-5.
    np.testing.assert_allclose(*outputs, atol=1e-4)
    for one, other in zip(*(layer.weights for layer in layers), strict=True):
        assert (one.name, one.shape) == (other.name, other.shape)
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_layers_are_named_as_kerass():
    """Names of checkpoints' weights come from the class."""
    keras.backend.clear_session()
    own, kerass = BatchNormalization(), keras.layers.BatchNormalization()
    assert (own.name, kerass.name) == ("batch_normalization", "batch_normalization_1")


def test_on_maps_it_is_one_operation():
    def types(shape):
        layer = BatchNormalization(synchronized=True)
        layer.build(shape)
        train = tf.function(lambda values: layer(values, training=True))
        graph = train.get_concrete_function(tf.zeros(shape)).graph
        return [operation.type for operation in graph.get_operations()]

    assert "FusedBatchNormV3" in types((2, 5, 6, 3))
    assert "FusedBatchNormV3" not in types((2, 3))


@pytest.mark.parametrize("shape", [(6, 5, 6, 3), (6, 3)])
def test_two_replicas_are_one_and_exchange_once(shape):
    """Outputs, gradients and running statistics; shares of 4 and 2 examples."""
    values = RNG.normal(3, 2, shape).astype(np.float32)
    weights = RNG.normal(size=shape).astype(np.float32)
    results, kinds = [], []
    for shares in ([6], [4, 2]):
        strategy = tf.distribute.MirroredStrategy(
            [f"cpu:{i}" for i in range(len(shares))]
        )
        with strategy.scope():
            layer = BatchNormalization(momentum=MOMENTUM, synchronized=True)
            layer.build(shape)
            layer.gamma.assign([0.5, 2.0, -1.0])

        def step(values, weights, layer=layer):
            with tf.GradientTape() as tape:
                tape.watch(values)
                outputs = layer(values, training=True)
                loss = tf.reduce_sum(weights * outputs)
            sources = [values, layer.gamma.value, layer.beta.value]
            slopes = tape.gradient(loss, sources)
            replica = tf.distribute.get_replica_context()
            total = replica.all_reduce(tf.distribute.ReduceOp.SUM, slopes[1:])
            return outputs, slopes[0], total

        def parts(array, shares=shares, strategy=strategy):
            split = tf.split(tf.constant(array), shares)
            return strategy.experimental_distribute_values_from_function(
                lambda context: split[context.replica_id_in_sync_group]
            )

        run = tf.function(strategy.run, autograph=False)
        outputs, slopes, totals = run(step, (parts(values), parts(weights)))
        joined = [
            np.concatenate(strategy.experimental_local_results(part))
            for part in (outputs, slopes)
        ]
        total = [strategy.experimental_local_results(part)[0] for part in totals]
        statistics = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
        results.append([*joined, *total, *statistics])
        graph = run.get_concrete_function(step, (parts(values), parts(weights))).graph
        kinds.append([operation.type for operation in graph.get_operations()])
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(two, one, atol=2e-4)
    # On each replica: forward, backward, and gradients of the weights above.
    assert kinds[1].count("CollectiveReduceV2") == 2 * 3


def test_a_layer_that_is_not_synchronized_is_not():
    """Each of two replicas normalizes its own share."""
    strategy = tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"])
    with strategy.scope():
        layer = BatchNormalization(synchronized=False)
        layer.build((None, 3))
    shares = RNG.normal(0, [1, 5], (8, 3, 2)).astype(np.float32).transpose(2, 0, 1)

    def one():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return layer(tf.gather(tf.constant(shares), number), training=True)

    outputs = strategy.experimental_local_results(strategy.run(one))
    for share, found in zip(shares, outputs, strict=True):
        expected = (share - share.mean(0)) / np.sqrt(share.var(0) + EPSILON)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_statistics_of_bfloat16_maps_are_float32():
    """On two replicas; far from 0 the squares of bfloat16 have steps of 512."""
    strategy = tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"])
    with strategy.scope():
        layer = BatchNormalization(synchronized=True, dtype="mixed_bfloat16")
        layer.build((None, 3))
    values = tf.cast(RNG.normal(300, 20, (64, 3)), tf.bfloat16)

    def one():
        return layer(values, training=True)

    found, _ = strategy.experimental_local_results(strategy.run(one))
    exact = tf.cast(values, tf.float64).numpy()
    expected = (exact - exact.mean(0)) / exact.std(0)
    np.testing.assert_allclose(tf.cast(found, tf.float64), expected, atol=0.02)


def test_a_frozen_layer_keeps_its_statistics_and_uses_them(layer):
    layer.moving_mean.assign([1.0, 2.0, 3.0])
    layer.trainable = False
    found = layer(tf.constant(VALUES, tf.float32), training=True)
    gamma, beta = np.array([0.5, 2, -1]), np.array([0.1, 0, 3])
    expected = gamma * (VALUES - [1, 2, 3]) / np.sqrt(1 + EPSILON) + beta
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, [1, 2, 3])
    np.testing.assert_array_equal(layer.moving_variance, [1, 1, 1])
