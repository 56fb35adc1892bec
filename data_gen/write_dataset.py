"""Makes one whole data set of records: contact sheet, metadata and manifest."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import tqdm

import data_gen
from cirs_tf.data.manifest import MANIFEST, Manifest, verify_shards
from cirs_tf.errors import DataError
from data_gen.contact_sheet import CONTACT_SHEET, draw_contact_sheet
from data_gen.staging import shards_in, staged, writing
from data_gen.tfds_metadata import write_tfds_metadata


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set on disk.

    Attributes:
        manifest: What the folder holds.
        fresh: False where it held just that before, so that nothing was written.
    """

    manifest: Manifest
    fresh: bool


def account(name: str, arguments: dict) -> dict:
    """Return the manifest's `generator`: all that decides the bytes.

    Args:
        name: The data set, as in `python -m data_gen NAME`.
        arguments: Options by name, `seed` among them.
    """
    rest = {key: value for key, value in arguments.items() if key != "seed"}
    return {
        "name": f"data_gen {name}",
        "version": data_gen.__version__,
        "seed": arguments["seed"],
        "arguments": rest,
    }


def publish(
    out: str | Path,
    generator: dict,
    write_shards: Callable[[Path, Callable[[], object]], Manifest],
    *,
    examples: int,
    overwrite: bool,
    progress: bool,
) -> DataSet:
    """Write a data set, unless `out` already holds it.

    Either the whole set stands in `out` at the end, or `out` is as it was before.

    Args:
        out: Folder to write; made where there is none.
        generator: From `account`.
        write_shards: Takes a folder to write the shards in and a function to call after
            each example; returns the manifest.
        examples: Number of examples that are expected, for the bar.
        overwrite: Whether to replace a data set that stands in `out`.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        DataError: `out` holds something else, or cannot be written.
    """
    out = Path(out)
    with writing(out):
        if out.exists() and not out.is_dir():
            raise DataError(f"{out}: is a file; expected a folder to write to")
        present = None if overwrite else _present(out, generator)
    if present is not None:
        return DataSet(present, fresh=False)
    with (
        staged(out) as folder,
        progress_bar(progress, total=examples, unit=" images") as bar,
    ):
        manifest = write_shards(folder, bar.update)
        with writing(out / CONTACT_SHEET):
            draw_contact_sheet(folder, manifest).save(folder / CONTACT_SHEET)
        with writing(out):
            write_tfds_metadata(folder, manifest)
        with writing(out / MANIFEST):
            manifest.write(folder)
    return DataSet(manifest, fresh=True)


def progress_bar(progress: bool, **arguments: object) -> tqdm.tqdm:
    """Return a bar that shows on a terminal alone, and only if `progress`."""
    # tqdm: None hides the bar where there is no terminal.
    hidden = None if progress else True
    return tqdm.tqdm(disable=hidden, leave=False, **arguments)


def _present(out: Path, generator: dict) -> Manifest | None:
    """Return the manifest if `out` holds this very set, None if it holds none."""
    if not (out / MANIFEST).exists():
        if shards := shards_in(out):
            raise DataError(
                f"{shards[0]}: a shard without a manifest; choose another folder, or "
                "replace it with --overwrite"
            )
        return None
    manifest = Manifest.read(out)
    if manifest.generator != generator:
        raise DataError(
            f"{out}: holds another data set ({_difference(manifest, generator)}); "
            "choose another folder, or replace it with --overwrite"
        )
    try:
        for split in manifest.splits.values():
            verify_shards(out, split)
    except DataError as error:
        raise DataError(f"{error}; write it again with --overwrite") from None
    return manifest


def _difference(manifest: Manifest, generator: dict) -> str:
    """Name the first thing in which a data set differs from what is asked for."""
    have, want = (
        {**one, **one.get("arguments", {})} for one in (manifest.generator, generator)
    )
    for key, value in want.items():
        if key != "arguments" and have.get(key) != value:
            return f"{key} is {have.get(key)}, asked for {value}"
    return "other arguments"
