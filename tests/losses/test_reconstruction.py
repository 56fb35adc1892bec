import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.losses.reconstruction import (
    chosen_error,
    combined_error,
    per_segment_error,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 3, 4, 3)).astype(np.float32)
RECONSTRUCTIONS = RNG.random((2, 5, 3, 4, 3)).astype(np.float32)
MASKS = np.eye(5, dtype=np.float32)[RNG.integers(0, 5, (2, 3, 4))]  # (B, H, W, K)
MASKS = MASKS.transpose(0, 3, 1, 2)[..., None]


def by_hand(image, reconstructions, masks):
    """The formulas of both docstrings, pixel by pixel."""
    combined = each = 0.0
    for row in range(3):
        for column in range(4):
            for channel in range(3):
                x = float(image[row, column, channel])
                whole = 0.0
                for k in range(5):
                    m = float(masks[k, row, column, 0])
                    r = float(reconstructions[k, row, column, channel])
                    whole += m * r
                    each += m * (x - r) ** 2
                combined += (x - whole) ** 2
    return combined / 36, each / 36


@pytest.mark.parametrize("soft", [False, True])
def test_errors_equal_a_loop(soft):
    masks = MASKS * 0.5 + 0.1 if soft else MASKS
    arguments = (IMAGES, RECONSTRUCTIONS, masks)
    expected = np.array([by_hand(*one) for one in zip(*arguments, strict=True)])
    np.testing.assert_allclose(combined_error(*arguments), expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(per_segment_error(*arguments), expected[:, 1], rtol=1e-6)
    # The same value for one-hot masks, and only for these.
    assert np.allclose(expected[:, 0], expected[:, 1]) is not soft


def test_gradient_of_a_mask_is_the_error_of_its_own_segment():
    masks = tf.constant(MASKS)
    with tf.GradientTape() as tape:
        tape.watch(masks)
        loss = tf.reduce_sum(per_segment_error(IMAGES, RECONSTRUCTIONS, masks))
    own = ((IMAGES[:, None] - RECONSTRUCTIONS) ** 2).sum(-1, keepdims=True) / 36
    np.testing.assert_allclose(tape.gradient(loss, masks), own, atol=1e-6)


def test_chosen_error_is_that_of_each_segment_for_errors_a_pixel():
    rng = np.random.default_rng(3)
    images = rng.random((2, 4, 5, 3))
    rebuilt = rng.random((2, 3, 4, 5, 3))
    labels = rng.integers(0, 3, (2, 4, 5))
    masks = tf.one_hot(labels, 3, axis=1, dtype=tf.float64)[..., None]
    errors = np.square(images[:, None] - rebuilt).mean(axis=-1)
    found = chosen_error(masks, tf.constant(errors))
    np.testing.assert_allclose(found, per_segment_error(images, rebuilt, masks))
    by_hand = np.take_along_axis(errors, labels[:, None], axis=1).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found, by_hand)
