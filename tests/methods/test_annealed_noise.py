"""Gumbel noise that fades, and another draw at every step."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.methods.annealed_noise import NoiseSection, add_gumbel_noise

LOGITS = tf.zeros([20_000])


def noise(options, *updates):
    counts = [tf.constant(count, tf.int64) for count in updates]
    return add_gumbel_noise(LOGITS, options, counts, seed=3).numpy()


def test_it_falls_to_nothing_with_the_updates_of_s():
    options = NoiseSection(gumbel_scale=2, gumbel_steps=10)
    drawn = [noise(options, update, 100) for update in (0, 5, 10, 20)]
    # Standard deviation of the Gumbel distribution: pi / sqrt(6).
    deviations = [values.std() / (np.pi / 6**0.5) for values in drawn]
    np.testing.assert_allclose(deviations, [2, 1, 0, 0], atol=0.05)
    constant = NoiseSection(gumbel_scale=2)
    assert noise(constant, 1000, 100).std() > 2


@pytest.mark.parametrize("other", [(1, 0), (0, 1)])
def test_every_update_of_any_phase_draws_anew(other):
    options = NoiseSection(gumbel_scale=1)
    first, second = noise(options, 0, 0), noise(options, *other)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    np.testing.assert_array_equal(noise(options, *other), second)


def test_without_a_scale_logits_are_left_alone():
    assert add_gumbel_noise(LOGITS, NoiseSection(), [], seed=0) is LOGITS
