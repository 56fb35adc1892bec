"""Writes the record files of a data set with Apache Beam, one element per file.

A worker writes a file under a temporary name and renames it; what is started again
after a failure, or runs twice, gives the same bytes. This process puts the set in
place, as it does without Beam.
"""

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import data_gen
from cirs_tf.beam_options import import_beam, parse_options, report_beam_errors
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import DataError
from data_gen.merge_parts import join_manifests
from data_gen.parts import DividedSet
from data_gen.staging import remove, report_write_errors, written_files
from data_gen.write_dataset import DataSet, publish_dataset
from data_gen.write_records import RecordFile, SplitWriter


def write_with_beam(
    divided: DividedSet,
    out: str | Path,
    flags: list[str],
    *,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Write a data set on the workers of a Beam pipeline, unless `out` holds it.

    The set is, byte for byte, the one that is written without Beam. At the end `out`
    holds the whole set, or is as it was before.

    Args:
        divided: The data set; sent to the workers, which need this package in the same
            version.
        out: Folder to write, which every worker reaches under this path; made where
            there is none.
        flags: Beam's pipeline options, such as `--runner=DirectRunner`.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal; it moves once, at the end.

    Returns:
        The data set.

    Raises:
        ConfigError: Beam is not installed, or an option is none of its.
        DataError: `out` holds something else or cannot be written, or the pipeline
            failed.
    """
    beam = import_beam()
    options = parse_options(flags)
    out = Path(out)
    total = sum(file.examples for file in divided.files)

    def fill(folder: Path, on_written: Callable[[int], object]) -> Manifest:
        folder = folder.resolve()
        with report_beam_errors(), beam.Pipeline(options=options) as pipeline:
            _ = (
                pipeline
                | "List files" >> beam.Create(divided.files)
                | "One file per worker" >> beam.Reshuffle()
                | "Write files" >> beam.Map(_FileWriter(divided, str(folder)))
            )
        with report_write_errors(out):
            manifest = _collect(divided, folder)
        on_written(total)
        return manifest

    return publish_dataset(
        out,
        divided.generator,
        fill,
        num_examples=total,
        overwrite=overwrite,
        progress=progress,
    )


def _collect(divided: DividedSet, folder: Path) -> Manifest:
    """Return the manifest of the written files; remove all other files."""
    manifests = {}
    for file in divided.files:
        description = folder / f"{file.name}.json"
        content = json.loads(description.read_text())
        manifests[description] = Manifest.from_content(content, description)
    names = {file.name for file in divided.files}
    for other in written_files(folder):
        if other.name not in names:  # folders are of workers that were killed
            remove(other)
    return join_manifests(manifests)


@dataclasses.dataclass(frozen=True)
class _FileWriter:
    """Writes one record file when called, and what the manifest will say of it."""

    divided: DividedSet
    folder: str

    def __call__(self, file: RecordFile) -> None:
        version = self.divided.generator["version"]
        if data_gen.__version__ != version:
            raise DataError(
                f"a worker has version {data_gen.__version__} of data_gen, "
                f"the command {version}"
            )
        folder = Path(self.folder)
        with (
            report_write_errors(folder),
            tempfile.TemporaryDirectory(
                dir=folder, ignore_cleanup_errors=True
            ) as scratch,
        ):
            writer = SplitWriter(Path(scratch), folder)
            shards = self.divided.write_files([file], writer, workers=1)
            content = self.divided.manifest(shards).as_content()
            description = Path(scratch) / f"{file.name}.json"
            description.write_text(json.dumps(content))
            for written in (Path(scratch) / file.name, description):
                os.replace(written, folder / written.name)
