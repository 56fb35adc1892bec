"""The feature network: every combination of its options, and NumPy beside it."""

import itertools

import keras
import numpy as np
import pytest

from cirs_tf.models.feature_net import feature_net

HEIGHT, WIDTH, SEGMENTS, FEATURES = 6, 5, 4, 3
NUMBERS = np.arange(SEGMENTS, dtype=np.int32)
OPTIONS = {
    "kind": "dense",
    # Wide enough that no image silences every unit of a layer.
    "hidden": (16, 16),
    "features": FEATURES,
    "norm": "batch",
    "dropout": 0.4,
    "segment_number": "scalar",
    "output": "batch_norm",
}


def build(seed: int = 0, **changes) -> keras.Model:
    options = {**OPTIONS, **changes}
    return feature_net(HEIGHT, WIDTH, SEGMENTS, **options, seed=seed)


def images(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return rng.random((count, HEIGHT, WIDTH, 3)).astype(np.float32)


def same_image(count: int = SEGMENTS) -> np.ndarray:
    return np.repeat(images(1), count, axis=0)


COMBINATIONS = list(
    itertools.product(
        ["dense", "conv"], ["off", "scalar", "one_hot"], ["none", "l2", "batch_norm"]
    )
)


@pytest.mark.parametrize(("kind", "segment_number", "output"), COMBINATIONS)
def test_every_combination(kind, segment_number, output):
    model = build(kind=kind, segment_number=segment_number, output=output)
    assert model.output_shape == (None, FEATURES)
    features = model([images(SEGMENTS), NUMBERS]).numpy()
    assert features.shape == (SEGMENTS, FEATURES)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    if output == "l2":
        lengths = np.sqrt((features.astype(np.float64) ** 2).sum(axis=1))
        np.testing.assert_allclose(lengths, 1, atol=1e-6)
    # One image under all numbers: the features differ only if the number enters.
    of_numbers = model([same_image(), NUMBERS]).numpy()
    if segment_number == "off":
        # Rows of one batch may be summed in another order.
        np.testing.assert_allclose(of_numbers, of_numbers[:1].repeat(4, 0), atol=1e-6)
    else:
        for one, other in itertools.combinations(of_numbers, 2):
            assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(
    ("segment_number", "encoding"),
    [
        ("off", np.zeros((4, 0))),
        ("scalar", np.array([[0], [1 / 3], [2 / 3], [1]])),
        ("one_hot", np.eye(4)),
    ],
)
def test_linear_network_by_hand(segment_number, encoding):
    model = build(hidden=(), segment_number=segment_number, output="none")
    rng = np.random.default_rng(0)
    (kernel,) = (rng.normal(size=w.shape) for w in model.get_weights())
    model.set_weights([kernel])
    batch = images(SEGMENTS)
    inputs = np.concatenate([batch.reshape(SEGMENTS, -1), encoding], axis=1)
    # Sums of 94 float32 products of size 1.
    np.testing.assert_allclose(model([batch, NUMBERS]), inputs @ kernel, atol=5e-6)


def test_features_are_normalized_over_the_batch():
    model = build(output="batch_norm", dropout=0.0, norm="none")
    raw = keras.Model(model.inputs, model.get_layer("features").output)
    batch, numbers = images(64), np.tile(NUMBERS, 16)
    values = raw([batch, numbers]).numpy().astype(np.float64)
    # 1e-3 is Keras's epsilon.
    expected = (values - values.mean(axis=0)) / np.sqrt(values.var(axis=0) + 1e-3)
    found = model([batch, numbers], training=True)
    # Raw features of size 1 are divided by a spread of about 0.1.
    np.testing.assert_allclose(found, expected, atol=1e-5)


# dense: 6 * 5 * 3 = 90 inputs. conv: 3x3x3x8 and 3x3x8x4. Features have a bias only
# where a shift of all features makes a difference, on the unit sphere.
@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        (
            {"kind": "dense", "segment_number": "scalar", "norm": "none"},
            (91 * 8 + 8) + (8 * 4 + 4) + 4 * 3,
        ),
        (
            {"kind": "dense", "segment_number": "one_hot", "norm": "batch"},
            (94 * 8 + 4 * 8) + (8 * 4 + 4 * 4) + 4 * 3,
        ),
        (
            {"kind": "conv", "segment_number": "one_hot", "norm": "none"},
            (27 * 8 + 8) + (72 * 4 + 4) + 8 * 3,
        ),
        (
            {"kind": "conv", "segment_number": "off", "norm": "layer"},
            (27 * 8 + 2 * 8) + (72 * 4 + 2 * 4) + 4 * 3,
        ),
    ],
)
def test_parameters_counted_by_hand(changes, parameters):
    changes = {**changes, "hidden": (8, 4), "dropout": 0.0}
    assert build(output="none", **changes).count_params() == parameters
    on_sphere = build(output="l2", **changes)
    assert on_sphere.count_params() == parameters + FEATURES


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_dropout_in_training_only(kind):
    model = build(kind=kind, dropout=0.5, norm="none", output="none")
    inputs = [images(SEGMENTS), NUMBERS]
    np.testing.assert_array_equal(model(inputs), model(inputs))
    first, second = (model(inputs, training=True).numpy() for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_weights_depend_on_the_seed_alone(kind):
    first, again, other = (build(seed, kind=kind) for seed in (1, 1, 2))
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [
        [w.numpy() for w in model.weights if w.path.endswith("kernel")]
        for model in (first, other)
    ]
    for a, b in zip(*kernels, strict=True):
        assert (a != b).all()


@pytest.mark.parametrize(
    ("kind", "segment_number", "output"),
    [("dense", "scalar", "batch_norm"), ("conv", "one_hot", "l2")],
)
def test_saved_network_gives_the_same_features(tmp_path, kind, segment_number, output):
    model = build(kind=kind, segment_number=segment_number, output=output)
    model([images(8), np.tile(NUMBERS, 2)], training=True)
    model.save(tmp_path / "g.keras")
    restored = keras.models.load_model(tmp_path / "g.keras")
    inputs = [images(SEGMENTS), NUMBERS]
    np.testing.assert_array_equal(restored(inputs), model(inputs))
