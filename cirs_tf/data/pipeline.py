"""From records to batches: decoded once, shuffled by seed, resumable at any step."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from cirs_tf.data.manifest import Manifest, Split, verify_shards
from cirs_tf.data.records import (
    decode_example,
    decode_image_class,
    decode_segmentations,
)
from cirs_tf.errors import DataError

Batch = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class LoadedSplit:
    """A decoded split, in the order of its records.

    Attributes:
        images: `[examples, height, width, 3]` uint8.
        masks: `[examples, height, width]` uint8 class indices, or None.
        filenames: A name for each image.
        image_classes: `[examples]` int64, the class of each image as a whole, or None.
    """

    images: np.ndarray
    masks: np.ndarray | None
    filenames: tuple[str, ...]
    image_classes: np.ndarray | None = None

    def without_masks(self) -> "LoadedSplit":
        """Return the same images, unlabeled."""
        return dataclasses.replace(self, masks=None)

    def batch(self, rows: slice) -> Batch:
        """Return some examples as a batch of the form that training uses."""
        batch = {"image": as_float(self.images[rows])}
        if self.masks is not None:
            batch["mask"] = tf.constant(self.masks[rows])
        return batch


def load_split(
    directory: str | Path,
    split: str,
    with_masks: bool,
    limit: int | None = None,
    with_image_classes: bool = False,
) -> LoadedSplit:
    """Verify and decode one split into memory.

    Args:
        directory: Folder of a data set.
        split: `train`, `val` or `test`.
        with_masks: Whether masks are read. Training never asks for them.
        limit: Read only the first so many examples.
        with_image_classes: Whether the classes of whole images are read.

    Returns:
        The decoded split.

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
    files, examples = _verified(directory, split, entry, limit)

    def decode(serialized: tf.Tensor) -> Batch:
        decoded = decode_example(
            serialized, manifest.height, manifest.width, with_masks
        )
        if with_image_classes:
            decoded["image_class"] = decode_image_class(serialized)
        return decoded

    records = tf.data.TFRecordDataset(files).take(examples)
    size = (examples, manifest.height, manifest.width)
    images = np.empty((*size, 3), np.uint8)
    masks = np.empty(size, np.uint8) if with_masks else None
    image_classes = np.empty(examples, np.int64) if with_image_classes else None
    filenames: list[str] = []
    try:
        for batch in records.map(decode, tf.data.AUTOTUNE).batch(256):
            rows = slice(len(filenames), len(filenames) + len(batch["filename"]))
            images[rows] = batch["image"]
            if masks is not None:
                masks[rows] = batch["mask"]
            if image_classes is not None:
                image_classes[rows] = batch["image_class"]
            filenames += [name.decode() for name in batch["filename"].numpy()]
    except tf.errors.InvalidArgumentError as error:
        raise DataError(_first_undecodable(files, decode) or str(error)) from None
    if len(filenames) < examples:
        raise _too_few(directory, split, entry, len(filenames))
    return LoadedSplit(images, masks, tuple(filenames), image_classes)


def load_segmentations(
    directory: str | Path, split: str, limit: int | None = None
) -> list[list[np.ndarray]]:
    """Verify one split and decode the segmentations of its annotators.

    Args:
        directory: Folder of a data set.
        split: `train`, `val` or `test`.
        limit: Read only the first so many examples.

    Returns:
        For each example, in the order of `load_split`, one `[height, width]` uint16 an
        annotator, region numbers; one annotator or more.

    Raises:
        DataError: The split is missing or empty, it has no segmentations, or a file or
            record is damaged (both are named).
    """
    manifest = Manifest.read(directory)
    entry = manifest.split(split)
    if not entry.segmentations:
        others = any(one.segmentations for one in manifest.splits.values())
        how = "; import it with --with-train-masks" if others else ""
        raise DataError(f"{directory}: split {split!r} has no segmentations{how}")
    files, examples = _verified(directory, split, entry, limit)

    def decode(serialized: tf.Tensor) -> tf.Tensor:
        found = decode_segmentations(serialized, manifest.height, manifest.width)
        tf.debugging.assert_positive(tf.shape(found)[0], "holds no segmentations")
        return found

    records = tf.data.TFRecordDataset(files).take(examples)
    decoded = records.map(decode, tf.data.AUTOTUNE)
    try:
        found = [list(annotators) for annotators in decoded.as_numpy_iterator()]
    except tf.errors.InvalidArgumentError as error:
        raise DataError(_first_undecodable(files, decode) or str(error)) from None
    if len(found) < examples:
        raise _too_few(directory, split, entry, len(found))
    return found


