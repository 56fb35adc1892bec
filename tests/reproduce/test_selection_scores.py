"""The rank correlation of signals; see test_reproduce_command.py for their choices."""

import pytest

from cirs_tf.reproduce.selection_scores import rank_correlation


def test_a_rank_correlation_needs_ranks():
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert rank_correlation([1, 2], [5, 5]) is None


def test_a_rank_correlation_is_of_the_order_alone():
    assert rank_correlation([1, 5, 6], [0.1, 0.2, 0.9]) == pytest.approx(1)
    assert rank_correlation([1, 5, 6], [3, 2, 1]) == pytest.approx(-1)
    # Ranks 1 2 3 and 2 1 3: 1 - 6 * (1 + 1 + 0) / (3 * 8).
    assert rank_correlation([1, 5, 6], [0.2, 0.1, 0.9]) == pytest.approx(0.5)
