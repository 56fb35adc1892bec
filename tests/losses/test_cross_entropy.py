import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from cirs_tf.losses.cross_entropy import (
    balanced_cross_entropy,
    label_cross_entropy,
    segmentation_cross_entropy,
)


def test_equals_scikit_learn_on_the_counted_pixels():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 4, 5, 6)).astype(np.float32)
    masks = rng.integers(0, 6, (3, 4, 5)).astype(np.uint8)
    masks[rng.random(masks.shape) < 0.3] = 255
    masks[2] = 255
    found = segmentation_cross_entropy(logits, masks).numpy()
    for one, mask, value in zip(logits[:2], masks[:2], found[:2], strict=True):
        counted = mask != 255
        exponent = np.exp(one[counted].astype(np.float64))
        softmax = exponent / exponent.sum(-1, keepdims=True)
        expected = log_loss(mask[counted], softmax, labels=range(6))
        np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert found[2] == 0


def test_label_cross_entropy_against_scikit_learn():
    rng = np.random.default_rng(4)
    probabilities = rng.dirichlet(np.ones(4), (2, 3, 5))
    labels = rng.integers(0, 4, (2, 3, 5))
    found = label_cross_entropy(tf.constant(probabilities), tf.constant(labels))
    for image, truth, value in zip(probabilities, labels, found.numpy(), strict=True):
        expected = log_loss(truth.ravel(), image.reshape(-1, 4), labels=range(4))
        assert value == pytest.approx(expected, rel=1e-3)


def test_balanced_cross_entropy_against_scikit_learn():
    """Pixels weigh as their class does; 255 weighs nothing."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(3, 4, 5, 3))
    masks = rng.integers(0, 3, (3, 4, 5)).astype(np.uint8)
    masks[rng.random(masks.shape) < 0.3] = 255
    weights = np.array([0.5, 1.0, 7.0])
    found = balanced_cross_entropy(
        tf.constant(logits), masks, tf.constant(weights), tf.reduce_sum
    )
    counted = masks != 255
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    labels = masks[counted]
    expected = log_loss(labels, softmax[counted], sample_weight=weights[labels])
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_balanced_cross_entropy_of_nothing_is_zero():
    nothing = np.full((2, 3, 3), 255, np.uint8)
    logits = tf.ones((2, 3, 3, 4))
    found = balanced_cross_entropy(logits, nothing, tf.ones(4), tf.reduce_sum)
    assert float(found) == 0
