"""Which post-processings are compared, and what each does."""

import numpy as np
import pytest

from cirs_tf.reproduce import postprocessing_scores
from cirs_tf.reproduce.postprocessing_scores import postprocessings


@pytest.fixture
def image():
    """Return an image, and probabilities with one odd pixel."""
    probabilities = np.full((1, 8, 8, 2), [0.9, 0.1])
    probabilities[0, 3, 3] = [0.1, 0.9]
    return np.zeros((1, 8, 8, 3), np.uint8), probabilities


def test_without_the_crf_there_are_two(image, monkeypatch):
    monkeypatch.setattr(postprocessing_scores, "is_crf_installed", lambda: False)
    steps = postprocessings(4)
    assert list(steps) == ["", "regions below 4 pixels merged"]
    assert steps[""] is None
    assert not steps["regions below 4 pixels merged"](*image).any()


def test_a_region_of_the_size_is_kept(image):
    (merging,) = [step for name, step in postprocessings(1).items() if name[:1] == "r"]
    assert merging(*image).sum() == 1


def test_with_the_crf_there_are_four(monkeypatch):
    monkeypatch.setattr(postprocessing_scores, "is_crf_installed", lambda: True)
    assert list(postprocessings(16)) == [
        "",
        "regions below 16 pixels merged",
        "dense CRF",
        "dense CRF, then regions below 16 pixels merged",
    ]
