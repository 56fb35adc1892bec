"""Makes a data set of CIFAR-10 as Keras loads it, each picture with its class.

Reference: Krizhevsky 2009; thesis 9.1.
"""

import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.data.records import ImageClass
from cirs_tf.errors import ConfigError, DataError
from data_gen.options import check_at_least
from data_gen.write_dataset import DataSet, account, publish
from data_gen.write_records import Example, write_split

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


@dataclasses.dataclass(frozen=True)
class Cifar10Options:
    """What to make of CIFAR-10.

    Attributes:
        val: How many of the training pictures serve validation.
        seed: Draws which; not negative.
        shards: Files a split.

    Raises:
        ConfigError: A value is out of range.
    """

    val: int = 1_000
    seed: int = 0
    shards: int = 8

    def __post_init__(self):
        check_at_least("val", self.val, 1)
        check_at_least("seed", self.seed, 0)
        check_at_least("shards", self.shards, 1)


def import_cifar10(
    options: Cifar10Options,
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Make a data set of `keras.datasets.cifar10`, unless `out` already holds it.

    Keras reads `~/.keras/datasets` and downloads what is not there.

    Args:
        options: What to make.
        out: Folder to write; made where there is none.
        overwrite: Whether to replace a data set that stands in `out`.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        ConfigError: `options.val` leaves nothing to train on.
        DataError: Keras cannot load CIFAR-10; `out` holds something else, or cannot be
            written.
    """
    train, test = _load()
    if options.val >= len(train[0]):
        raise ConfigError(f"val: expected below {len(train[0])}, got {options.val}")
    order = np.random.default_rng(options.seed).permutation(len(train[0]))
    rows = {
        "train": (train, np.sort(order[options.val :])),
        "val": (train, order[: options.val]),
        "test": (test, np.arange(len(test[0]))),
    }
    arguments = dataclasses.asdict(options)
    arguments["pixels"] = hashlib.sha256(train[0].tobytes() + test[0].tobytes())
    arguments["pixels"] = arguments["pixels"].hexdigest()
    generator = account("cifar10", arguments)

    def write_shards(folder: Path, on_written: Callable[[], object]) -> Manifest:
        splits = {}
        for split, (source, chosen) in rows.items():
            with contextlib.closing(_examples(split, source, chosen)) as examples:
                shards = write_split(
                    folder,
                    Path(out),
                    split,
                    examples,
                    count=len(chosen),
                    shards=options.shards,
                    on_written=on_written,
                )
            splits[split] = Split(shards, masks=False)
        height, width = train[0].shape[1:3]
        return Manifest("cifar10", height, width, (), generator, splits, CLASSES)

    return publish(
        out,
        generator,
        write_shards,
        examples=len(train[0]) + len(test[0]),
        overwrite=overwrite,
        progress=progress,
    )


def _load():
    import keras  # late: other data sets do without it

    try:
        # Keras prints its progress among ours.
        with contextlib.redirect_stdout(io.StringIO()):
            return keras.datasets.cifar10.load_data()
    except Exception as error:  # downloads fail in many ways
        reason = " ".join(str(error).split())
        raise DataError(f"CIFAR-10: Keras cannot load it: {reason}") from None


def _examples(split: str, source, rows: np.ndarray) -> Iterator[Example]:
    images, labels = source
    for row in rows:
        label = int(labels[row, 0])
        image_class = ImageClass(label, CLASSES[label])
        name = f"{split}/{CLASSES[label]}/{row:05d}"
        yield Example(images[row], name, image_class=image_class)
