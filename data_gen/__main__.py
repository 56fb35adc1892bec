"""Draws a data set: `python -m data_gen fruit --out data/fruit`."""

import argparse
import sys
import time
from pathlib import Path

from cirs_tf.errors import command
from data_gen.contact_sheet import CONTACT_SHEET
from data_gen.data_set import draw
from data_gen.options import SceneOptions, default_options


@command
def main(argv: list[str] | None = None) -> int:
    """Run the command; see `python -m data_gen --help`."""
    started = time.monotonic()
    arguments = vars(_parser().parse_args(argv))
    out, workers, overwrite = (
        arguments.pop(name) for name in ("out", "workers", "overwrite")
    )
    drawn = draw(
        SceneOptions(**arguments),
        out,
        workers=workers,
        overwrite=overwrite,
        progress=True,
    )
    if not drawn.fresh:
        print(f"{out}: already holds this data set; nothing to do")
        return 0
    splits = drawn.manifest.splits
    counts = ", ".join(f"{split.examples} {name}" for name, split in splits.items())
    size = sum(shard.bytes for split in splits.values() for shard in split.shards)
    print(
        f"wrote {counts} images to {out}: {size / 1e6:.1f} MB in "
        f"{time.monotonic() - started:.1f} s; see {out / CONTACT_SHEET}"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    default = default_options()
    parser = argparse.ArgumentParser(
        prog="python -m data_gen", description="Draw a data set as TFRecords."
    )
    scenes = parser.add_subparsers(dest="scene", required=True)
    fruit = scenes.add_parser(
        "fruit",
        help="a lemon, an apple and a blueberry before a static sky (thesis 5.1.1)",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    fruit.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write"
    )
    for split in ("train", "val", "test"):
        fruit.add_argument(
            f"--{split}",
            type=int,
            default=default.examples(split),
            metavar="N",
            help=f"number of {split} images",
        )
    fruit.add_argument(
        "--size",
        type=int,
        default=default.size,
        metavar="PIXELS",
        help="height and width",
    )
    fruit.add_argument("--seed", type=int, default=default.seed, metavar="N")
    fruit.add_argument(
        "--shards", type=int, default=default.shards, metavar="N", help="files a split"
    )
    fruit.add_argument(
        "--workers", type=int, default=2, metavar="N", help="processes that draw"
    )
    fruit.add_argument(
        "--sprites",
        type=Path,
        metavar="DIR",
        help="RGBA PNGs, one a class, in place of the fruits",
    )
    fruit.add_argument(
        "--background", type=Path, metavar="FILE", help="image in place of the sky"
    )
    fruit.add_argument(
        "--with-train-masks",
        action="store_true",
        help="write masks into the training records too",
    )
    fruit.add_argument(
        "--overwrite", action="store_true", help="replace a data set that is there"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
