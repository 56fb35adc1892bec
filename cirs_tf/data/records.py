"""One example of a data set as a `tf.train.Example`: how it is written and read.

The keys are those of the DeepLab convention. Images and masks are PNG, so every
pixel survives exactly. A record without a mask simply lacks the mask's key; so it is
with the class of the whole image, and with the segmentations of several annotators.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

IMAGE = "image/encoded"
HEIGHT = "image/height"
WIDTH = "image/width"
FILENAME = "image/filename"
MASK = "image/segmentation/class/encoded"
SEGMENTATIONS = "image/segmentation/annotator/encoded"
IMAGE_CLASS = "image/class/label"
IMAGE_CLASS_NAME = "image/class/text"
IGNORE_LABEL = 255


class ImageClass(NamedTuple):
    """The class of an image as a whole: its index among the manifest's, its name."""

    index: int
    name: str


def shard_name(split: str, index: int, count: int) -> str:
    """Return the file name of one shard: `train-00000-of-00008.tfrecord`."""
    return f"{split}-{index:05d}-of-{count:05d}.tfrecord"


def encode_example(
    image: np.ndarray,
    filename: str,
    mask: np.ndarray | None = None,
    image_class: ImageClass | None = None,
    segmentations: Iterable[np.ndarray] = (),
) -> bytes:
    """Serialize one image, and what is known about it.

    Args:
        image: `[height, width, 3]` uint8 in [0, 255].
        filename: A name for the image, unique in its split.
        mask: `[height, width]` uint8 class indices (255: ignore), or None.
        image_class: Class of the whole image, or None.
        segmentations: One `[height, width]` uint16 an annotator; equal numbers are one
            region, and mean nothing in another image or to another annotator.

    Returns:
        A serialized `tf.train.Example`.
    """
    height, width = image.shape[:2]
    feature = {
        IMAGE: _bytes(_png(image)),
        HEIGHT: _int64(height),
        WIDTH: _int64(width),
        FILENAME: _bytes(filename.encode()),
    }
    if mask is not None:
        feature[MASK] = _bytes(_png(mask))
    if image_class is not None:
        feature[IMAGE_CLASS] = _int64(image_class.index)
        feature[IMAGE_CLASS_NAME] = _bytes(image_class.name.encode())
    if encoded := [_png(one.astype(np.uint16)) for one in segmentations]:
        feature[SEGMENTATIONS] = _bytes(*encoded)
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def decode_example(
    serialized: tf.Tensor,
    height: int,
    width: int,
    with_mask: bool,
    num_classes: int = 256,
) -> dict[str, tf.Tensor]:
    """Parse one serialized example.

    Args:
        serialized: A scalar string.
        height: Expected height in pixels.
        width: Expected width in pixels.
        with_mask: Whether to read the mask, which must then be there.
        num_classes: Of the data set; a mask holds these and 255.

    Returns:
        `image` `[height, width, 3]` uint8, `filename` scalar string and, if asked,
        `mask` `[height, width]` uint8.

    Raises:
        tf.errors.InvalidArgumentError: A key is missing, the PNG is damaged or of
            another size, or the mask has labels of no class.
    """
    string = tf.io.FixedLenFeature([], tf.string)
    spec = {IMAGE: string, FILENAME: string}
    if with_mask:
        spec[MASK] = string
    parsed = tf.io.parse_single_example(serialized, spec)
    image = tf.io.decode_png(parsed[IMAGE], channels=3)
    decoded = {
        "image": tf.ensure_shape(image, [height, width, 3]),
        "filename": parsed[FILENAME],
    }
    if with_mask:
        mask = tf.io.decode_png(parsed[MASK], channels=1)
        mask = tf.ensure_shape(mask, [height, width, 1])[..., 0]
        counted = tf.where(mask == 255, -1, tf.cast(mask, tf.int32))
        message = f"the mask has labels of none of the {num_classes} classes"
        tf.debugging.assert_less(counted, num_classes, message)
        decoded["mask"] = mask
    return decoded


def decode_filename(serialized: tf.Tensor) -> tf.Tensor:
    """Parse the name of the image, a scalar string.

    Args:
        serialized: A scalar string.
    """
    spec = {FILENAME: tf.io.FixedLenFeature([], tf.string)}
    return tf.io.parse_single_example(serialized, spec)[FILENAME]


def decode_segmentations(serialized: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Parse the segmentations of one serialized example.

    Args:
        serialized: A scalar string.
        height: Expected height in pixels.
        width: Expected width in pixels.

    Returns:
        `[annotators, height, width]` uint16 region numbers. The number of annotators
        differs between images; 0 where the record holds none.

    Raises:
        tf.errors.InvalidArgumentError: A PNG is damaged or of another size.
    """
    strings = tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)
    parsed = tf.io.parse_single_example(serialized, {SEGMENTATIONS: strings})

    def decode(png: tf.Tensor) -> tf.Tensor:
        decoded = tf.io.decode_png(png, channels=1, dtype=tf.uint16)
        return tf.ensure_shape(decoded, [height, width, 1])[..., 0]

    one = tf.TensorSpec([height, width], tf.uint16)
    return tf.map_fn(decode, parsed[SEGMENTATIONS], fn_output_signature=one)


def decode_image_class(serialized: tf.Tensor) -> tf.Tensor:
    """Parse the class of the whole image: a scalar int64 index, -1 where it has none.

    Args:
        serialized: A scalar string.
    """
    spec = {IMAGE_CLASS: tf.io.FixedLenFeature([], tf.int64, default_value=-1)}
    return tf.io.parse_single_example(serialized, spec)[IMAGE_CLASS]


def _png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()


def _bytes(*values: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _int64(value: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
