"""Makes a data set: `python -m data_gen fruit --out data/fruit`."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from cirs_tf.errors import ImageError, command
from data_gen.contact_sheet import CONTACT_SHEET
from data_gen.draw_dataset import draw
from data_gen.importers.bsds import BsdsOptions, import_bsds
from data_gen.importers.cifar10 import Cifar10Options, import_cifar10
from data_gen.importers.frame import CROP, FIT, Frame, parse_size
from data_gen.importers.images import import_images
from data_gen.importers.options import ImageOptions
from data_gen.options import SceneOptions, default_options
from data_gen.scenes import SCENES
from data_gen.write_dataset import DataSet


@command
def main(argv: list[str] | None = None) -> int:
    """Run the command; see `python -m data_gen --help`."""
    started = time.monotonic()
    arguments = vars(_parser().parse_args(argv))
    kind, make = arguments.pop("kind"), arguments.pop("make")
    known = ("out", "workers", "overwrite")
    where = {name: arguments.pop(name) for name in known if name in arguments}
    if make is _make_scene:
        arguments["scene"] = kind
    made, skipped = make(arguments, {**where, "progress": True})
    out = where["out"]
    if not made.fresh:
        print(f"{out}: already holds this data set; nothing to do")
        return 0
    splits = made.manifest.splits
    counts = ", ".join(f"{split.examples} {name}" for name, split in splits.items())
    size = sum(shard.bytes for split in splits.values() for shard in split.shards)
    what = "patches" if kind == "bsds" and not arguments["whole"] else "images"
    print(
        f"wrote {counts} {what} to {out}: {size / 1e6:.1f} MB in "
        f"{time.monotonic() - started:.1f} s; see {out / CONTACT_SHEET}"
    )
    if skipped:
        print(f"skipped {skipped} that cannot be read, listed above")
    return 0


def _make_scene(arguments: dict, where: dict) -> tuple[DataSet, int]:
    return draw(SceneOptions(**arguments), **where), 0


def _make_images(arguments: dict, where: dict) -> tuple[DataSet, int]:
    frame = Frame(*parse_size(arguments.pop("size")), arguments.pop("how"))
    names = arguments.pop("classes")
    classes = tuple(one.strip() for one in names.split(",")) if names else ()
    options = ImageOptions(frame=frame, classes=classes, **arguments)
    broken = []

    def on_broken(error: ImageError) -> None:
        broken.append(error)
        tqdm.write(f"skipped: {error}", file=sys.stderr)

    return import_images(options, **where, on_broken=on_broken), len(broken)


def _make_bsds(arguments: dict, where: dict) -> tuple[DataSet, int]:
    return import_bsds(BsdsOptions(**arguments), **where), 0


def _make_cifar10(arguments: dict, where: dict) -> tuple[DataSet, int]:
    return import_cifar10(Cifar10Options(**arguments), **where), 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_gen", description="Make a data set of TFRecords."
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    _add_scene(
        kinds,
        "fruit",
        "a lemon, an apple and a blueberry before a sky (thesis 5.1.1)",
    )
    _add_scene(
        kinds,
        "twotone",
        "a ball, a parcel and a kite of several colors each before the same sky",
    )
    _add_scene(
        kinds,
        "dsprites",
        "multi-dSprites: squares, ellipses and hearts of random colors on gray",
    )
    _add_scene(
        kinds,
        "tetrominoes",
        "three Tetris pieces on black; 19 pieces and orientations are the classes",
    )
    _add_images(kinds)
    _add_bsds(kinds)
    _add_cifar10(kinds)
    return parser


def _add_scene(kinds: argparse._SubParsersAction, name: str, title: str) -> None:
    kind, default = SCENES[name], default_options(scene=name)
    add = _add_kind(kinds, name, title, _make_scene).add_argument
    for split in ("train", "val", "test"):
        add(
            f"--{split}",
            type=int,
            default=default.examples(split),
            metavar="N",
            help=f"number of {split} images",
        )
    add(
        "--size",
        type=int,
        default=default.size,
        metavar="PIXELS",
        help=f"height and width{_multiple(kind.size_step)}",
    )
    if kind.takes_images:
        add(
            "--sprites",
            type=Path,
            metavar="DIR",
            help="RGBA PNGs, one a class, in place of the scene's own objects",
        )
        add(
            "--background",
            default="static",
            metavar="static|shift|FILE",
            help="static: the same sky in every image; shift: another part of a larger "
            "sky in each, mirrored or not; or an image (./shift for a file so named)",
        )
    elif kind.backgrounds:
        add(
            "--background",
            default=kind.backgrounds[0],
            metavar="|".join(kind.backgrounds),
            help="what the one color behind the sprites is drawn from, in each image",
        )
    if kind.default_objects:
        add(
            "--objects",
            default=kind.default_objects,
            metavar="MIN-MAX",
            help="number of sprites an image",
        )


def _multiple(step: int) -> str:
    return f", a multiple of {step}" if step > 1 else ""


def _add_images(kinds: argparse._SubParsersAction) -> None:
    parser = _add_kind(kinds, "images", "your own images, from a folder", _make_images)
    add = parser.add_argument
    source = {"type": Path, "metavar": "DIR_OR_ZIP"}
    add("--images", required=True, help="images; sub-folders are classes", **source)
    add("--masks", help="their masks: indexed PNGs of the same names", **source)
    add("--test-images", help="images of the test split", **source)
    add("--test-masks", help="their masks", **source)
    add("--size", default="64", metavar="PIXELS|HxW", help="height and width")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--crop",
        dest="how",
        action="store_const",
        const=CROP,
        default=CROP,
        help="fill the size, cut what stands out (default)",
    )
    how.add_argument(
        "--fit",
        dest="how",
        action="store_const",
        const=FIT,
        default=argparse.SUPPRESS,
        help="keep the whole image, repeat its edge around it",
    )
    add("--val", type=float, default=0.1, metavar="F", help="fraction for validation")
    add(
        "--test",
        type=float,
        metavar="F",
        help="fraction for testing; 0.1 without --test-images",
    )
    add("--classes", metavar="A,B,...", help="names of the labels 0, 1, ... in masks")
    add("--strict", action="store_true", help="stop at an image that cannot be read")


def _add_bsds(kinds: argparse._SubParsersAction) -> None:
    default = BsdsOptions("")
    add = _add_kind(
        kinds,
        "bsds",
        "BSDS500 with its human segmentations: patches, or whole images",
        _make_bsds,
    ).add_argument
    add("source", type=Path, metavar="ZIP_OR_DIR", help="BSDS500 as it is published")
    add(
        "--whole",
        action="store_true",
        help="321x481 images, the upright ones turned, in place of patches",
    )
    add(
        "--patch",
        type=int,
        default=default.patch,
        metavar="PIXELS",
        help="height and width of a patch",
    )
    add(
        "--patches-per-image",
        dest="train_patches",
        type=int,
        default=default.train_patches,
        metavar="N",
        help="patches of each train image",
    )
    add(
        "--val-patches-per-image",
        dest="val_patches",
        type=int,
        default=default.val_patches,
        metavar="N",
        help="patches of each val or test image",
    )


def _add_cifar10(kinds: argparse._SubParsersAction) -> None:
    add = _add_kind(
        kinds,
        "cifar10",
        "CIFAR-10 with its classes, as keras.datasets loads it (thesis 9.1)",
        _make_cifar10,
        plain=True,
    ).add_argument
    add(
        "--val",
        type=int,
        default=Cifar10Options().val,
        metavar="N",
        help="number of training images that serve validation",
    )


def _add_kind(
    kinds: argparse._SubParsersAction,
    name: str,
    title: str,
    make: Callable,
    plain: bool = False,
) -> argparse.ArgumentParser:
    """Add a sub-command with the options that all have; `plain` ones have fewer."""
    parser = kinds.add_parser(
        name,
        help=title,
        description=title,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(make=make)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    add("--seed", type=int, default=0, metavar="N")
    add("--shards", type=int, default=8, metavar="N", help="files a split")
    add("--overwrite", action="store_true", help="replace a data set that is there")
    if plain:
        return parser
    add("--workers", type=int, default=2, metavar="N", help="decode or draw at once")
    add(
        "--with-train-masks",
        action="store_true",
        help="write masks into the training records too",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
