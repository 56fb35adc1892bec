"""Images that are segmented some at a time: order, labels, and what is held."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.errors import ConfigError, ImageError
from cirs_tf.postprocessing.postprocess import postprocess
from cirs_tf.serving.segment_stream import StreamSettings, segment_stream
from cirs_tf.serving.segmenter import Segmenter


@pytest.fixture
def seen():
    return []


@pytest.fixture
def segmenter(seen):
    """Return one whose segments are the brightest channels; it notes its batches."""

    def probabilities(images):
        seen.append(images.shape[:3].as_list())
        return tf.nn.softmax(tf.cast(images, tf.float32) / 10)

    return Segmenter(probabilities, 3)


def noise(*size):
    return np.random.default_rng(sum(size)).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_images_of_one_size_go_through_the_network_at_once(segmenter, seen):
    sizes = [(8, 8), (6, 9), None, (8, 8), (8, 8), (8, 8)]
    items = [
        (number, ImageError("damaged") if size is None else noise(*size) ^ number)
        for number, size in enumerate(sizes)
    ]
    found = list(segment_stream(segmenter, items, StreamSettings(batch_size=5)))
    assert seen == [[3, 8, 8], [1, 6, 9], [1, 8, 8]]
    assert [result.key for result in found] == list(range(6))
    assert [str(result.error) for result in found if result.error] == ["damaged"]
    for result, (_, image) in zip(found, items, strict=True):
        if result.error is None:
            assert result.image is image and result.probabilities is None
            np.testing.assert_array_equal(result.labels, image.argmax(-1))


def test_no_more_than_a_megapixel_is_taken_at_once(segmenter, seen):
    taken = []

    def images():
        for number, side in enumerate((700, 700, 700, 1_100, 1_100)):
            taken.append(number)
            yield number, np.zeros((side, side, 3), np.uint8)

    results = segment_stream(segmenter, images(), StreamSettings())
    assert next(results).key == 0
    assert taken == [0, 1, 2]  # the third had no room beside the first two
    for key in (1, 2, 3):
        assert next(results).key == key
    assert taken == [0, 1, 2, 3]  # a large one is not held while the next is read
    assert [result.key for result in results] == [4]
    assert seen == [[2, 700, 700], [1, 700, 700], [1, 1_100, 1_100], [1, 1_100, 1_100]]


@pytest.mark.parametrize("crf", [False, True])
def test_postprocessing_is_that_of_evaluate(segmenter, crf, monkeypatch):
    # In the place of the extra `crf`: something that looks at image and probabilities.
    module = "cirs_tf.postprocessing.postprocess.dense_crf"
    monkeypatch.setattr(module, lambda image, shares: shares[::-1] * (image + 1.0))
    images = [noise(20, 30), noise(20, 30) ^ 1]
    settings = StreamSettings(crf=crf, min_region_size=9, probabilities=True)
    found = list(segment_stream(segmenter, enumerate(images), settings))
    shares = np.stack([result.probabilities for result in found])
    softmax = tf.nn.softmax(np.float32(images) / 10).numpy()
    np.testing.assert_allclose(shares, softmax, atol=1e-6)
    labels = [result.labels for result in found]
    np.testing.assert_array_equal(labels, postprocess(np.stack(images), shares, crf, 9))
    assert np.array_equal(labels, postprocess(np.stack(images), shares)) is False


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 0}, "--batch-size: expected at least 1, got 0"),
        ({"tile": 40}, "tile: expected a multiple of 32, at least 32, got 40"),
    ],
)
def test_settings_out_of_range(changed, message):
    with pytest.raises(ConfigError, match=message):
        StreamSettings(**changed)
