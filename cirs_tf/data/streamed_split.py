"""A split that stays in its records: each is read and decoded when it is needed."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from cirs_tf.data.image_split import Batch, LoadedSplit, as_float, storage_sizes
from cirs_tf.data.record_reader import RecordReader
from cirs_tf.data.records import (
    decode_example,
    decode_filename,
    decode_image_class,
)
from cirs_tf.errors import DataError

_AHEAD = 4  # batches that are made before they are asked for
_ELSEWHERE = (  # errors that are never those of a record
    tf.errors.ResourceExhaustedError,
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)
_AT_ONCE = 64  # records in memory where a whole split is gone through


class RecordArray:
    """Images or masks that lie in records; what is indexed is read.

    Attributes:
        shape: Of all of them.
        dtype: uint8.

    Args:
        shape: `[examples, height, width, 3]`, of masks `[examples, height, width]`.
        read: Maps `[rows]` int64 to those examples.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, shape: tuple[int, ...], read: Callable[[np.ndarray], np.ndarray]
    ):
        self.shape = shape
        self._read = read

    def __len__(self) -> int:
        """Return the number of examples."""
        return self.shape[0]

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some examples, decoded.

        Args:
            rows: A number, a slice, or numbers; negative ones count from the end.
        """
        if isinstance(rows, tuple):
            raise TypeError("images in records are indexed by example alone")
        if isinstance(rows, slice):
            return self._read(np.arange(*rows.indices(len(self))))
        numbers = np.asarray(rows)
        if numbers.size and numbers.dtype.kind not in "iu":
            raise TypeError("images in records are indexed by numbers of examples")
        numbers = numbers.astype(np.int64)
        numbers = np.where(numbers < 0, numbers + len(self), numbers)
        if ((numbers < 0) | (numbers >= len(self))).any():
            raise IndexError(f"expected numbers of {len(self):,} examples, got {rows}")
        return self._read(numbers) if numbers.ndim else self._read(numbers[None])[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Return the examples one by one, in order."""
        for start in range(0, len(self), _AT_ONCE):
            yield from self[start : start + _AT_ONCE]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """Refuse to hold all at once.

        Raises:
            DataError: Always.
        """
        raise DataError(
            f"this needs all {len(self):,} images in memory, and they are streamed "
            "from records: set training.cache=memory, or use fewer images"
        )


