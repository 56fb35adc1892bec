"""Batch normalization without running statistics, against NumPy."""

import numpy as np
import pytest

from cirs_tf.layers.conv_block import normalization
from cirs_tf.layers.current_batch_norm import CurrentBatchNormalization

EPSILON = 1e-3  # Keras's default


@pytest.mark.parametrize("training", [False, True])
def test_statistics_are_those_of_the_batch_at_hand(training):
    (layer,) = normalization("current_batch")
    assert type(layer) is CurrentBatchNormalization
    assert layer.synchronized
    rng = np.random.default_rng(0)
    for scale in (1, 20):
        values = rng.normal(3, scale, (40, 5)).astype(np.float32)
        expected = (values - values.mean(0)) / np.sqrt(values.var(0) + EPSILON)
        found = layer(values, training=training)
        np.testing.assert_allclose(found, expected, atol=2e-5)
