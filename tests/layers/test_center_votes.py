"""Votes against a loop over places, clusterings and centers."""

import numpy as np
import tensorflow as tf

from cirs_tf.layers.center_votes import CenterVotes

RNG = np.random.default_rng(0)
CLUSTERINGS, CLUSTERS, SEGMENTS, LENGTH = 3, 5, 4, 6
CENTERS = RNG.normal(size=(CLUSTERINGS, CLUSTERS, LENGTH)).astype(np.float32)
SEGMENT_OF = RNG.integers(0, SEGMENTS, (CLUSTERINGS, CLUSTERS))
FEATURES = RNG.normal(size=(2, 3, 4, LENGTH)).astype(np.float32)


def assigned():
    layer = CenterVotes(CLUSTERINGS, CLUSTERS, SEGMENTS)
    layer.build(FEATURES.shape)
    layer.assign(CENTERS, SEGMENT_OF)
    return layer


def test_each_clustering_votes_for_the_segment_of_its_nearest_center():
    layer = assigned()
    votes, distances = layer(FEATURES).numpy(), layer.distances(FEATURES).numpy()
    for place in np.ndindex(FEATURES.shape[:3]):
        counts = np.zeros(SEGMENTS)
        for number in range(CLUSTERINGS):
            each = [np.sum((FEATURES[place] - c) ** 2) for c in CENTERS[number]]
            np.testing.assert_allclose(distances[place][number], each, rtol=1e-4)
            counts[SEGMENT_OF[number, int(np.argmin(each))]] += 1
        np.testing.assert_allclose(votes[place], counts / CLUSTERINGS, atol=1e-6)
    assert len(np.unique(votes)) > 2  # they do not all agree


def test_nothing_is_trained_and_no_gradient_comes_back():
    layer = assigned()
    assert layer.trainable_weights == []
    with tf.GradientTape() as tape:
        features = tf.constant(FEATURES)
        tape.watch(features)
        votes = layer(features)
    assert tape.gradient(votes, features) is None