@dataclasses.dataclass(frozen=True, eq=False)
class StreamedSplit:
    """A split in its records; see `ImageSplit`. Memory does not grow with its size.

    Attributes:
        reader: Of all records of the split, or more.
        count: Number of examples, the first ones of the reader.
        height: Of each image, in pixels.
        width: Likewise.
        num_classes: Of its masks.
        with_masks: Whether these are read; likewise `with_image_classes`.
        labels: `[count, height, width]` uint8 in place of the masks of the records,
            or None.
    """

    reader: RecordReader
    count: int
    height: int
    width: int
    num_classes: int
    with_masks: bool = False
    with_image_classes: bool = False
    labels: np.ndarray | None = None

    @property
    def decoded_bytes(self) -> int:
        """What images and masks would take in memory."""
        channels = 3 + (self.masks is not None)
        return self.count * self.height * self.width * channels

    @property
    def images(self) -> RecordArray:
        """`[examples, height, width, 3]` uint8, read when they are indexed."""
        return RecordArray((*self._size, 3), functools.partial(self._rows, "image"))

    @property
    def masks(self) -> np.ndarray | RecordArray | None:
        """`[examples, height, width]` uint8, read when they are indexed, or None."""
        if self.labels is not None or not self.with_masks:
            return self.labels
        return RecordArray(self._size, functools.partial(self._rows, "mask"))

    @functools.cached_property
    def filenames(self) -> tuple[str, ...]:
        """A name for each image; all records are read for it."""
        names = self._scanned(decode_filename)
        return tuple(name.decode() for name in names)

    @functools.cached_property
    def image_classes(self) -> np.ndarray | None:
        """`[examples]` int64 or None; all records are read for it."""
        if not self.with_image_classes:
            return None
        return np.array(list(self._scanned(decode_image_class)), np.int64)

    def without_masks(self) -> "StreamedSplit":
        """Return the same images, unlabeled."""
        return dataclasses.replace(self, with_masks=False, labels=None)

    def first(self, count: int, labels: np.ndarray | None = None) -> "StreamedSplit":
        """Return the first images, with other masks or none.

        Args:
            count: At most so many.
            labels: `[images, height, width]` uint8, or None: no masks.
        """
        count = min(count, self.count if labels is None else len(labels))
        labels = None if labels is None else labels[:count]
        return dataclasses.replace(self, count=count, with_masks=False, labels=labels)

    def batch(self, rows: slice) -> Batch:
        """Return some examples as a batch of the form that training uses."""
        batch = {"image": as_float(self.images[rows])}
        if (masks := self.masks) is not None:
            batch["mask"] = tf.constant(masks[rows])
        return batch

    def gathered(self, indices: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """Return the full batches of the examples that a dataset of numbers names.

        Records are read batch by batch and decoded by all CPUs.

        Args:
            indices: Scalar int64 numbers of examples.
            batch_size: Examples per batch.
        """
        examples = self._examples(indices, batch_size, self._decoded)
        if (labels := self.labels) is not None:  # in memory: by number alone

            def look_up(row: tf.Tensor) -> tf.Tensor:
                one = tf.numpy_function(
                    lambda row: labels[row], [row], labels.dtype, stateful=False
                )
                return tf.ensure_shape(one, labels.shape[1:])

            both = tf.data.Dataset.zip(examples, indices)
            examples = both.map(lambda batch, row: {**batch, "mask": look_up(row)})
        return examples.batch(batch_size, drop_remainder=True).prefetch(_AHEAD)

    def storage(self, budget_mb: int) -> str:
        """Return where the images are, for people.

        Args:
            budget_mb: Millions of bytes that would have fit in memory.
        """
        return f"streamed from records: {storage_sizes(self, budget_mb)}"

    @contextlib.contextmanager
    def damage_named(self) -> Iterator[None]:
        """Raise a DataError with file and record where TensorFlow fails at one."""
        try:
            yield
        except _ELSEWHERE:
            raise
        except tf.errors.OpError as error:
            explained = self.reader.explained(self._decoded)
            if explained is None:
                raise error
            raise explained from None

    def loaded(self) -> LoadedSplit:
        """Return the whole split in memory.

        Raises:
            DataError: A record is damaged, or cannot be decoded.
        """
        images = np.empty((*self._size, 3), np.uint8)
        masks = np.empty(self._size, np.uint8) if self.with_masks else None
        classes = np.empty(self.count, np.int64) if self.with_image_classes else None
        filenames: list[str] = []

        def decode(content: tf.Tensor) -> Batch:
            decoded = self._decoded(content)
            decoded["filename"] = decode_filename(content)
            if classes is not None:
                decoded["image_class"] = decode_image_class(content)
            return decoded

        every = tf.data.Dataset.range(self.count)
        with self.damage_named():
            for batch in self._examples(every, _AT_ONCE, decode).batch(_AT_ONCE):
                rows = slice(len(filenames), len(filenames) + len(batch["filename"]))
                images[rows] = batch["image"]
                if masks is not None:
                    masks[rows] = batch["mask"]
                if classes is not None:
                    classes[rows] = batch["image_class"]
                filenames += [name.decode() for name in batch["filename"].numpy()]
        masks = masks if self.labels is None else self.labels
        return LoadedSplit(images, masks, tuple(filenames), classes)

    @property
    def _size(self) -> tuple[int, int, int]:
        return self.count, self.height, self.width

    def _decoded(self, content: tf.Tensor, name: str = "mask") -> Batch:
        """Return `image` and, if asked for, `mask` of one record; or `image` alone."""
        size, with_mask = (self.height, self.width), self.with_masks and name == "mask"
        decoded = decode_example(content, *size, with_mask, self.num_classes)
        del decoded["filename"]
        return decoded

    def _examples(
        self, indices: tf.data.Dataset, at_once: int, decode: Callable
    ) -> tf.data.Dataset:
        """Return what `decode` makes of the records that are named, one by one."""

        def read(rows: tf.Tensor) -> tf.Tensor:
            content = tf.numpy_function(
                self.reader.read, [rows], tf.string, stateful=False
            )
            return tf.ensure_shape(content, [None])

        contents = indices.batch(at_once).map(read).unbatch()
        return contents.map(decode, tf.data.AUTOTUNE)

    def _scanned(self, parse: Callable[[tf.Tensor], tf.Tensor]) -> Iterator:
        """Yield what `parse` makes of each record, in order."""
        every = tf.data.Dataset.range(self.count)
        with self.damage_named():
            yield from self._examples(every, _AT_ONCE, parse).as_numpy_iterator()

    def _rows(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return `image` or `mask` of some examples."""
        with self.damage_named():
            return self._decoders[name](self.reader.read(rows)).numpy()

    @functools.cached_property
    def _decoders(self) -> dict[str, Callable[[np.ndarray], tf.Tensor]]:
        """By name, what decodes that part of many records."""

        def decoder(name: str, shape: tuple[int, ...]) -> Callable:
            spec = tf.TensorSpec(shape, tf.uint8)

            @tf.function(
                input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
            )
            def decode(contents: tf.Tensor) -> tf.Tensor:
                return tf.map_fn(
                    lambda content: self._decoded(content, name)[name],
                    contents,
                    fn_output_signature=spec,
                )

            return decode

        size = (self.height, self.width)
        decoders = {"image": decoder("image", (*size, 3))}
        if self.with_masks:
            decoders["mask"] = decoder("mask", size)
        return decoders
