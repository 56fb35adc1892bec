"""Dropout: rate, scale, and a mask sequence that survives a save."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.layers.dropout import ReplicaDropout


def model_with_dropout(seed: int = 3) -> keras.Model:
    return keras.Sequential([keras.Input((64,)), ReplicaDropout(0.5, seed)])


def masks(model, calls: int) -> np.ndarray:
    ones = np.ones((2, 64), np.float32)
    return np.stack([model(ones, training=True) for _ in range(calls)]) > 0


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_share_dropped_and_scale_of_the_rest(rate):
    rng = np.random.default_rng(0)
    inputs = rng.uniform(1, 2, (200, 200)).astype(np.float32)
    outputs = ReplicaDropout(rate, seed=0)(inputs, training=True).numpy()
    dropped = outputs == 0
    # Four standard deviations of a binomial share of 40,000 draws.
    assert dropped.mean() == pytest.approx(
        rate, abs=4 * np.sqrt(rate * (1 - rate)) / 200
    )
    np.testing.assert_allclose(
        outputs[~dropped], inputs[~dropped] / (1 - rate), rtol=1e-6
    )


def test_gradient_passes_where_the_value_passed():
    layer = ReplicaDropout(0.5, seed=0)
    inputs = tf.ones((4, 32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    np.testing.assert_array_equal(tape.gradient(outputs, inputs), outputs)


def test_noise_shape_drops_whole_channels():
    layer = ReplicaDropout(0.5, seed=0, noise_shape=(None, 1, 1, None))
    outputs = layer(np.ones((8, 3, 4, 16), np.float32), training=True).numpy()
    np.testing.assert_array_equal(
        outputs, np.broadcast_to(outputs[:, :1, :1], outputs.shape)
    )
    assert 0 < (outputs[:, 0, 0] == 0).mean() < 1
    assert len(np.unique(outputs[:, 0, 0], axis=0)) > 1  # drawn for each example


@pytest.mark.parametrize("rate", [0.0, 0.9])
def test_identity_in_inference(rate):
    layer = ReplicaDropout(rate, seed=0)
    inputs = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    np.testing.assert_array_equal(layer(inputs), inputs)
    np.testing.assert_array_equal(layer(inputs, training=False), inputs)
    assert int(layer.calls) == 0
    if rate == 0:
        np.testing.assert_array_equal(layer(inputs, training=True), inputs)


def test_masks_depend_on_seed_and_call():
    first = masks(model_with_dropout(), 3)
    np.testing.assert_array_equal(first, masks(model_with_dropout(), 3))
    assert len(np.unique(first.reshape(3, -1), axis=0)) == 3
    other = masks(model_with_dropout(seed=4), 3)
    # Two fair coins agree half the time: 384 draws, five standard deviations.
    assert (first == other).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(384))


def test_compiled_draws_the_sequence_of_the_eager_layer():
    model = model_with_dropout()
    compiled = tf.function(lambda values, training: model(values, training=training))
    expected = masks(model_with_dropout(), 3)
    np.testing.assert_array_equal(masks(compiled, 3), expected)


def test_every_replica_draws_its_own_mask(monkeypatch):
    drawn = []
    for replica in (0, 1):
        context = types.SimpleNamespace(replica_id_in_sync_group=replica)
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda c=context: c)
        drawn.append(masks(model_with_dropout(), 1))
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize("how", ["model", "weights", "checkpoint"])
def test_restored_counter_goes_on_with_the_same_masks(tmp_path, how):
    model = model_with_dropout()
    before = masks(model, 2)
    if how == "model":
        model.save(tmp_path / "m.keras")
        restored = keras.models.load_model(tmp_path / "m.keras")
    elif how == "weights":
        model.save_weights(tmp_path / "m.weights.h5")
        restored = model_with_dropout()
        restored.load_weights(tmp_path / "m.weights.h5")
    else:
        path = tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt"))
        restored = model_with_dropout()
        tf.train.Checkpoint(model=restored).read(path).assert_consumed()
    uninterrupted = masks(model, 2)
    np.testing.assert_array_equal(masks(restored, 2), uninterrupted)
    assert (before != uninterrupted).any()


def test_counter_is_the_only_weight_and_is_not_trained():
    model = model_with_dropout()
    masks(model, 5)
    (counter,) = model.weights
    assert int(counter) == 5
    assert model.trainable_weights == []
