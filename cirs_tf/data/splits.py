"""Opens the splits of a data set: decoded in memory, or streamed from their records."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from cirs_tf.data.image_split import ImageSplit, LoadedSplit
from cirs_tf.data.manifest import Manifest, Split, verify_shards, verify_sizes
from cirs_tf.data.record_index import RecordIndex
from cirs_tf.data.record_reader import RecordReader
from cirs_tf.data.records import decode_segmentations
from cirs_tf.data.streamed_split import StreamedSplit
from cirs_tf.errors import DataError


def open_split(
    directory: str | Path,
    split: str,
    with_masks: bool,
    limit: int | None = None,
    with_image_classes: bool = False,
    *,
    cache: str = "auto",
    cache_mb: int = 0,
    verify: bool = False,
) -> ImageSplit:
    """Open one split: decoded into memory once, or streamed from its records.

    Args:
        directory: Folder of a data set.
        split: `train`, `val` or `test`.
        with_masks: Whether masks are read. Training never asks for them.
        limit: Read only the first so many examples.
        with_image_classes: Whether the classes of whole images are read.
        cache: `memory`; `records`; or `auto`, memory up to `cache_mb`.
        cache_mb: Millions of bytes of decoded images and masks.
        verify: Whether the hashes of all files are compared with the manifest, not
            their sizes alone.

    Returns:
        The split.

    Raises:
        DataError: The split is missing or empty, masks or classes are asked for where
            there are none, or a file or record is damaged (both are named).
    """
    manifest = Manifest.read(directory)
    entry = manifest.split(split)
    if with_masks and not entry.masks:
        how = "; draw it with --with-train-masks" if split == "train" else ""
        raise DataError(f"{directory}: split {split!r} has no masks{how}")
    if with_image_classes and not manifest.image_classes:
        raise DataError(
            f"{directory}: its images have no classes; import them from one folder a "
            "class"
        )
    reader, count = _reader(directory, split, entry, limit, verify)
    opened = StreamedSplit(
        reader,
        count,
        manifest.height,
        manifest.width,
        len(manifest.classes),
        with_masks,
        with_image_classes,
    )
    fits = opened.decoded_bytes <= 1e6 * cache_mb
    if cache == "memory" or (cache == "auto" and fits):
        return opened.loaded()
    return opened


def load_split(
    directory: str | Path,
    split: str,
    with_masks: bool,
    limit: int | None = None,
    with_image_classes: bool = False,
) -> LoadedSplit:
    """Decode one split into memory, whatever its size: `open_split` with `memory`.

    Args:
        directory: Folder of a data set.
        split: `train`, `val` or `test`.
        with_masks: Whether masks are read. Training never asks for them.
        limit: Read only the first so many examples.
        with_image_classes: Whether the classes of whole images are read.

    Returns:
        The decoded split.

    Raises:
        DataError: As `open_split`.
    """
    return open_split(
        directory, split, with_masks, limit, with_image_classes, cache="memory"
    )


class Segmentations(Sequence):
    """The segmentations of a split's annotators; what is indexed is read.

    Args:
        reader: Of the records.
        count: Number of examples.
        height: Of each image, in pixels.
        width: Likewise.
    """

    def __init__(self, reader: RecordReader, count: int, height: int, width: int):
        self._reader, self._count = reader, count
        self._size = height, width

    def __len__(self) -> int:
        """Return the number of examples."""
        return self._count

    def __getitem__(self, row: int) -> list[np.ndarray]:
        """Return one `[height, width]` uint16 an annotator, region numbers.

        Args:
            row: Number of an example.

        Raises:
            DataError: The record is damaged, or holds no segmentations.
        """
        row = range(self._count)[row]
        content = tf.constant(self._reader.read(np.array([row]))[0])
        try:
            return list(self._decoded(content).numpy())
        except (tf.errors.OpError, ValueError) as error:
            raise self._reader.explained(self._decoded) or error from None

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        """Return those of each example, in order."""
        return (self[row] for row in range(self._count))

    def _decoded(self, content: tf.Tensor) -> tf.Tensor:
        found = decode_segmentations(content, *self._size)
        tf.debugging.assert_positive(tf.shape(found)[0], "holds no segmentations")
        return found


def open_segmentations(
    directory: str | Path, split: str, limit: int | None = None
) -> Segmentations:
    """Open the segmentations of one split's annotators, to be read one by one.

    Args:
        directory: Folder of a data set.
        split: `train`, `val` or `test`.
        limit: Read only the first so many examples.

    Returns:
        For each example, in the order of the split, one `[height, width]` uint16 an
        annotator, region numbers; one annotator or more.

    Raises:
        DataError: The split is missing or empty, it has no segmentations, or a file is
            damaged (it is named).
    """
    manifest = Manifest.read(directory)
    entry = manifest.split(split)
    if not entry.segmentations:
        others = any(one.segmentations for one in manifest.splits.values())
        how = "; import it with --with-train-masks" if others else ""
        raise DataError(f"{directory}: split {split!r} has no segmentations{how}")
    reader, count = _reader(directory, split, entry, limit)
    return Segmentations(reader, count, manifest.height, manifest.width)


def _reader(
    directory: str | Path,
    split: str,
    entry: Split,
    limit: int | None,
    verify: bool = False,
) -> tuple[RecordReader, int]:
    """Verify and index a split; return also the number of examples to read."""
    (verify_shards if verify else verify_sizes)(directory, entry)
    count = min(limit or entry.examples, entry.examples)
    if count == 0:
        raise DataError(f"{directory}: split {split!r} is empty")
    return RecordReader(RecordIndex.of_split(directory, entry, count)), count
