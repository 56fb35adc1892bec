"""Distances of class means, by hand and against the loss they stem from."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.losses.cirs import cirs_loss
from cirs_tf.metrics.class_means import class_mean_distance


def test_distance_by_hand():
    features = np.array([[0.0, 0], [2, 0], [5, 4], [9, 9]])
    # Means (1, 0) and (5, 4), common mean (3, 2): 4 + 4 on either side.
    assert class_mean_distance(features, np.array([0, 0, 3, -1])) == 16


def test_is_the_alpha_2_term_of_the_cirs_loss():
    """Where every class has as many examples as an image has segments."""
    features = np.random.default_rng(0).normal(size=(6, 4, 5)).astype(np.float32)
    terms = cirs_loss(
        tf.constant(features), 1.0, 1.0, lambda x: tf.reduce_mean(x, axis=0)
    )
    labels = np.tile(np.arange(4), 6)
    distance = class_mean_distance(features.reshape(-1, 5), labels)
    assert distance == pytest.approx(float(terms.between), rel=1e-5)


def test_one_class_has_no_distance():
    with pytest.raises(ValueError, match="two or more classes"):
        class_mean_distance(np.zeros((3, 2)), np.array([1, 1, -1]))
