"""Tiles of a picture, joined without seams."""

import numpy as np
import pytest

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.errors import ConfigError
from cirs_tf.models.unet import unet
from cirs_tf.serving.segmenter import Segmenter

IMAGE = np.random.default_rng(0).integers(0, 256, (150, 203, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def segmenter():
    """Return one whose pixels depend on some 20 pixels around them."""
    config = SegmenterConfig(width=4, depth=2, logit_scale=None, norm="none")
    return Segmenter.from_keras(unet(config, 3, seed=0))


def test_tiles_are_those_of_the_whole_picture(segmenter):
    labels, shares = segmenter.predict(IMAGE, probabilities=True, native=True)
    assert len(np.unique(labels)) > 1
    tiled, tiled_shares = segmenter.predict(IMAGE, probabilities=True, tile=64)
    np.testing.assert_allclose(tiled_shares, shares, atol=1e-5)  # convolutions round
    np.testing.assert_array_equal(tiled, labels)
    np.testing.assert_array_equal(segmenter.predict(IMAGE, tile=64), labels)


def test_without_overlap_there_are_seams(segmenter):
    labels = segmenter.predict(IMAGE, native=True)
    tiled = segmenter.predict(IMAGE, tile=32, overlap=0)
    assert not np.array_equal(tiled, labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": 100}, "tile: expected a multiple of 32, at least 32, got 100"),
        ({"tile": 0}, "tile: expected a multiple of 32, at least 32, got 0"),
        (
            {"tile": 64, "overlap": -32},
            "overlap: expected a multiple of 32, at least 0, got -32",
        ),
    ],
)
def test_other_tiles_are_one_line(segmenter, options, message):
    with pytest.raises(ConfigError) as raised:
        segmenter.predict(IMAGE, **options)
    assert str(raised.value) == message
