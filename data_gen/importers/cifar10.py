"""Makes a data set from CIFAR-10 as Keras loads it, each image with its class.

Reference: Krizhevsky 2009; thesis 9.1.
"""

import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.records import ImageClass
from cirs_tf.errors import ConfigError, DataError
from data_gen.importers.options import Cifar10Options
from data_gen.write_dataset import DataSet, describe_generator, write_dataset
from data_gen.write_records import Example, SplitWriter

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def import_cifar10(
    options: Cifar10Options,
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Make a data set from `keras.datasets.cifar10`, unless `out` already holds it.

    Keras reads `~/.keras/datasets` and downloads what is not there.

    Args:
        options: What to make.
        out: Folder to write; made where there is none.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        ConfigError: `options.val` leaves nothing to train on.
        DataError: Keras cannot load CIFAR-10; `out` holds something else, or cannot be
            written.
    """
    (images, labels), (test_images, test_labels) = _load_cifar10()
    if options.val >= len(images):
        raise ConfigError(f"val: expected below {len(images)}, got {options.val}")
    order = np.random.default_rng(options.seed).permutation(len(images))
    train_rows, val_rows = np.sort(order[options.val :]), order[: options.val]
    splits = {
        "train": (images, labels, train_rows),
        "val": (images, labels, val_rows),
        "test": (test_images, test_labels, np.arange(len(test_images))),
    }
    arguments = dataclasses.asdict(options)
    pixels = images.tobytes() + test_images.tobytes()
    arguments["pixels"] = hashlib.sha256(pixels).hexdigest()
    generator = describe_generator("cifar10", arguments)

    def write_splits(writer: SplitWriter) -> Manifest:
        written = {
            split: writer.write(split, _make_examples(split, *arrays), len(arrays[-1]))
            for split, arrays in splits.items()
        }
        height, width = images.shape[1:3]
        return Manifest("cifar10", height, width, (), generator, written, CLASSES)

    return write_dataset(
        out,
        generator,
        write_splits,
        num_shards=options.shards,
        num_examples=len(images) + len(test_images),
        overwrite=overwrite,
        progress=progress,
    )


def _load_cifar10() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    try:
        # Keras prints its progress among ours.
        with contextlib.redirect_stdout(io.StringIO()):
            return keras.datasets.cifar10.load_data()
    except Exception as error:  # downloads fail in many ways
        reason = " ".join(str(error).split())
        raise DataError(f"CIFAR-10: Keras cannot load it: {reason}") from None


def _make_examples(
    split: str, images: np.ndarray, labels: np.ndarray, rows: np.ndarray
) -> Iterator[Example]:
    """Yield the given rows of Keras's arrays."""
    for row in rows:
        label = int(labels[row, 0])
        image_class = ImageClass(label, CLASSES[label])
        name = f"{split}/{CLASSES[label]}/{row:05d}"
        yield Example(images[row], name, image_class=image_class)
