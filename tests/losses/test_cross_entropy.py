import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from cirs_tf.losses.cross_entropy import label_cross_entropy, segmentation_cross_entropy


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
