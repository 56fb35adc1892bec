"""The arguments of `python -m data_gen`.

This module imports no TensorFlow, so that help and errors appear at once.
"""

import argparse
from pathlib import Path

from cirs_tf.beam_options import add_beam
from data_gen.importers.options import CROP, FIT, BsdsOptions, Cifar10Options
from data_gen.options import default_options
from data_gen.scenes import SCENES

_SCENE_TITLES = {
    "fruit": "a lemon, an apple and a blueberry in front of a sky (thesis 5.1.1)",
    "twotone": "a ball, a parcel and a kite, of several colors each, in front of a sky",
    "dsprites": "multi-dSprites: squares, ellipses and hearts of random colors on gray",
    "tetrominoes": "three Tetris pieces on black; the classes are 19 pieces with "
    "their orientation",
}


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the parser of all kinds of data sets.

    The parsed `kind` is the sub-command: a name in `data_gen.scenes.SCENES`, `images`,
    `video`, `bsds`, `cifar10` or `merge`.

    Args:
        prog: What help and errors call the command.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description="Make a data set of TFRecords."
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in SCENES:
        _add_scene(kinds, name)
    _add_images(kinds)
    _add_video(kinds)
    _add_bsds(kinds)
    _add_cifar10(kinds)
    _add_merge(kinds)
    return parser


def _add_scene(kinds: argparse._SubParsersAction, name: str) -> None:
    scene_class, default = SCENES[name], default_options(scene=name)
    parser = _add_kind(kinds, name, _SCENE_TITLES[name])
    _add_machines(parser)
    add = parser.add_argument
    for split in ("train", "val", "test"):
        add(
            f"--{split}",
            type=int,
            default=default.num_examples(split),
            metavar="N",
            help=f"number of {split} images",
        )
    multiple = scene_class.size_multiple
    add(
        "--size",
        type=int,
        default=default.size,
        metavar="PIXELS",
        help="height and width" + (f", a multiple of {multiple}" * (multiple > 1)),
    )
    if scene_class.accepts_images:
        add(
            "--sprites",
            type=Path,
            metavar="DIR",
            help="RGBA PNGs, one per class, in place of the scene's own objects",
        )
        add(
            "--background",
            default=scene_class.backgrounds[0],
            metavar="static|shift|FILE",
            help="static: the same sky in every image; shift: another part of a larger "
            "sky in each, mirrored or not; or an image (./shift for a file so named)",
        )
    elif scene_class.backgrounds:
        add(
            "--background",
            default=scene_class.backgrounds[0],
            metavar="|".join(scene_class.backgrounds),
            help="what the one color behind the sprites is drawn from, per image",
        )
    if scene_class.default_objects:
        add(
            "--objects",
            default=scene_class.default_objects,
            metavar="MIN-MAX",
            help="number of sprites per image",
        )


def _add_images(kinds: argparse._SubParsersAction) -> None:
    parser = _add_kind(kinds, "images", "your own images, from a folder")
    add = parser.add_argument
    source = {"type": Path, "metavar": "DIR_OR_ZIP"}
    add("--images", required=True, help="images; sub-folders are classes", **source)
    add("--masks", help="their masks: indexed PNGs of the same names", **source)
    add("--test-images", help="images of the test split", **source)
    add("--test-masks", help="their masks", **source)
    _add_frame(parser)
    _add_machines(parser)
    add("--val", type=float, default=0.1, metavar="F", help="fraction for validation")
    add(
        "--test",
        type=float,
        metavar="F",
        help="fraction for testing; 0.1 without --test-images",
    )
    add("--classes", metavar="A,B,...", help="names of the labels 0, 1, ... in masks")
    add("--strict", action="store_true", help="stop at an image that cannot be read")


