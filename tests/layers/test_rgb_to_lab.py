import numpy as np
import tensorflow as tf
from skimage.color import rgb2lab

from cirs_tf.layers.rgb_to_lab import rgb_to_lab


def test_is_that_of_scikit_image():
    colors = np.random.default_rng(0).random((4, 50, 60, 3)) ** 3  # dark ones too
    colors[0, 0, :8] = np.array(
        [[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    )
    found = rgb_to_lab(tf.constant(colors, tf.float32))
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, rgb2lab(colors), atol=2e-3)


def test_has_a_finite_slope_at_black():
    black = tf.Variable(tf.zeros([1, 3]))
    with tf.GradientTape() as tape:
        lightness = tf.reduce_sum(rgb_to_lab(black)[:, 0])
    assert np.isfinite(tape.gradient(lightness, black)).all()