def training_dataset(
    split: LoadedSplit, seed: int, batch_size: int, first_step: int = 0
) -> tf.data.Dataset:
    """Return endless batches, from any step on the same as if read from the start.

    Every image occurs once an epoch; the order of epoch e depends on (seed, e) alone.
    Batches have a fixed size and run on over the end of an epoch.

    Args:
        split: What to train on; its masks, where they were loaded, come along.
        seed: Shuffle seed.
        batch_size: Images per batch.
        first_step: Number of batches to leave out at the start.

    Returns:
        A dataset of `image` `[batch_size, height, width, 3]` float32 in [0, 1] and, if
        loaded, `mask` `[batch_size, height, width]` uint8.
    """
    count = len(split.images)
    first = first_step * batch_size

    def order(epoch: tf.Tensor) -> tf.data.Dataset:
        shuffled = tf.random.experimental.stateless_shuffle(
            tf.range(count), seed=tf.stack([tf.constant(seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(shuffled)

    indices = (
        tf.data.Dataset.range(first // count, tf.int64.max)
        .flat_map(order)
        .skip(first % count)
    )
    return _gathered(split, indices, batch_size)


def sampled_dataset(
    split: LoadedSplit, count: int, seed: int, batch_size: int, first_step: int = 0
) -> tf.data.Dataset:
    """Return batches of images drawn with replacement, resumable at any step.

    Args:
        split: What to draw from; its masks come along.
        count: How many images are drawn in all.
        seed: Seed of the draws.
        batch_size: Images per batch.
        first_step: Number of batches to leave out at the start.

    Returns:
        As `training_dataset`, but finite.
    """
    rows = np.random.default_rng(seed).integers(0, len(split.images), count)
    indices = tf.data.Dataset.from_tensor_slices(rows).skip(first_step * batch_size)
    return _gathered(split, indices, batch_size)


def _gathered(
    split: LoadedSplit, indices: tf.data.Dataset, batch_size: int
) -> tf.data.Dataset:
    """Return the batches of a split that a dataset of row numbers names."""
    images = tf.constant(split.images)
    masks = None if split.masks is None else tf.constant(split.masks)

    def gather(rows: tf.Tensor) -> Batch:
        batch = {"image": as_float(tf.gather(images, rows))}
        if masks is not None:
            batch["mask"] = tf.gather(masks, rows)
        return batch

    return (
        indices.batch(batch_size, drop_remainder=True)
        .map(gather, tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def as_float(images: tf.Tensor) -> tf.Tensor:
    """Map uint8 in [0, 255] to float32 in [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0


def _verified(
    directory: str | Path, split: str, entry: Split, limit: int | None
) -> tuple[list[str], int]:
    """Verify a split; return its files and the number of examples to read."""
    verify_shards(directory, entry)
    examples = min(limit or entry.examples, entry.examples)
    if examples == 0:
        raise DataError(f"{directory}: split {split!r} is empty")
    return [str(Path(directory) / shard.file) for shard in entry.shards], examples


def _too_few(directory: str | Path, split: str, entry: Split, found: int) -> DataError:
    return DataError(
        f"{directory}: the manifest counts {entry.examples} records in split "
        f"{split!r}, its files hold {found}"
    )


def _first_undecodable(files: list[str], decode) -> str | None:
    """Name the first file and record that cannot be decoded, and why."""
    for file in files:
        for number, serialized in enumerate(tf.data.TFRecordDataset(file)):
            try:
                decode(serialized)
            except (tf.errors.InvalidArgumentError, ValueError) as error:
                # TensorFlow names place and operation first, at length.
                prefix = re.compile(r"^(in user code:.*?)?\{\{.*?\}\}", re.DOTALL)
                reason = prefix.sub("", str(error))
                reason = " ".join(reason.split())[:200]
                return f"{file}: record {number} (counted from 0): {reason}"
    return None
