"""Records: what is encoded is decoded, by us and by Pillow."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cirs_tf.data.records import decode_example, encode_example, shard_name


@st.composite
def examples(draw):
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    image = draw(arrays(np.uint8, (height, width, 3)))
    mask = draw(st.none() | arrays(np.uint8, (height, width)))
    return image, draw(st.text(max_size=8)), mask


def features(serialized: bytes) -> dict:
    """Return the raw features by the protocol buffer, without our reader."""
    feature = tf.train.Example.FromString(serialized).features.feature
    raw = {}
    for key, value in feature.items():
        (raw[key],) = value.bytes_list.value or value.int64_list.value
    return raw


@settings(max_examples=50)
@given(examples())
def test_decoding_undoes_encoding(example):
    image, filename, mask = example
    serialized = encode_example(image, filename, mask)
    decoded = decode_example(serialized, *image.shape[:2], mask is not None)
    np.testing.assert_array_equal(decoded["image"], image)
    assert decoded["filename"].numpy().decode() == filename
    assert decoded["image"].dtype == tf.uint8
    if mask is None:
        assert "mask" not in decoded
    else:
        np.testing.assert_array_equal(decoded["mask"], mask)
        assert decoded["mask"].dtype == tf.uint8


@settings(max_examples=25)
@given(examples())
def test_record_has_the_keys_of_deeplab_and_plain_png(example):
    image, filename, mask = example
    raw = features(encode_example(image, filename, mask))
    assert (raw["image/height"], raw["image/width"]) == image.shape[:2]
    assert raw["image/filename"].decode() == filename
    with Image.open(io.BytesIO(raw["image/encoded"])) as png:
        assert (png.format, png.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(png), image)
    if mask is not None:
        with Image.open(io.BytesIO(raw["image/segmentation/class/encoded"])) as png:
            assert (png.format, png.mode) == ("PNG", "L")
            np.testing.assert_array_equal(np.asarray(png), mask)


def test_record_without_mask_lacks_the_key():
    raw = features(encode_example(np.zeros((2, 3, 3), np.uint8), "a"))
    assert set(raw) == {
        "image/encoded",
        "image/height",
        "image/width",
        "image/filename",
    }


def test_mask_is_read_only_when_asked_for():
    image, mask = np.zeros((2, 3, 3), np.uint8), np.ones((2, 3), np.uint8)
    decoded = decode_example(encode_example(image, "a", mask), 2, 3, with_mask=False)
    assert set(decoded) == {"image", "filename"}


def test_same_arguments_same_bytes():
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    one, other = (encode_example(image, "a", image[..., 0]) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("height", "width", "with_mask", "reason"),
    [
        (3, 3, False, "is not compatible with expected shape"),
        (2, 4, False, "is not compatible with expected shape"),
        (2, 3, True, "Feature: image/segmentation"),
    ],
)
def test_another_size_or_a_missing_mask_is_an_error(height, width, with_mask, reason):
    serialized = encode_example(np.zeros((2, 3, 3), np.uint8), "a")
    with pytest.raises(tf.errors.InvalidArgumentError, match=reason):
        decode_example(serialized, height, width, with_mask)


def test_mask_of_another_size_and_damaged_png_are_errors():
    image = np.zeros((2, 3, 3), np.uint8)
    serialized = encode_example(image, "a", np.zeros((3, 2), np.uint8))
    wrong_size = "is not compatible with expected shape"
    with pytest.raises(tf.errors.InvalidArgumentError, match=wrong_size):
        decode_example(serialized, 2, 3, with_mask=True)
    damaged = serialized.replace(b"IHDR", b"IDHR")
    with pytest.raises(tf.errors.InvalidArgumentError, match="PNG"):
        decode_example(damaged, 2, 3, with_mask=False)


def test_shard_names():
    assert shard_name("train", 0, 8) == "train-00000-of-00008.tfrecord"
    assert shard_name("val", 12345, 99999) == "val-12345-of-99999.tfrecord"
