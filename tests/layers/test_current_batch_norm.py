"""Batch normalization without running statistics, against NumPy."""

import numpy as np
import pytest

from cirs_tf.layers.conv_block import normalization
from cirs_tf.layers.current_batch_norm import CurrentBatchNormalization

EPSILON = 1e-3  # Keras's default


@pytest.mark.parametrize("shape", [(40, 5), (6, 3, 4, 5)])
def test_statistics_are_those_of_the_batch_at_hand(shape):
    (layer,) = normalization("current_batch")
    assert type(layer) is CurrentBatchNormalization
    rng = np.random.default_rng(0)
    layer.build(shape)
    gamma, beta = rng.normal(size=(2, 5)).astype(np.float32)
    layer.set_weights([gamma, beta])
    axes = tuple(range(len(shape) - 1))
    for scale in (1, 20):
        values = rng.normal(3, scale, shape).astype(np.float32)
        spread = np.sqrt(values.var(axes) + EPSILON)
        expected = gamma * (values - values.mean(axes)) / spread + beta
        for training in (False, True):
            found = layer(values, training=training)
            np.testing.assert_allclose(found, expected, atol=2e-5)
    # Nothing else is kept: inference changes no state.
    assert len(layer.weights) == 2
