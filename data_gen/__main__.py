"""Makes a data set: `python -m data_gen fruit --out data/fruit`.

What needs TensorFlow is imported after the arguments are parsed: help appears at once.
"""

import importlib
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from cirs_tf.errors import ConfigError, command
from data_gen.command_line import make_parser
from data_gen.importers.options import (
    BsdsOptions,
    Cifar10Options,
    Frame,
    ImageOptions,
    parse_size,
)
from data_gen.interrupts import interrupts_repeated, sigterm_stops
from data_gen.options import SceneOptions

if TYPE_CHECKING:
    from data_gen.parts import DividedSet
    from data_gen.write_dataset import DataSet


@command
def main(argv: list[str] | None = None, prog: str = "python -m data_gen") -> int:
    """Run the command; see `python -m data_gen --help`.

    Args:
        argv: Arguments, by default those of the process.
        prog: What help and errors call the command.

    Returns:
        The exit status.
    """
    arguments = vars(make_parser(prog).parse_args(argv))
    with sigterm_stops():
        return _make(arguments.pop("kind"), arguments)


def _make(kind: str, arguments: dict) -> int:
    """Make a data set and print what was written."""
    started = time.monotonic()
    target = {
        name: arguments.pop(name)
        for name in ("out", "workers", "overwrite")
        if name in arguments
    }
    machines = {
        name: arguments.pop(name)
        for name in ("shard", "num_shards")
        if name in arguments
    }
    beam_flags = arguments.pop("beam", None)
    if machines:
        if beam_flags is not None:
            raise ConfigError("--beam: expected no --shard; Beam divides the work")
        return _write_part(kind, arguments, target, **machines)
    makers = {
        "images": _make_images,
        "video": _make_video,
        "bsds": _make_bsds,
        "cifar10": _make_cifar10,
        "merge": _merge,
    }
    if beam_flags is not None:
        data_set, skipped = _write_with_beam(kind, arguments, target, beam_flags)
    elif kind in makers:
        data_set, skipped = makers[kind](arguments, target)
    else:
        data_set, skipped = _make_scene({"scene": kind, **arguments}, target)
    out = target["out"]
    if not data_set.is_new:
        print(f"{out}: already holds this data set; nothing to do")
        return 0
    splits = data_set.manifest.splits
    counts = ", ".join(f"{split.examples} {name}" for name, split in splits.items())
    size = sum(shard.bytes for split in splits.values() for shard in split.shards)
    unit = "patches" if kind == "bsds" and not arguments["whole"] else "images"
    print(
        f"wrote {counts} {unit} to {out}: {size / 1e6:.1f} MB in "
        f"{time.monotonic() - started:.1f} s; see {out / 'contact_sheet.png'}"
    )
    if skipped:
        print(f"skipped {skipped} that cannot be read, listed above")
    return 0


def _make_scene(arguments: dict, target: dict) -> "tuple[DataSet, int]":
    options = SceneOptions(**arguments)
    draw = _import("data_gen.draw_dataset").draw
    return draw(options, **target, progress=True), 0


def _merge(arguments: dict, target: dict) -> "tuple[DataSet, int]":
    merge_parts = _import("data_gen.merge_parts").merge_parts
    return merge_parts(arguments["parts"], **target, progress=True), 0


def _write_part(
    kind: str,
    arguments: dict,
    target: dict,
    shard: int | None = None,
    num_shards: int | None = None,
) -> int:
    """Write one part of a data set and print where it lies."""
    if shard is None or num_shards is None:
        raise ConfigError("--shard and --num-shards: expected both or none")
    out, workers = target.pop("out"), target["workers"]
    divided = _divided_set(kind, arguments, out, workers)
    write_part = _import("data_gen.parts").write_part
    written = write_part(divided, out, shard, num_shards, **target, progress=True)
    if not written.is_new:
        print(f"{written.folder}: already holds this part; nothing to do")
        return 0
    shards = written.part.shards
    print(
        f"wrote {sum(shard.examples for shard in shards)} images in {len(shards)} "
        f"files to {written.folder}; merge makes the set of the {num_shards} parts"
    )
    return 0


def _write_with_beam(
    kind: str, arguments: dict, target: dict, flags: list[str]
) -> "tuple[DataSet, int]":
    beam_options = _import("cirs_tf.beam_options")  # refuse before anything is read
    beam_options.import_beam()
    beam_options.parse_options(flags)
    out, overwrite = target["out"], target["overwrite"]
    divided = _divided_set(kind, arguments, out, target["workers"])
    write_with_beam = _import("data_gen.beam_pipeline").write_with_beam
    data_set = write_with_beam(divided, out, flags, overwrite=overwrite, progress=True)
    return data_set, 0


def _divided_set(kind: str, arguments: dict, out: Path, workers: int) -> "DividedSet":
    """Return a data set whose record files can be written one by one."""
    if kind == "images":
        options = _image_options(arguments)
        image_parts = _import("data_gen.importers.image_parts")
        return image_parts.ImageParts.prepare(options, out, workers, progress=True)
    options = SceneOptions(scene=kind, **arguments)
    return _import("data_gen.draw_dataset").Drawing.prepare(options)


def _make_images(arguments: dict, target: dict) -> "tuple[DataSet, int]":
    options = _image_options(arguments)
    import_images = _import("data_gen.importers.images").import_images
    unreadable = []

    def on_unreadable(error: Exception) -> None:
        import tqdm  # the line goes above its progress bar

        unreadable.append(error)
        tqdm.tqdm.write(f"skipped: {error}", file=sys.stderr)

    sizes = set()
    data_set = import_images(
        options,
        **target,
        progress=True,
        on_unreadable=on_unreadable,
        on_sizes=sizes.update,
    )
    if len(sizes) > 1:
        (low, *_, high) = sorted(sizes, key=lambda size: size[0] * size[1])
        print(
            f"note: the images have {len(sizes)} sizes, {low[0]} x {low[1]} to "
            f"{high[0]} x {high[1]} pixels; places in them do not correspond, as they "
            "must for cirs_aligned and fixed_camera"
        )
    return data_set, len(unreadable)


def _image_options(arguments: dict) -> ImageOptions:
    frame = Frame(*parse_size(arguments.pop("size")), arguments.pop("how"))
    names = arguments.pop("classes")
    classes = tuple(name.strip() for name in names.split(",")) if names else ()
    return ImageOptions(frame=frame, classes=classes, **arguments)


def _make_video(arguments: dict, target: dict) -> "tuple[DataSet, int]":
    frame = Frame(*parse_size(arguments.pop("size")), arguments.pop("how"))
    file, every = arguments.pop("file"), arguments.pop("every")
    import_video = _import("data_gen.importers.video").import_video
    return import_video(
        file, every, frame=frame, **arguments, **target, progress=True
    ), 0


def _make_bsds(arguments: dict, target: dict) -> "tuple[DataSet, int]":
    options = BsdsOptions(**arguments)
    import_bsds = _import("data_gen.importers.bsds").import_bsds
    return import_bsds(options, **target, progress=True), 0


def _make_cifar10(arguments: dict, target: dict) -> "tuple[DataSet, int]":
    options = Cifar10Options(**arguments)
    import_cifar10 = _import("data_gen.importers.cifar10").import_cifar10
    return import_cifar10(options, **target, progress=True), 0


def _import(module: str) -> ModuleType:
    """Import a module that needs TensorFlow, whose import may swallow a Ctrl-C."""
    with interrupts_repeated():
        return importlib.import_module(module)


if __name__ == "__main__":
    sys.exit(main())
