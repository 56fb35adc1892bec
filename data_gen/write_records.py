"""Writes the examples of a split as TFRecord shards."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from cirs_tf.data.manifest import Shard, describe_file
from cirs_tf.data.records import ImageClass, encode_example, shard_name
from data_gen.staging import writing


class Example(NamedTuple):
    """What one record holds; `cirs_tf.data.records.encode_example` explains each."""

    image: np.ndarray
    filename: str
    mask: np.ndarray | None = None
    image_class: ImageClass | None = None
    segmentations: Iterable[np.ndarray] = ()


def write_split(
    folder: Path,
    out: Path,
    split: str,
    examples: Iterator[Example],
    *,
    count: int,
    shards: int,
    on_written: Callable[[], object],
) -> tuple[Shard, ...]:
    """Write the shards of one split.

    Args:
        folder: Where to write them.
        out: Where they go in the end; errors name this folder.
        split: Name of the split.
        examples: No more than `count` are taken. Where there are fewer, the last shards
            are shorter, and an empty one is left out.
        count: Number of examples.
        shards: Files that they are divided among; not more than there are examples.
        on_written: Called after each example.

    Returns:
        The shards, for the manifest.

    Raises:
        DataError: A shard cannot be written.
    """
    files = min(shards, count)
    lengths = []
    for number in range(files):
        name = shard_name(split, number, files)
        start, stop = count * number // files, count * (number + 1) // files
        length = 0
        with writing(out / name), tf.io.TFRecordWriter(str(folder / name)) as writer:
            for example in itertools.islice(examples, stop - start):
                writer.write(encode_example(*example))
                length += 1
                on_written()
        lengths.append(length)
    full = sum(length > 0 for length in lengths)
    described = []
    for number, length in enumerate(lengths):
        written = folder / shard_name(split, number, files)
        if length == 0:
            written.unlink()
            continue
        shard = written.rename(folder / shard_name(split, number, full))
        described.append(describe_file(shard, length))
    return tuple(described)
