import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.config.sections import TrainingConfig
from cirs_tf.data.batches import training_dataset
from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.errors import ConfigError
from cirs_tf.training.strategy import (
    batch_mean,
    distributed_iterator,
    make_strategy,
    scale_loss,
)

IMAGES = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1).repeat(3, axis=3)
SPLIT = LoadedSplit(IMAGES, None, ("",) * 12)


@pytest.fixture(scope="module")
def two():
    return make_strategy(TrainingConfig(strategy="mirrored", logical_cpus=2))


def test_mirrored_uses_both_logical_cpus(two):
    assert two.num_replicas_in_sync == 2


def test_auto_is_mirrored_on_two_devices_and_one_is_one():
    assert make_strategy(TrainingConfig()).num_replicas_in_sync == 2
    assert make_strategy(TrainingConfig(strategy="single")).num_replicas_in_sync == 1


def test_batch_must_divide_by_the_replicas():
    with pytest.raises(ConfigError, match="multiple of the 2 replicas, got 5"):
        make_strategy(TrainingConfig(strategy="mirrored", batch_size=5))


def test_batch_mean_is_the_mean_over_replicas(two):
    shares = np.array([[1.0, 2.0, 4.0], [10.0, 20.0, 30.0]], np.float32)
    values = two.experimental_distribute_values_from_function(
        lambda context: tf.constant(shares[context.replica_id_in_sync_group])
    )
    mean = two.run(tf.function(batch_mean), args=(values,))
    for replica in two.experimental_local_results(mean):
        # Mean of all six values, by hand: 67 / 6.
        np.testing.assert_allclose(replica, 67 / 6, rtol=1e-6)


@pytest.mark.parametrize("kind", ["examples", "statistic"])
def test_summed_gradients_are_the_gradient(two, kind):
    """d/dw of mean((w x)^2), or of mean(w x)^2, by hand, on two replicas."""
    x = np.array([1.0, 2.0, 4.0, 7.0], np.float32)
    weight = 3.0

    def gradient(share):
        variable = tf.constant(weight)
        with tf.GradientTape() as tape:
            tape.watch(variable)
            product = variable * share
            if kind == "examples":
                loss = tf.square(product)
            else:
                loss = tf.square(batch_mean(product))
            scaled = scale_loss(loss, global_batch=4)
        return tape.gradient(scaled, variable)

    values = two.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(x, 2)[context.replica_id_in_sync_group])
    )
    per_replica = two.run(tf.function(gradient), args=(values,))
    summed = two.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)
    by_hand = {
        "examples": 2 * weight * np.mean(x**2),
        "statistic": 2 * weight * np.mean(x) ** 2,
    }
    np.testing.assert_allclose(summed, by_hand[kind], rtol=1e-6)


def batches_of_split(batch_size, first_step, share):
    return training_dataset(SPLIT, 7, batch_size, first_step, share)


def test_replicas_share_the_global_batch_of_one_device(two):
    one = make_strategy(TrainingConfig(strategy="single"))

    def batches(strategy, first_step):
        iterator = distributed_iterator(strategy, batches_of_split, 4, first_step)
        for _ in range(5):
            shares = strategy.experimental_local_results(next(iterator)["image"])
            yield np.concatenate(shares)[:, 0, 0, 0]

    for first_step in (0, 4):
        expected = np.stack(list(batches(one, first_step)))
        np.testing.assert_array_equal(
            np.stack(list(batches(two, first_step))), expected
        )
