import numpy as np
import pytest

from cirs_tf.config import AirConfig
from cirs_tf.models.segment_autoencoders import segment_autoencoders

PLAIN = AirConfig(hidden=(12,), bottleneck=6, norm="none", dropout=0.0)


def test_parameters_by_hand():
    model = segment_autoencoders(PLAIN, 2, 4, segments=3, seed=0)
    # For each of 3 segments: 24 -> 4 -> 2 -> 4 -> 24, with biases.
    each = (24 * 4 + 4) + (4 * 2 + 2) + (2 * 4 + 4) + (4 * 24 + 24)
    assert model.count_params() == 3 * each


@pytest.mark.parametrize("segments", [2, 4, 8])
def test_parameters_stay_about_constant_with_k(segments):
    """Thesis 10: K and the widths are traded for each other."""
    config = AirConfig(hidden=(64,), bottleneck=32)
    model = segment_autoencoders(config, 16, 16, segments, seed=0)
    reference = segment_autoencoders(config, 16, 16, 1, seed=0)
    # The output biases, one an image value and segment, are what grows.
    grown = 16 * 16 * 3 * (segments - 1)
    shrunk = 2 * 64 * 32 * (1 - 1 / segments)
    difference = model.count_params() - reference.count_params()
    assert difference == pytest.approx(grown - shrunk, abs=0.5)


def test_segments_do_not_see_each_other():
    model = segment_autoencoders(AirConfig(), 4, 4, segments=3, seed=0)
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
