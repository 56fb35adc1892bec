"""Writes the examples of a split as TFRecord shards."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from cirs_tf.data.manifest import Shard, Split, describe_file
from cirs_tf.data.records import ImageClass, encode_example, shard_name
from data_gen.ordered_pool import map_in_order
from data_gen.staging import report_write_errors

_ENCODERS = 2  # threads that compress images while others are drawn or read


class Example(NamedTuple):
    """The contents of one record.

    Attributes:
        image: `[height, width, 3]` uint8.
        filename: A name for the image, unique in its split.
        mask: `[height, width]` uint8 class indices (255: ignore), or None.
        image_class: Class of the whole image, or None.
        segmentations: One `[height, width]` uint16 per annotator; equal numbers are one
            region.
    """

    image: np.ndarray
    filename: str
    mask: np.ndarray | None = None
    image_class: ImageClass | None = None
    segmentations: Iterable[np.ndarray] = ()


class RecordFile(NamedTuple):
    """One file of a data set that is still to be written.

    Attributes:
        split: `train`, `val` or `test`.
        index: Number of the file within its split.
        files: Number of files of the split.
        start: Index of the first example in it.
        stop: One past the index of the last example.
    """

    split: str
    index: int
    files: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The file's name, `train-00000-of-00008.tfrecord`."""
        return shard_name(self.split, self.index, self.files)

    @property
    def examples(self) -> int:
        """Number of examples in it."""
        return self.stop - self.start


def split_of(file_name: str) -> str:
    """Return the split that a file named like a shard belongs to."""
    return file_name.split("-")[0]


def plan_files(split: str, count: int, num_shards: int) -> list[RecordFile]:
    """Return the files of one split, which differ by at most one example.

    Args:
        split: `train`, `val` or `test`.
        count: Number of examples.
        num_shards: Number of files. A split with fewer examples has one per example.
    """
    files = min(num_shards, count)
    bounds = [count * index // files for index in range(files + 1)]
    return [
        RecordFile(split, index, files, start, stop)
        for index, (start, stop) in enumerate(itertools.pairwise(bounds))
    ]


class SplitWriter:
    """Writes the splits of one data set.

    Args:
        folder: Where to write the shards.
        out: Where they go in the end; errors name this folder.
        num_shards: Files per split, for `write`. A split with fewer examples has one
            file per example.
        on_written: Called after each example.
    """

    def __init__(
        self,
        folder: Path,
        out: Path,
        num_shards: int = 1,
        on_written: Callable[[], object] = lambda: None,
    ):
        self._folder = folder
        self._out = out
        self._num_shards = num_shards
        self._on_written = on_written

    def write(
        self,
        split: str,
        examples: Iterator[Example],
        count: int,
        *,
        masks: bool = False,
        segmentations: bool = False,
    ) -> Split:
        """Write the shards of one split.

        Args:
            split: `train`, `val` or `test`.
            examples: No more than `count` are taken. Where there are fewer, the last
                shards are shorter, and an empty one is left out.
            count: Number of examples.
            masks: Whether every example has a mask.
            segmentations: Whether every example has segmentations.

        Returns:
            The split, for the manifest.

        Raises:
            DataError: A shard cannot be written.
        """
        files = plan_files(split, count, self._num_shards)
        names = [file.name for file in files]
        lengths = [
            self._write_records(file.name, itertools.islice(examples, file.examples))
            for file in files
        ]
        return Split(self._describe(split, names, lengths), masks, segmentations)

    def write_file(self, file: RecordFile, examples: Iterator[Example]) -> Shard:
        """Write one file of a split.

        Args:
            file: Which.
            examples: No more are taken than the file has.

        Returns:
            The file, for the manifest.

        Raises:
            DataError: It cannot be written.
        """
        examples = itertools.islice(examples, file.examples)
        length = self._write_records(file.name, examples)
        return describe_file(self._folder / file.name, length)

    def _write_records(self, name: str, examples: Iterable[Example]) -> int:
        """Write one file; return the number of its examples."""
        length = 0
        with (
            report_write_errors(self._out / name),
            tf.io.TFRecordWriter(str(self._folder / name)) as writer,
            closing(map_in_order(_encode, examples, _ENCODERS)) as records,
        ):
            for record in records:
                writer.write(record)
                length += 1
                self._on_written()
        return length

    def _describe(
        self, split: str, names: list[str], lengths: list[int]
    ) -> tuple[Shard, ...]:
        """Remove empty files, number the others anew and describe them."""
        files = sum(length > 0 for length in lengths)
        shards = []
        for name, length in zip(names, lengths, strict=True):
            file = self._folder / name
            if length == 0:
                file.unlink()
                continue
            final = file.rename(self._folder / shard_name(split, len(shards), files))
            shards.append(describe_file(final, length))
        return tuple(shards)


def _encode(example: Example) -> bytes:
    return encode_example(*example)
