"""Reads the files of a data set without our own reader."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.manifest import Manifest


def file_contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read_records(folder, split):
    """Return the serialized records of a split."""
    shards = Manifest.read(folder).split(split).shards
    paths = [str(folder / shard.file) for shard in shards]
    return [record.numpy() for record in tf.data.TFRecordDataset(paths)]


def features(record):
    """Return the values of a serialized record by key, lists where there are many."""
    example = tf.train.Example.FromString(record)
    values = {}
    for key, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        content = list(getattr(feature, kind).value)
        values[key] = content[0] if len(content) == 1 else content
    return values


def decode_png(png):
    return np.asarray(Image.open(io.BytesIO(png)))
