"""Writes one whole data set: shards, contact sheet, metadata and manifest."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import tqdm

import data_gen
from cirs_tf.data.manifest import MANIFEST, Manifest, verify_shards
from cirs_tf.errors import DataError
from data_gen.contact_sheet import CONTACT_SHEET, draw_contact_sheet
from data_gen.staging import list_shards, report_write_errors, staging_folder
from data_gen.tfds_metadata import DATASET_INFO, FEATURES, write_tfds_metadata
from data_gen.write_records import SplitWriter


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set on disk.

    Attributes:
        manifest: Describes the folder's contents.
        is_new: False if the folder already held the data set, so that nothing was
            written.
    """

    manifest: Manifest
    is_new: bool


def describe_generator(name: str, arguments: dict) -> dict:
    """Return the manifest's `generator`, which holds all that decides the bytes.

    Args:
        name: Name of the data set, as in `python -m data_gen NAME`.
        arguments: Options by name, `seed` among them.
    """
    others = {key: value for key, value in arguments.items() if key != "seed"}
    return {
        "name": f"data_gen {name}",
        "version": data_gen.__version__,
        "seed": arguments["seed"],
        "arguments": others,
    }


def write_dataset(
    out: str | Path,
    generator: dict,
    write_splits: Callable[[SplitWriter], Manifest],
    *,
    num_shards: int,
    num_examples: int,
    overwrite: bool,
    progress: bool,
) -> DataSet:
    """Write a data set, unless `out` already holds it.

    At the end `out` holds the whole set, or is as it was before.

    Args:
        out: Folder to write; made where there is none.
        generator: From `describe_generator`.
        write_splits: Writes all splits with the writer and returns the manifest.
        num_shards: Files per split.
        num_examples: Number of examples to expect, for the progress bar.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        DataError: `out` holds something else, or cannot be written.
    """

    def fill(folder: Path, on_written: Callable[[], object]) -> Manifest:
        return write_splits(SplitWriter(folder, Path(out), num_shards, on_written))

    return publish_dataset(
        out,
        generator,
        fill,
        num_examples=num_examples,
        overwrite=overwrite,
        progress=progress,
    )


def publish_dataset(
    out: str | Path,
    generator: dict,
    fill: Callable[[Path, Callable[..., object]], Manifest],
    *,
    num_examples: int,
    overwrite: bool,
    progress: bool,
) -> DataSet:
    """Put a whole data set in place, unless `out` already holds it.

    Args:
        out: As for `write_dataset`, like the other arguments.
        generator: From `describe_generator`.
        fill: Puts all record files into a folder, calls a function with the number of
            examples written, 1 where it is left out, and returns the manifest.
        num_examples: Number of examples to expect, for the progress bar.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        DataError: `out` holds something else, or cannot be written.
    """
    out = Path(out)
    with report_write_errors(out):
        if out.exists() and not out.is_dir():
            raise DataError(f"{out}: is a file; expected a folder to write to")
        existing = None if overwrite else _read_existing(out, generator)
    if existing is not None:
        return DataSet(existing, is_new=False)
    with (
        staging_folder(out) as folder,
        progress_bar(progress, total=num_examples, unit=" images") as bar,
    ):
        manifest = fill(folder, bar.update)
        with report_write_errors(out / CONTACT_SHEET):
            draw_contact_sheet(folder, manifest).save(folder / CONTACT_SHEET)
        with report_write_errors(out):
            write_tfds_metadata(folder, manifest)
        with report_write_errors(out / MANIFEST):
            manifest.write(folder)
    return DataSet(manifest, is_new=True)


def progress_bar(progress: bool, **arguments: object) -> tqdm.tqdm:
    """Return a progress bar that shows on a terminal alone.

    Args:
        progress: False hides it there, too.
        **arguments: Arguments of `tqdm.tqdm`.
    """
    # tqdm: None hides the bar where there is no terminal.
    disable = None if progress else True
    return tqdm.tqdm(disable=disable, leave=False, **arguments)


def _read_existing(out: Path, generator: dict) -> Manifest | None:
    """Return the manifest if `out` holds the same set, None if it holds none."""
    if not (out / MANIFEST).exists():
        check_no_shards(out, MANIFEST)
        for name in (CONTACT_SHEET, FEATURES, DATASET_INFO):
            if (out / name).exists():
                raise DataError(
                    f"{out / name}: would be replaced, and is of no data set written "
                    "here; choose another folder, or replace it with --overwrite"
                )
        return None
    manifest = Manifest.read(out)
    check_same(out, manifest, generator)
    return manifest


def check_no_shards(out: Path, last: str) -> None:
    """Raise a `DataError` if a folder holds shards, of which nothing is known.

    Args:
        out: The folder.
        last: Name of the file that would describe them.
    """
    if shards := list_shards(out):
        kind = "a manifest" if last == MANIFEST else last
        raise DataError(
            f"{shards[0]}: a shard without {kind}; choose another folder, or "
            "replace it with --overwrite"
        )


def check_same(out: Path, manifest: Manifest, generator: dict) -> None:
    """Raise a `DataError` unless a folder holds what was asked for, undamaged.

    Args:
        out: The folder.
        manifest: Describes what it holds.
        generator: From `describe_generator`, of what was asked for.
    """
    if manifest.generator != generator:
        difference = first_difference(manifest.generator, generator)
        raise DataError(
            f"{out}: holds another data set ({difference}); "
            "choose another folder, or replace it with --overwrite"
        )
    try:
        for split in manifest.splits.values():
            verify_shards(out, split)
    except DataError as error:
        raise DataError(f"{error}; write it again with --overwrite") from None


def first_difference(existing: dict, requested: dict) -> str:
    """Name the first entry in which the generators of two data sets differ.

    Args:
        existing: From `describe_generator`, of the set that is there.
        requested: The same of the set that was asked for.
    """
    existing, requested = (
        {**generator, **generator.get("arguments", {})}
        for generator in (existing, requested)
    )
    for key, value in requested.items():
        if key != "arguments" and existing.get(key) != value:
            return f"{key} is {existing.get(key)}, asked for {value}"
    return "other arguments"
