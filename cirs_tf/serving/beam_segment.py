"""Segments images with Apache Beam: the workers read, segment and write.

Where images or masks lie in a file system of Beam's, such as `gs://`, they are read and
written by it; what is local must be reached by every worker under its path.
"""

import argparse
import dataclasses
import functools
import io
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from cirs_tf.beam_options import import_beam, parse_options, report_beam_errors
from cirs_tf.data.image_files import decode_image
from cirs_tf.errors import ConfigError, DataError, ImageError
from cirs_tf.serving.exported_model import load_exported, size_note
from cirs_tf.serving.image_files import (
    check_apart,
    find_images,
    make_folders,
    write_mask,
    write_overlay,
    write_probabilities,
)
from cirs_tf.serving.output_names import output_names
from cirs_tf.serving.segment_stream import Segmented, StreamSettings, segment_stream
from cirs_tf.serving.segmenter import Segmenter

_IMAGES_PER_ELEMENT = 16
_METRICS = "cirs_tf.segment"
_WILDCARDS = "*?["


def segment_with_beam(arguments: argparse.Namespace, settings: StreamSettings) -> int:
    """Write a mask and an overlay for every image, and print what was done.

    Args:
        arguments: Of the command: `model`, which every worker loads once; `images`,
            files, folders, and patterns such as `gs://bucket/photos/*.jpg`; `out`,
            which may be a folder of another file system; `beam`, the pipeline options;
            `recursive`, `max_pixels`, `sheet` and `summary`.
        settings: How images are segmented.

    Returns:
        The exit status: 1 where an image could not be segmented.

    Raises:
        ConfigError: Beam is not installed, or an option or `out` is wrong.
        DataError: There is no image or no model, or the pipeline failed.
    """
    beam = import_beam()
    options = parse_options(arguments.beam)
    if arguments.sheet or arguments.summary:
        raise ConfigError("--beam: expected no --sheet and no --summary")
    model, sources, out = arguments.model, arguments.images, arguments.out
    recursive, max_pixels = arguments.recursive, arguments.max_pixels
    endings = [".png", "_overlay.png"]
    if settings.probabilities:
        endings.append("_probabilities.npz")
    with report_beam_errors():
        found = _find(sources, recursive, endings)
    if _is_remote(out):
        _check_apart_remotely(out, found, endings)
    else:
        out = str(Path(out).absolute())
        local = [source for source in sources if Path(source).exists()]
        paths = {name: Path(path) for name, path in found.items()}
        check_apart(Path(out), local, paths, recursive, endings)
    # Loaded here, too, so that errors appear before any worker starts.
    if note := size_note(load_exported(model)):
        print(f"note: {model}: {note}", file=sys.stderr)
    if not _is_remote(out):
        make_folders(Path(out), found)
    images = [(name.as_posix(), path) for name, path in found.items()]
    size = min(settings.batch_size, _IMAGES_PER_ELEMENT)
    groups = [images[start : start + size] for start in range(0, len(images), size)]
    write = _Writer(str(Path(model).absolute()), out, settings, max_pixels)
    with report_beam_errors():
        pipeline = beam.Pipeline(options=options)
        _ = (
            pipeline
            | "List images" >> beam.Create(groups)
            | "Some per worker" >> beam.Reshuffle()
            | "Segment" >> beam.Map(write)
        )
        result = pipeline.run()
        result.wait_until_finish()
    metrics = result.metrics().query()
    for line in sorted(_total(metrics, "string_sets", "errors", set())):
        print(f"error: {line}", file=sys.stderr)
    done = _total(metrics, "counters", "segmented", 0)
    print(f"{done} of {len(images)} images segmented into {out}")
    return 0 if done == len(images) else 1


def _check_apart_remotely(out: str, found: dict[Path, str], endings: list[str]) -> None:
    """Refuse to write over the images."""
    images = set(found.values())
    for name in found:
        for ending in endings:
            written = f"{out.rstrip('/')}/{name.as_posix()}{ending}"
            if written in images:
                raise ConfigError(
                    f"--out {out}: {written} is one of the images; "
                    "choose another folder"
                )


