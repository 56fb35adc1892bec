"""Heads of a segmenter: which one is shown, and what trains."""

import numpy as np
import tensorflow as tf

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.methods.heads import (
    segmenter_with_heads,
    terms_of_best_head,
    train_heads,
)

SMALL = SegmenterConfig(width=2, depth=1)


def test_a_single_head_is_the_segmenter_itself():
    network, segmenter = segmenter_with_heads(SMALL, 1, 3, seed=0)
    assert network is segmenter
    terms = {"loss": tf.constant(2.0)}
    assert train_heads(segmenter, [terms]) is terms
    assert terms_of_best_head(segmenter, [terms]) is terms


def test_the_lowest_loss_is_shown_and_the_sum_is_minimized():
    _, segmenter = segmenter_with_heads(SMALL, 3, 2, seed=0)
    x = tf.Variable([3.0, 1.0, 2.0])
    with tf.GradientTape() as tape:
        heads = [{"loss": x[k] ** 2, "error": 10 * x[k]} for k in range(3)]
        terms = train_heads(segmenter, heads)
    assert (float(terms["loss"]), float(terms["error"])) == (1.0, 10.0)
    np.testing.assert_array_equal(tape.gradient(terms["loss"], x), [6, 2, 4])
    # The choice stays when a later mini-batch is only measured.
    later = [{"loss": tf.constant(v)} for v in (0.0, 7.0, 1.0)]
    assert float(terms_of_best_head(segmenter, later)["loss"]) == 7.0


def test_terms_of_each_example_are_chosen_as_a_whole():
    _, segmenter = segmenter_with_heads(SMALL, 2, 2, seed=0)
    heads = [
        {"loss": tf.constant(2.0), "error": tf.constant([1.0, 3.0])},
        {"loss": tf.constant(1.0), "error": tf.constant([5.0, 7.0])},
    ]
    np.testing.assert_array_equal(train_heads(segmenter, heads)["error"], [5, 7])
