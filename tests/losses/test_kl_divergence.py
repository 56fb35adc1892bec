"""The closed form against numerical integration and against samples."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.integrate import quad

from cirs_tf.losses.kl_divergence import standard_normal_kl


def integrated(mean: float, log_variance: float) -> float:
    """Integrate q log(q / p) over twelve standard deviations each way."""
    deviation = np.exp(log_variance / 2)
    q, p = stats.norm(mean, deviation), stats.norm()
    ends = (mean - 12 * deviation, mean + 12 * deviation)
    value, _ = quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), *ends)
    return value


@pytest.mark.parametrize("mean", [-2.0, 0.0, 0.3])
@pytest.mark.parametrize("log_variance", [-3.0, -1e-2, 0.0, 1.5])
def test_equals_the_integral(mean, log_variance):
    found = standard_normal_kl(tf.constant([[mean]]), tf.constant([[log_variance]]))
    np.testing.assert_allclose(found, [integrated(mean, log_variance)], atol=1e-6)


def test_sums_over_segments_and_units_of_each_example():
    rng = np.random.default_rng(0)
    mean, log_variance = rng.normal(size=(2, 3, 4, 5))
    expected = [
        sum(map(integrated, *(of[b].ravel() for of in (mean, log_variance))))
        for b in range(3)
    ]
    found = standard_normal_kl(tf.constant(mean), tf.constant(log_variance))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_close_to_the_prior_nothing_is_lost_to_rounding():
    """There it is (l^2 / 2 + mu^2) / 2; in float32 exp(l) - 1 - l would be 0."""
    small = tf.constant([[1e-4]])
    np.testing.assert_allclose(standard_normal_kl(small * 0, small), [2.5e-9], rtol=0.1)
    np.testing.assert_allclose(standard_normal_kl(small, small * 0), [5e-9], rtol=1e-6)
    assert standard_normal_kl(small * 0, small * 0) == 0
