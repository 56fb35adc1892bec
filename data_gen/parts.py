"""One part of a data set: some of its record files, written by one of many machines.

The record files of a set are dealt out in turn, so that every part has about as many
examples. A part's folder holds them under their final names, and `part.json`, written
last, which describes them. `data_gen.merge_parts` makes the set of the parts.
"""

import dataclasses
import json
from pathlib import Path
from typing import Protocol

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.data.manifest import MANIFEST, Manifest, Shard
from cirs_tf.errors import ConfigError, DataError
from data_gen.options import check_minimum
from data_gen.staging import SHARD_NAME, report_write_errors, staging_folder
from data_gen.write_dataset import check_no_shards, check_same, progress_bar
from data_gen.write_records import RecordFile, SplitWriter

PART = "part.json"


class DividedSet(Protocol):
    """A data set of which every record file can be written by itself.

    Attributes:
        generator: From `describe_generator`.
        files: All record files of the set.
    """

    generator: dict
    files: list[RecordFile]

    def write_files(
        self, files: list[RecordFile], writer: SplitWriter, workers: int
    ) -> list[Shard]:
        """Write some of the files, whose bytes do not depend on the others."""

    def manifest(self, shards: list[Shard]) -> Manifest:
        """Return the manifest of a set that has these files, or some of them."""


@dataclasses.dataclass(frozen=True)
class Part:
    """What stands in `part.json`.

    Attributes:
        index: Number of the part, from 0.
        count: Number of parts.
        manifest: That of the set, with the files of this part alone.
    """

    index: int
    count: int
    manifest: Manifest

    @property
    def shards(self) -> list[Shard]:
        """The files of the part."""
        splits = self.manifest.splits.values()
        return [shard for split in splits for shard in split.shards]

    def write(self, folder: Path) -> None:
        """Write `part.json` in one step."""
        content = {
            "part": self.index,
            "parts": self.count,
            "manifest": self.manifest.as_content(),
        }
        write_text_atomically(folder / PART, json.dumps(content, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Part":
        """Read `part.json`.

        Raises:
            DataError: There is none, or it cannot be read.
        """
        path = folder / PART
        try:
            content = json.loads(path.read_text())
            index, count = content["part"], content["parts"]
            manifest = Manifest.from_content(content["manifest"], path)
            if not 0 <= index < count:
                raise ValueError(f"part {index} of {count}")
            part = cls(index, count, manifest)
            for shard in part.shards:
                if not SHARD_NAME.fullmatch(shard.file):
                    raise ValueError(f"a file called {shard.file}")
            return part
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"{path}: not found; expected a folder written with --shard"
            ) from None
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: does not describe a part ({error})") from None


@dataclasses.dataclass(frozen=True)
class WrittenPart:
    """A part on disk.

    Attributes:
        folder: Where it lies.
        part: Describes the folder's contents.
        is_new: False if the folder already held it, so that nothing was written.
    """

    folder: Path
    part: Part
    is_new: bool


def part_folder(out: str | Path, index: int, count: int) -> Path:
    """Return the folder of a part, beside that of the whole set.

    Example:
        >>> part_folder("data/fruit", 1, 4).as_posix()
        'data/fruit-part-00001-of-00004'
    """
    out = Path(out)
    if not out.name or out.name == "..":
        out = out.resolve()
    return out.with_name(f"{out.name}-part-{index:05d}-of-{count:05d}")


def files_of_part(files: list[RecordFile], index: int, count: int) -> list[RecordFile]:
    """Return the record files that one part has.

    Args:
        files: Those of the whole set.
        index: Number of the part, from 0.
        count: Number of parts.

    Raises:
        ConfigError: There is no such part, or it would have no file.
    """
    check_minimum("num_shards", count, 1)
    check_minimum("shard", index, 0)
    if index >= count:
        raise ConfigError(
            f"shard: expected 0 to {count - 1}, below num_shards, got {index}"
        )
    if count > len(files):
        raise ConfigError(
            f"num_shards: expected at most {len(files)}, the number of record files, "
            f"got {count}; --shards makes more files"
        )
    return files[index::count]


def write_part(
    divided: DividedSet,
    out: str | Path,
    index: int,
    count: int,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> WrittenPart:
    """Write one part of a data set, unless its folder already holds it.

    At the end the folder holds the whole part, or is as it was before.

    Args:
        divided: The data set.
        out: Folder of the whole set; that of the part lies beside it (`part_folder`).
        index: Number of the part, from 0.
        count: Number of parts.
        workers: Number of processes or threads.
        overwrite: Whether to replace what the part's folder holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The part.

    Raises:
        ConfigError: There is no such part, or `workers` is below 1.
        DataError: The folder holds something else, or cannot be written.
    """
    check_minimum("workers", workers, 1)
    files = files_of_part(divided.files, index, count)
    folder = part_folder(out, index, count)
    with report_write_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder}: is a file; expected a folder to write to")
        if (folder / MANIFEST).exists():
            raise DataError(f"{folder}: holds a whole data set; choose another --out")
        existing = None if overwrite else _read_existing(folder, divided.generator)
    if existing is not None:
        if (existing.index, existing.count) != (index, count):
            raise DataError(
                f"{folder}: holds part {existing.index} of {existing.count}; replace "
                "it with --overwrite"
            )
        return WrittenPart(folder, existing, is_new=False)
    total = sum(file.examples for file in files)
    with (
        staging_folder(folder, last=PART) as staging,
        progress_bar(progress, total=total, unit=" images") as bar,
    ):
        writer = SplitWriter(staging, folder, on_written=bar.update)
        shards = divided.write_files(files, writer, workers)
        part = Part(index, count, divided.manifest(shards))
        with report_write_errors(folder / PART):
            part.write(staging)
    return WrittenPart(folder, part, is_new=True)


def _read_existing(folder: Path, generator: dict) -> Part | None:
    """Return the part if the folder holds one of this set, None if it holds none."""
    if not (folder / PART).exists():
        check_no_shards(folder, PART)
        return None
    part = Part.read(folder)
    check_same(folder, part.manifest, generator)
    return part
