import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.training.validation import SegmentationValidator as Validator


class Brightness:
    """Segment 1 where red is above one half; the loss is the mean of the batch."""

    needs_masks = False

    def __init__(self):
        self.networks = {"segmenter": self.segmenter}

    @staticmethod
    def segmenter(images, training):
        assert training is False
        red = images[..., :1]
        return tf.concat([1 - red, red], axis=-1)

    def validation_terms(self, batch):
        assert batch.keys() == {"image"}  # label-free selection rests on it
        return {"loss": tf.reduce_mean(batch["image"])}


def split(masks=True):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (10, 4, 4)).astype(np.uint8)
    images = np.zeros((10, 4, 4, 3), np.uint8)
    images[..., 0] = np.where(truth == 0, 255, 0)
    return LoadedSplit(images, truth if masks else None, ("",) * 10)


def test_scores_shares_and_loss():
    data = split()
    result = Validator(Brightness(), data, 2, 2, batch_size=4).run()
    assert result.scores.miou == 1
    assert result.scores.assignment == (1, 0)
    assert result.segment_share == pytest.approx(
        (data.masks.mean(), 1 - data.masks.mean())
    )
    # Two full batches; the last two images do not make one.
    expected = (data.images[:8] / 255).mean()
    assert result.terms["loss"] == pytest.approx(expected, rel=1e-6)


def test_without_masks_there_are_no_scores():
    result = Validator(Brightness(), split(masks=False), 2, 0, batch_size=4).run()
    assert result.scores is None
    assert sum(result.segment_share) == pytest.approx(1)


def test_a_split_smaller_than_a_batch_is_one_batch():
    data = split()
    result = Validator(Brightness(), data, 2, 2, batch_size=40).run()
    expected = (data.images / 255).mean()
    assert result.terms["loss"] == pytest.approx(expected, rel=1e-6)


def test_masks_of_void_alone_count_for_nothing():
    images = split().images
    void = LoadedSplit(images, np.full(images.shape[:3], 255, np.uint8), ("",) * 10)
    result = Validator(Brightness(), void, 2, 2, batch_size=4).run()
    assert result.scores is None
    assert sum(result.segment_share) == pytest.approx(1)
