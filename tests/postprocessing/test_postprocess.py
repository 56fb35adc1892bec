"""Postprocessing: the order of its steps, and which of them are taken."""

import sys

import numpy as np
import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.postprocessing import postprocess as module
from cirs_tf.postprocessing.postprocess import postprocess


@pytest.fixture
def example():
    """Three 8 x 9 images; segment 1 on the right, one pixel of 2 in each image."""
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3), dtype=np.uint8)
    truth = np.broadcast_to(np.arange(9) >= 4, (3, 8, 9)).astype(np.int64)
    truth[np.arange(3), 2, [1, 2, 7]] = 2
    return images, np.where(truth[..., None] == np.arange(3), 0.6, 0.2), truth


def test_labels_are_the_argmax_by_default(example):
    images, probabilities, truth = example
    labels = postprocess(images, probabilities)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, truth)


def test_small_regions_are_merged_in_each_image(example):
    images, probabilities, truth = example
    expected = np.broadcast_to(np.arange(9) >= 4, (3, 8, 9))
    labels = postprocess(images, probabilities, crf=False, min_region_size=2)
    np.testing.assert_array_equal(labels, expected)


def test_crf_is_first_and_sees_its_own_image(example, monkeypatch):
    images, probabilities, truth = example
    seen = []

    def turned(image, marginals):
        seen.append(image)
        return marginals[..., ::-1]  # Segment 0 becomes 2, and 2 becomes 0.

    monkeypatch.setattr(module, "dense_crf", turned)
    labels = postprocess(images, probabilities, crf=True, min_region_size=0)
    np.testing.assert_array_equal(labels, 2 - truth)
    np.testing.assert_array_equal(seen, images)
    labels = postprocess(images, probabilities, crf=True, min_region_size=2)
    np.testing.assert_array_equal(labels[0, 0], [2, 2, 2, 2, 1, 1, 1, 1, 1])
    assert 0 not in labels


def test_numbers_of_images_and_probabilities_must_be_equal(example):
    images, probabilities, _ = example
    with pytest.raises(ValueError, match="expected those of 2 images, got 3"):
        postprocess(images[:2], probabilities, crf=False, min_region_size=0)


def test_crf_without_its_extra_names_it(example, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydensecrf", None)
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    images, probabilities, _ = example
    with pytest.raises(ConfigError, match="cirs-tf"):
        postprocess(images, probabilities, crf=True, min_region_size=0)
