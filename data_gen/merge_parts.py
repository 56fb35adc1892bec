"""Makes one data set of the parts that several machines wrote."""

import dataclasses
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from cirs_tf.data.manifest import Manifest, Shard, Split, verify_shards
from cirs_tf.data.records import IGNORE_LABEL, shard_name
from cirs_tf.errors import DataError
from data_gen.importers.images import label_names
from data_gen.importers.masks import NO_OBJECTS
from data_gen.options import check_minimum
from data_gen.parts import Part
from data_gen.staging import SHARD_NAME, report_write_errors
from data_gen.write_dataset import DataSet, first_difference, publish_dataset


def merge_parts(
    folders: Iterable[str | Path],
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Copy the files of all parts into one data set, unless `out` already holds it.

    The set is, byte for byte, the one that is written in one call. The parts are left
    as they are.

    Args:
        folders: Folders of the parts, in any order.
        out: Folder to write; made where there is none.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        DataError: A part is missing, damaged, given twice or of another set; or `out`
            holds something else, or cannot be written.
    """
    folders = [Path(folder) for folder in folders]
    check_minimum("parts", len(folders), 1)
    out = Path(out)
    resolved = [folder.resolve() for folder in folders]
    if out.resolve() in resolved:
        raise DataError(f"{out}: is one of the parts; choose another folder")
    for index, folder in enumerate(resolved):
        if folder in resolved[:index]:
            raise DataError(f"{folders[index]}: given twice")
    parts = {folder: Part.read(folder) for folder in folders}
    _check_alike(parts)
    _check_numbers(parts)
    manifest = join_manifests({folder: part.manifest for folder, part in parts.items()})
    places = {
        shard.file: folder for folder, part in parts.items() for shard in part.shards
    }

    def fill(staging: Path, on_written: Callable[[int], object]) -> Manifest:
        for folder, part in parts.items():
            for split in part.manifest.splits.values():
                verify_shards(folder, split)
        for split in manifest.splits.values():
            for shard in split.shards:
                with report_write_errors(out / shard.file):
                    shutil.copyfile(
                        places[shard.file] / shard.file, staging / shard.file
                    )
                on_written(shard.examples)
        return manifest

    return publish_dataset(
        out,
        manifest.generator,
        fill,
        num_examples=sum(split.examples for split in manifest.splits.values()),
        overwrite=overwrite,
        progress=progress,
    )


def join_manifests(manifests: dict[Path, Manifest]) -> Manifest:
    """Return the manifest of a whole set.

    Args:
        manifests: Each of some files of the set alone, by where they lie.

    Raises:
        DataError: A file is in none of them, or in several.
    """
    first = next(iter(manifests.values()))
    splits = {
        name: Split(_in_order(name, manifests), split.masks, split.segmentations)
        for name, split in first.splits.items()
    }
    # Where the labels of masks have no names, files know those up to their highest.
    classes = max((manifest.classes for manifest in manifests.values()), key=len)
    if not classes and any(split.masks for split in splits.values()):
        raise DataError(f"every pixel of the masks is {IGNORE_LABEL}, to ignore")
    if classes == label_names(1):
        raise DataError(f"the masks {NO_OBJECTS}")
    return dataclasses.replace(first, classes=classes, splits=splits)


def _check_alike(parts: dict[Path, Part]) -> None:
    """Check that all are parts of one set, divided alike."""
    (first_folder, first), *others = parts.items()
    for folder, part in others:
        if part.manifest.generator != first.manifest.generator:
            difference = first_difference(
                part.manifest.generator, first.manifest.generator
            ).replace("asked for", "there")
            raise DataError(
                f"{folder}: of another data set than {first_folder} ({difference})"
            )
        if part.count != first.count:
            raise DataError(
                f"{folder}: one of {part.count} parts, but {first_folder} is one of "
                f"{first.count}"
            )
        if _frame(part.manifest) != _frame(first.manifest):
            raise DataError(f"{folder}: does not fit {first_folder}: damaged part.json")


def _frame(manifest: Manifest) -> tuple:
    """Return what is the same in all parts of a set."""
    splits = {
        name: (split.masks, split.segmentations)
        for name, split in manifest.splits.items()
    }
    return manifest.name, manifest.height, manifest.width, splits


def _check_numbers(parts: dict[Path, Part]) -> None:
    """Check that every part is there once."""
    found = {}
    for folder, part in parts.items():
        if part.index in found:
            raise DataError(f"{folder}: part {part.index}, as is {found[part.index]}")
        found[part.index] = folder
    count = next(iter(parts.values())).count
    missing = [str(index) for index in range(count) if index not in found]
    if missing:
        named = ", ".join(missing[:8]) + ", ..." * (len(missing) > 8)
        raise DataError(
            f"part{'s' * (len(missing) > 1)} {named} of {count} missing: write with "
            f"--shard {missing[0]} --num-shards {count}, or name its folder"
        )


def _in_order(split: str, manifests: dict[Path, Manifest]) -> tuple[Shard, ...]:
    """Return the files of a split in reading order; check that each is there once."""
    found = {}
    for folder, manifest in manifests.items():
        for shard in manifest.split(split).shards:
            if shard.file in found:
                raise DataError(f"{folder / shard.file}: is in another part, too")
            found[shard.file] = shard
    counts = [int(SHARD_NAME.fullmatch(name)[3]) for name in found]
    count = max(counts, default=1)
    names = [shard_name(split, index, count) for index in range(count)]
    for name in names:
        if name not in found:
            raise DataError(f"{name}: in none of the parts")
    return tuple(found[name] for name in names)
