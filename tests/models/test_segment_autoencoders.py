import keras
import numpy as np
import pytest

from cirs_tf.models.segment_autoencoders import (
    segment_autoencoders,
    variational_autoencoders,
)

PLAIN = {"hidden": (12,), "bottleneck": 6, "norm": "none", "dropout": 0.0}
USUAL = {"hidden": (64, 16), "bottleneck": 32, "norm": "batch", "dropout": 0.4}


def test_parameters_by_hand():
    model = segment_autoencoders(2, 4, 3, **PLAIN, seed=0)
    # For each of 3 segments: 24 -> 4 -> 2 -> 4 -> 24, with biases.
    each = (24 * 4 + 4) + (4 * 2 + 2) + (2 * 4 + 4) + (4 * 24 + 24)
    assert model.count_params() == 3 * each


@pytest.mark.parametrize("segments", [2, 4, 8])
def test_parameters_stay_about_constant_with_k(segments):
    """Thesis 10: K and the widths are traded for each other."""
    options = {**USUAL, "hidden": (64,)}
    model = segment_autoencoders(16, 16, segments, **options, seed=0)
    reference = segment_autoencoders(16, 16, 1, **options, seed=0)
    # The output biases, one per image value and segment, are what grows.
    grown = 16 * 16 * 3 * (segments - 1)
    shrunk = 2 * 64 * 32 * (1 - 1 / segments)
    difference = model.count_params() - reference.count_params()
    assert difference == pytest.approx(grown - shrunk, abs=0.5)


def test_segments_do_not_see_each_other():
    model = segment_autoencoders(4, 4, 3, **USUAL, seed=0)
    rng = np.random.default_rng(0)
    images = rng.random((5, 3, 4, 4, 3)).astype(np.float32)
    changed = images.copy()
    changed[:, 1] = rng.random((5, 4, 4, 3))
    first, second = model(images).numpy(), model(changed).numpy()
    np.testing.assert_array_equal(first[:, [0, 2]], second[:, [0, 2]])
    assert not np.allclose(first[:, 1], second[:, 1])
    assert first.shape == images.shape
    assert first.min() >= 0
    assert first.max() <= 1


def test_thesis_layers_and_their_first_weights_written_out():
    """Thesis 10 in NumPy; options that came later leave its first weights alone."""
    model = segment_autoencoders(2, 4, 3, **PLAIN, seed=7)
    images = np.random.default_rng(0).random((5, 3, 2, 4, 3)).astype(np.float32)
    rebuilt = []
    for segment in range(3):
        x = images[:, segment].reshape(5, 24)
        for layer, sizes in enumerate([(24, 4), (4, 2), (2, 4), (4, 24)]):
            glorot = keras.initializers.GlorotUniform(seed=7_000 + 3 * layer + segment)
            x = x @ np.asarray(glorot(sizes))
            x = np.maximum(x, 0) if layer in (0, 2) else x
        rebuilt.append(1 / (1 + np.exp(-x)))
    found = model(images).numpy().reshape(5, 3, 24)
    np.testing.assert_allclose(found, np.stack(rebuilt, axis=1), atol=1e-6)


def test_variational_parameters_by_hand():
    model = variational_autoencoders(2, 4, 3, **PLAIN, seed=0)
    # As above, but 4 -> 2 means and 2 log-variances; and one count of draws.
    each = (24 * 4 + 4) + (4 * 4 + 4) + (2 * 4 + 4) + (4 * 24 + 24)
    assert model.count_params() == 3 * each + 1


def test_reconstructions_are_the_decoded_means_in_inference():
    model = variational_autoencoders(4, 4, 3, **USUAL, seed=0)
    images = np.random.default_rng(0).random((5, 3, 4, 4, 3)).astype(np.float32)
    rebuilt, mean, log_variance = model(images)
    assert mean.shape == log_variance.shape == (5, 3, 11)  # 32 units in all
    decoded = model.get_layer("decoders")(mean)
    np.testing.assert_array_equal(rebuilt, decoded)
    changed = np.concatenate([images[:, :2], images[::-1, 2:]], axis=1)
    for first, second in zip(model(images), model(changed), strict=True):
        np.testing.assert_array_equal(first[:, :2], second[:, :2])
        assert not np.allclose(first[:, 2], second[:, 2])


def test_reconstructions_are_drawn_in_training():
    options = {**USUAL, "norm": "none", "dropout": 0.0}
    model = variational_autoencoders(4, 4, 3, **options, seed=0)
    images = np.ones((5, 3, 4, 4, 3), np.float32)
    first, second = (model(images, training=True)[0].numpy() for _ in range(2))
    assert not np.allclose(first, second)
    assert len(np.unique(first[:, 0, 0, 0, 0])) == 5  # another code per image


@pytest.mark.parametrize("build", [segment_autoencoders, variational_autoencoders])
def test_many_segments_have_seeds_for_all_layers(build):
    model = build(
        2, 2, 400, hidden=[400, 400], bottleneck=400, dropout=0.0, norm="none", seed=3
    )
    assert model.outputs[0].shape == (None, 400, 2, 2, 3)
