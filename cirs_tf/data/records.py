"""One example of a data set as a `tf.train.Example`: how it is written and read.

The keys are those of the DeepLab convention. Images and masks are PNG, so every
pixel survives exactly. A record without a mask simply lacks the mask's key.
"""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

IMAGE = "image/encoded"
HEIGHT = "image/height"
WIDTH = "image/width"
FILENAME = "image/filename"
MASK = "image/segmentation/class/encoded"
IGNORE_LABEL = 255


def shard_name(split: str, index: int, count: int) -> str:
    """Return the file name of one shard: `train-00000-of-00008.tfrecord`."""
    return f"{split}-{index:05d}-of-{count:05d}.tfrecord"


def encode_example(
    image: np.ndarray, filename: str, mask: np.ndarray | None = None
) -> bytes:
    """Serialize one image, and its mask where there is one.

    Args:
        image: `[height, width, 3]` uint8 in [0, 255].
        filename: A name for the image, unique in its split.
        mask: `[height, width]` uint8 class indices (255: ignore), or None.

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
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def decode_example(
    serialized: tf.Tensor, height: int, width: int, with_mask: bool
) -> dict[str, tf.Tensor]:
    """Parse one serialized example.

    Args:
        serialized: A scalar string.
        height: Expected height in pixels.
        width: Expected width in pixels.
        with_mask: Whether to read the mask, which must then be there.

    Returns:
        `image` `[height, width, 3]` uint8, `filename` scalar string and, if asked,
        `mask` `[height, width]` uint8.

    Raises:
        tf.errors.InvalidArgumentError: A key is missing, the PNG is damaged or of
            another size.
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
        decoded["mask"] = tf.ensure_shape(mask, [height, width, 1])[..., 0]
    return decoded


def _png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _int64(value: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
