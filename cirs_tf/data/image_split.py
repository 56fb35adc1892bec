"""The images of a split, wherever they lie; and those that are held in memory."""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import tensorflow as tf

Batch = dict[str, tf.Tensor]


class ImageArray(Protocol):
    """What can be done with the images or masks of any split.

    Attributes:
        shape: `[examples, height, width, 3]`, of masks `[examples, height, width]`.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all of them."""
        ...

    def __len__(self) -> int:
        """Return the number of examples."""
        ...

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Return some of them in memory, uint8, by number, slice or array of numbers.

        An array in memory can be indexed in other ways too, one in records cannot.
        """
        ...

    def __iter__(self) -> Iterator[np.ndarray]:
        """Return them one by one."""
        ...


class ImageSplit(Protocol):
    """The images of a split, in the order of its records.

    `LoadedSplit` holds them decoded, `StreamedSplit` reads them when they are needed;
    batches are the same, bit for bit.

    Attributes:
        images: `[examples, height, width, 3]` uint8.
        masks: `[examples, height, width]` uint8 class indices, or None.
        filenames: A name for each image.
        image_classes: `[examples]` int64, the class of each image as a whole, or None.
        decoded_bytes: What images and masks take, or would take, in memory.
    """

    images: ImageArray
    masks: ImageArray | None
    filenames: tuple[str, ...]
    image_classes: np.ndarray | None
    decoded_bytes: int

    def without_masks(self) -> "ImageSplit":
        """Return the same images, unlabeled."""
        ...

    def first(self, count: int, labels: np.ndarray | None = None) -> "ImageSplit":
        """Return the first images.

        Args:
            count: At most so many.
            labels: `[images, height, width]` uint8 in place of the masks: not more
                images than these are returned. None: no masks.
        """
        ...

    def batch(self, rows: slice) -> Batch:
        """Return some examples as a batch of the form that training uses."""
        ...

    def gathered(self, indices: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """Return the full batches of the examples that a dataset of numbers names.

        Args:
            indices: Scalar int64 numbers of examples.
            batch_size: Examples per batch.

        Returns:
            A dataset of `image` `[batch_size, height, width, 3]` uint8 and, if there
            are masks, `mask` `[batch_size, height, width]` uint8.
        """
        ...

    def storage(self, budget_mb: int) -> str:
        """Return where the images are, for people.

        Args:
            budget_mb: Millions of bytes that would have fit in memory.
        """
        ...

    def damage_named(self) -> AbstractContextManager[None]:
        """Return a context in which a record that cannot be read is a DataError."""
        ...


@dataclasses.dataclass(frozen=True)
class LoadedSplit:
    """A decoded split; see `ImageSplit`.

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

    @property
    def decoded_bytes(self) -> int:
        """What images and masks take in memory."""
        return self.images.nbytes + (0 if self.masks is None else self.masks.nbytes)

    def without_masks(self) -> "LoadedSplit":
        """Return the same images, unlabeled."""
        return dataclasses.replace(self, masks=None)

    def first(self, count: int, labels: np.ndarray | None = None) -> "LoadedSplit":
        """Return the first images, with other masks or none.

        Args:
            count: At most so many.
            labels: `[images, height, width]` uint8, or None: no masks.
        """
        count = count if labels is None else min(count, len(labels))
        images = self.images[:count]
        masks = None if labels is None else labels[: len(images)]
        return LoadedSplit(images, masks, self.filenames[: len(images)])

    def batch(self, rows: slice) -> Batch:
        """Return some examples as a batch of the form that training uses."""
        batch = {"image": as_float(self.images[rows])}
        if self.masks is not None:
            batch["mask"] = tf.constant(self.masks[rows])
        return batch

    def gathered(self, indices: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """Return the full batches of the examples that a dataset of numbers names.

        The arrays are read where they are: as constants of a graph they would be copied
        more than once.

        Args:
            indices: Scalar int64 numbers of examples.
            batch_size: Examples per batch.
        """
        arrays = {"image": self.images}
        if self.masks is not None:
            arrays["mask"] = self.masks

        def chosen(rows: np.ndarray) -> list[np.ndarray]:
            return [array[rows] for array in arrays.values()]

        def gather(rows: tf.Tensor) -> Batch:
            dtypes = [array.dtype for array in arrays.values()]
            found = tf.numpy_function(chosen, [rows], dtypes, stateful=False)
            batch = dict(zip(arrays, found, strict=True))
            for name, array in arrays.items():
                batch[name].set_shape([batch_size, *array.shape[1:]])
            return batch

        return indices.batch(batch_size, drop_remainder=True).map(gather)

    def storage(self, budget_mb: int) -> str:
        """Return where the images are, for people.

        Args:
            budget_mb: Millions of bytes that fit.
        """
        return f"in memory: {storage_sizes(self, budget_mb)}"

    def damage_named(self) -> AbstractContextManager[None]:
        """Return a context that changes nothing: everything has been read."""
        return contextlib.nullcontext()


def row_slices(count: int, size: int) -> Iterator[slice]:
    """Yield the slices of at most `size` that make up the numbers below `count`.

    Args:
        count: Of all examples.
        size: Of a slice.

    Example:
        >>> [(rows.start, rows.stop) for rows in row_slices(5, 2)]
        [(0, 2), (2, 4), (4, 5)]
    """
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def storage_sizes(split: ImageSplit, budget_mb: int) -> str:
    """Return the size of a split beside a budget, for people.

    Args:
        split: The split.
        budget_mb: Millions of bytes.
    """
    decoded = split.decoded_bytes / 1e6
    return (
        f"{decoded:,.{0 if decoded >= 10 else 1}f} MB decoded, budget {budget_mb:,} MB"
    )


def as_float(images: tf.Tensor) -> tf.Tensor:
    """Map uint8 in [0, 255] to float32 in [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0