def _total(metrics: dict, kind: str, name: str, nothing: object) -> object:
    """Return what the workers counted."""
    for entry in metrics.get(kind, ()):
        if entry.key.metric.namespace == _METRICS and entry.key.metric.name == name:
            value = entry.result
            return getattr(value, "string_set", value)
    return nothing


def _find(
    sources: Iterable[str], recursive: bool, endings: list[str]
) -> dict[Path, str]:
    """Return output name to path of the images among files, folders and patterns."""
    from apache_beam.io.filesystems import FileSystems

    places = []
    for source in sources:
        is_pattern = any(sign in source for sign in _WILDCARDS)
        if Path(source).exists() or not (is_pattern or _is_remote(source)):
            for path in find_images([source], recursive).values():
                base = Path(source) if Path(source).is_dir() else path.parent
                places.append((path.relative_to(base), str(path.absolute())))
            continue
        if not _is_remote(source):
            source = str(Path(source).absolute())
        matched = sorted(
            match.path for match in FileSystems.match([source])[0].metadata_list
        )
        if not matched:
            raise DataError(f"{source}: no such file")
        fixed = source[: min(map(source.find, _WILDCARDS), key=_last_if_absent)]
        base = fixed[: fixed.rfind("/") + 1] if is_pattern else ""
        for path in matched:
            place = path.removeprefix(base) if base else PurePosixPath(path).name
            places.append((Path(place), path))
    unique = dict.fromkeys(path for _, path in places)
    relative = {path: place for place, path in reversed(places)}
    return output_names([(relative[path], path) for path in unique], endings)


def _last_if_absent(position: int) -> float:
    return position if position >= 0 else float("inf")


def _is_remote(path: str) -> bool:
    return "://" in path


@functools.lru_cache(maxsize=1)
def _load_once(model: str) -> Segmenter:
    """Return the model of this process."""
    return load_exported(model)


@dataclasses.dataclass(frozen=True)
class _Writer:
    """Segments some images when called; this is what a worker does."""

    model: str
    out: str
    settings: StreamSettings
    max_pixels: int

    def __call__(self, group: list) -> None:
        from apache_beam.metrics.metric import Metrics

        segmenter = _load_once(self.model)
        for result in segment_stream(segmenter, self._read(group), self.settings):
            if result.error:
                Metrics.string_set(_METRICS, "errors").add(str(result.error))
                continue
            self._write(result)
            Metrics.counter(_METRICS, "segmented").inc()

    def _read(self, group: list) -> Iterator[tuple[str, np.ndarray | ImageError]]:
        """Yield name and pixels of each image, or why it has none."""
        from apache_beam.io.filesystems import FileSystems

        for name, path in group:
            try:
                file = path
                if _is_remote(path):
                    with FileSystems.open(path) as opened:
                        file = io.BytesIO(opened.read())
                yield name, decode_image(file, path, self.max_pixels)
            except ImageError as error:
                yield name, error
            except OSError as error:
                yield name, ImageError(f"{path}: cannot be read ({error})")

    def _write(self, result: Segmented[str]) -> None:
        if not _is_remote(self.out):
            self._write_local(result, Path(self.out) / result.key)
            return
        from apache_beam.io.filesystems import FileSystems

        with tempfile.TemporaryDirectory() as folder:
            self._write_local(result, Path(folder) / PurePosixPath(result.key).name)
            for file in sorted(Path(folder).iterdir()):
                parent = PurePosixPath(result.key).parent
                place = FileSystems.join(self.out, (parent / file.name).as_posix())
                with file.open("rb") as source, FileSystems.create(place) as target:
                    shutil.copyfileobj(source, target)

    def _write_local(self, result: Segmented[str], stem: Path) -> None:
        if self.settings.probabilities:
            name = f"{stem.name}_probabilities.npz"
            write_probabilities(result.probabilities, stem.with_name(name))
        write_mask(result.labels, stem.with_name(f"{stem.name}.png"))
        overlay = stem.with_name(f"{stem.name}_overlay.png")
        write_overlay(result.image, result.labels, overlay)
