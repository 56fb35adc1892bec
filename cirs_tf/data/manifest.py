"""The manifest of a data set: what was written, by whom, and its checksums.

A writer puts `manifest.json` in place last, so a folder that has one is complete.
A reader compares the sizes of a split's shards with it before the first step, and their
hashes only where it is asked to: those take a pass over all files. Damage that leaves
the size is found by the checksum of each record, when that record is read.
"""

import dataclasses
import json
from pathlib import Path

import tensorflow as tf

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.errors import DataError
from cirs_tf.file_hash import file_sha256

MANIFEST = "manifest.json"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
        file: File name, without the folder.
        examples: Number of records.
        bytes: Size of the file.
        sha256: Hexadecimal digest of the file.
    """

    file: str
    examples: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Split:
    """The shards of one split (`train`, `val` or `test`), and whether they have masks.

    Attributes:
        shards: In reading order.
        masks: Whether every record of the split holds a mask.
        segmentations: Whether every record holds the segmentations of its annotators.
    """

    shards: tuple[Shard, ...]
    masks: bool
    segmentations: bool = False

    @property
    def examples(self) -> int:
        """Number of records in the split."""
        return sum(shard.examples for shard in self.shards)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What stands in `manifest.json`.

    Attributes:
        name: Name of the data set.
        height: Height of every image in pixels.
        width: Width of every image in pixels.
        classes: Class names; the position is the value in the masks. Class 0 is the
            background. Empty where nothing is labeled.
        generator: What wrote the set: `name`, `version`, `seed`, `arguments`.
        splits: Split name to `Split`.
        image_classes: Names of the classes that images as a whole have; empty where
            they have none.
    """

    name: str
    height: int
    width: int
    classes: tuple[str, ...]
    generator: dict
    splits: dict[str, Split]
    image_classes: tuple[str, ...] = ()

    def write(self, directory: str | Path) -> None:
        """Write `manifest.json` in `directory` in one step (temporary name, rename)."""
        path = Path(directory) / MANIFEST
        write_text_atomically(path, json.dumps(self.as_content(), indent=2) + "\n")

    def as_content(self) -> dict:
        """Return what stands in the file, for JSON."""
        content = {"format_version": FORMAT_VERSION, **dataclasses.asdict(self)}
        # What few sets have stands only in theirs: the others keep their bytes.
        for part, key in (
            (content, "image_classes"),
            *((split, "segmentations") for split in content["splits"].values()),
        ):
            if not part[key]:
                del part[key]
        return content

    @classmethod
    def read(cls, directory: str | Path) -> "Manifest":
        """Read `manifest.json` from `directory`.

        Raises:
            DataError: There is none, or it is not one that this version wrote.
        """
        path = Path(directory) / MANIFEST
        try:
            return cls.from_content(json.loads(path.read_text(encoding="utf-8")), path)
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"{path}: not found; expected a folder written by `python -m data_gen`"
            ) from None
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise DataError(f"{path}: not a manifest of a data set ({error})") from None

    @classmethod
    def from_content(cls, content: dict, path: Path) -> "Manifest":
        """Return the manifest that JSON holds.

        Args:
            content: As `as_content` returns it.
            path: The file that it was read from, for errors.

        Raises:
            DataError: It is none that this version wrote.
        """
        try:
            content = dict(content)
            if content.pop("format_version") != FORMAT_VERSION:
                raise DataError(
                    f"{path}: written in another format version; draw the set again"
                )
            splits = {
                name: Split(
                    shards=tuple(Shard(**shard) for shard in split["shards"]),
                    masks=split["masks"],
                    segmentations=split.get("segmentations", False),
                )
                for name, split in content.pop("splits").items()
            }
            content["classes"] = tuple(content["classes"])
            content["image_classes"] = tuple(content.get("image_classes", ()))
            return cls(splits=splits, **content)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"{path}: not a manifest of a data set ({error})") from None

    def split(self, name: str) -> Split:
        """Return one split.

        Raises:
            DataError: The data set has no split of that name.
        """
        if name not in self.splits:
            have = ", ".join(self.splits)
            raise DataError(
                f"data set {self.name} has no split {name!r}; it has {have}"
            )
        return self.splits[name]


def describe_file(path: str | Path, examples: int) -> Shard:
    """Return the manifest's entry for a finished shard."""
    path = Path(path)
    return Shard(path.name, examples, path.stat().st_size, file_sha256(path))


def verify_sizes(directory: str | Path, split: Split) -> None:
    """Compare the size of every shard of a split with the manifest; nothing is read.

    Raises:
        DataError: A file is missing or has another size; the message names the file
            and, where the damage can be located, the record.
    """
    for shard in split.shards:
        path = _present(directory, shard)
        if path.stat().st_size != shard.bytes:
            raise DataError(f"{path}: {_locate_damage(path, shard)}")


def verify_shards(directory: str | Path, split: Split) -> None:
    """Compare every shard of a split with the manifest, by size and hash.

    Raises:
        DataError: A file is missing, or differs in size or checksum; the message
            names the file and, where the damage can be located, the record.
    """
    for shard in split.shards:
        path = _present(directory, shard)
        if path.stat().st_size == shard.bytes and file_sha256(path) == shard.sha256:
            continue
        raise DataError(f"{path}: {_locate_damage(path, shard)}")


def _present(directory: str | Path, shard: Shard) -> Path:
    path = Path(directory) / shard.file
    if not path.is_file():
        raise DataError(f"{path}: missing; the manifest lists it")
    return path


def _locate_damage(path: Path, shard: Shard) -> str:
    """Say which record of a shard is the first that cannot be read."""
    read = 0
    damaged = False
    try:
        for _ in tf.data.TFRecordDataset(str(path)):
            read += 1
    except tf.errors.DataLossError:
        damaged = True
    size = path.stat().st_size
    # A file that ends within the first bytes of a record reads as if it ended before.
    if size < shard.bytes and read < shard.examples:
        return (
            f"truncated in record {read} (counted from 0) of {shard.examples}: "
            f"{size} bytes, expected {shard.bytes}"
        )
    if damaged:
        return f"record {read} (counted from 0) of {shard.examples} is damaged"
    return (
        f"{read} records, expected {shard.examples}; "
        "the file differs from the one that the manifest describes"
    )