def _add_video(kinds: argparse._SubParsersAction) -> None:
    title = "frames of a video (extra video: pip install 'cirs-tf[video]')"
    parser = _add_kind(kinds, "video", title, masks=False)
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="a video, as FFmpeg reads it")
    add("--every", type=int, default=1, metavar="N", help="take every Nth frame")
    _add_frame(parser)
    add("--val", type=float, default=0.1, metavar="F", help="fraction for validation")
    add("--test", type=float, default=0.1, metavar="F", help="fraction for testing")


def _add_frame(parser: argparse.ArgumentParser) -> None:
    """Add the size of records, and how images come to it."""
    add = parser.add_argument
    add("--size", default="64", metavar="PIXELS|HxW", help="height and width")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--crop",
        dest="how",
        action="store_const",
        const=CROP,
        default=CROP,
        help="fill the size and crop what exceeds it (default)",
    )
    how.add_argument(
        "--fit",
        dest="how",
        action="store_const",
        const=FIT,
        default=argparse.SUPPRESS,
        help="keep the whole image and repeat its edge around it",
    )


def _add_bsds(kinds: argparse._SubParsersAction) -> None:
    default = BsdsOptions("")
    title = "BSDS500 with its human segmentations: patches, or whole images"
    add = _add_kind(kinds, "bsds", title).add_argument
    add("source", type=Path, metavar="ZIP_OR_DIR", help="BSDS500 as it is published")
    add(
        "--whole",
        action="store_true",
        help="whole images, 321x481, upright ones rotated, instead of patches",
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
        help="patches per training image",
    )
    add(
        "--val-patches-per-image",
        dest="val_patches",
        type=int,
        default=default.val_patches,
        metavar="N",
        help="patches per validation or test image",
    )


def _add_cifar10(kinds: argparse._SubParsersAction) -> None:
    title = "CIFAR-10 with its classes, as keras.datasets loads it (thesis 9.1)"
    add = _add_kind(kinds, "cifar10", title, decodes=False).add_argument
    add(
        "--val",
        type=int,
        default=Cifar10Options().val,
        metavar="N",
        help="number of training images to use for validation instead",
    )


def _add_machines(parser: argparse.ArgumentParser) -> None:
    """Add how the work is divided among machines. What is not given is not parsed."""
    add = parser.add_argument
    add(
        "--shard",
        type=int,
        default=argparse.SUPPRESS,
        metavar="I",
        help="write the Ith part alone, from 0, into DIR-part-I-of-N; see merge",
    )
    add(
        "--num-shards",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help="the number of those parts",
    )
    add_beam(parser)


def _add_merge(kinds: argparse._SubParsersAction) -> None:
    title = "one data set of the parts that --shard I --num-shards N wrote"
    parser = kinds.add_parser("merge", help=title, description=title)
    add = parser.add_argument
    add("parts", type=Path, nargs="+", metavar="PART", help="a part's folder")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    add("--overwrite", action="store_true", help="replace an existing data set")


def _add_kind(
    kinds: argparse._SubParsersAction,
    name: str,
    title: str,
    decodes: bool = True,
    masks: bool = True,
) -> argparse.ArgumentParser:
    """Add a sub-command with the arguments that all share.

    Args:
        kinds: Where to add it.
        name: Name of the sub-command.
        title: Help text in one line.
        decodes: Whether it draws or decodes images, with workers.
        masks: Whether it may have masks.

    Returns:
        The parser of the sub-command.
    """
    parser = kinds.add_parser(
        name,
        help=title,
        description=title,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    add("--seed", type=int, default=0, metavar="N", help="seed of all random choices")
    add("--shards", type=int, default=8, metavar="N", help="files per split")
    add("--overwrite", action="store_true", help="replace an existing data set")
    if decodes:
        add(
            "--workers",
            type=int,
            default=2,
            metavar="N",
            help="number of images drawn or decoded at once",
        )
    if decodes and masks:
        add(
            "--with-train-masks",
            action="store_true",
            help="write masks into the training records too",
        )
    return parser
