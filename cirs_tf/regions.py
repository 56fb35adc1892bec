"""Regions of single photographs, untrained: `python -m cirs_tf.regions IMAGES`."""

import argparse
import functools
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.errors import ConfigError, ImageError, command
from cirs_tf.hierarchy import MAX_SIDE, NUM_SUPERPIXELS


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.regions") -> int:
    """Parse the command line and write the regions of every image.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    cuts = _cuts(arguments)
    # Late, so that help does not wait for SciPy.
    from cirs_tf.data.image_files import read_image
    from cirs_tf.serving.image_files import check_apart, find_images, make_folders

    out = Path(arguments.out)
    endings = [f"{cut}{kind}.png" for cut in cuts for kind in ("", "_overlay")]
    endings += ["_boundaries.png", ".json", "_tree.npz"]
    found = find_images(arguments.images, arguments.recursive, endings)
    check_apart(out, arguments.images, found, arguments.recursive, endings)
    _check_own(out / f"{name}.json" for name in found)
    make_folders(out, found)
    features, origin = _features(arguments.features)
    if origin:
        print(f"features  {origin}")
    failed = 0
    for name, path in tqdm(found.items(), unit="img", disable=None):
        try:
            image = read_image(path)
            facts = _write(image, out / name, cuts, arguments, features)
            facts = {"features": origin, **facts}
            text = json.dumps(facts, indent=1) + "\n"
            write_text_atomically(out / f"{name}.json", text)
        except (ImageError, OSError) as error:
            what = error
            if isinstance(error, OSError):
                what = f"{out / name}: cannot be written: {error.strerror}"
            tqdm.write(f"error: {what}", file=sys.stderr)
            failed += 1
    print(f"regions of {len(found) - failed} of {len(found)} images in {out}")
    return 1 if failed else 0


def _check_own(files: Iterable[Path]) -> None:
    """Refuse to write over a JSON file that is of something else, such as labels."""
    for file in files:
        try:
            facts = json.loads(file.read_text())
        except OSError:  # not there, or told where it is written
            continue
        except ValueError:
            facts = None
        if not (isinstance(facts, dict) and {"size", "cuts"} <= facts.keys()):
            raise ConfigError(
                f"--out {file.parent}: {file} is no file of `regions`; choose another "
                "folder"
            )


def _features(name: str) -> tuple:
    """Return what computes feature maps, and where it comes from; or None for both."""
    from cirs_tf.models.backbones import weights_file

    if name == "none" or (name == "auto" and not weights_file.is_installed()):
        return None, None
    weights_file.checked_file()

    @functools.cache
    def feature_maps():
        # Built for the first image whose tree is not kept: it imports TensorFlow.
        from cirs_tf.hierarchy.merging import BACKBONE_WEIGHTS
        from cirs_tf.models.backbones.pretrained import pretrained_feature_maps

        weights = BACKBONE_WEIGHTS.features
        return pretrained_feature_maps([name for name in weights if weights[name]])

    return lambda image: feature_maps()(image), weights_file.ORIGIN


def _write(image, base: Path, cuts: dict[str, tuple], arguments, features) -> dict:
    """Write pictures of one image under names that begin with `base`; return facts."""
    from cirs_tf.hierarchy.photograph import enlarge, kept_tree
    from cirs_tf.hierarchy.region_files import (
        outlined,
        region_facts,
        strength_picture,
    )
    from cirs_tf.serving.image_files import write_mask, write_png

    def file(ending: str) -> Path:
        return base.with_name(f"{base.name}{ending}")

    height, width = image.shape[:2]
    tree = kept_tree(
        image,
        file("_tree.npz"),
        arguments.superpixels,
        arguments.max_side,
        features,
    )
    facts = []
    for ending, (level, number) in cuts.items():
        small = tree.cut(level) if number is None else tree.cut_into(number)
        if number is not None and number > tree.num_superpixels:
            tqdm.write(
                f"{base}: only {tree.num_superpixels} superpixels, not {number}; "
                "raise --superpixels",
                file=sys.stderr,
            )
        regions = enlarge(small, height, width)
        write_mask(regions, file(f"{ending}.png"))
        write_png(outlined(image, regions), file(f"{ending}_overlay.png"))
        at = tree.level_of(number) if level is None else level
        listed = region_facts(image, regions)
        name = file(f"{ending}.png").name
        facts.append({"mask": name, "level": at, "regions": listed})
    strengths = enlarge(tree.boundary_levels(), height, width)
    write_png(strength_picture(strengths), file("_boundaries.png"))
    return {"size": [width, height], "cuts": facts}


def _cuts(arguments) -> dict[str, tuple[float | None, int | None]]:
    """Return level or number of regions by the ending of their files' names."""
    for level in arguments.level:
        if not (math.isfinite(level) and level >= 0):
            raise ConfigError(f"--level: expected 0 or more, got {level}")
    for flag, numbers, most in (
        ("--regions", arguments.regions, 65_535),
        ("--superpixels", [arguments.superpixels], 20_000),
        ("--max-side", [arguments.max_side], 100_000),
    ):
        for number in numbers:
            if not 1 <= number <= most:
                raise ConfigError(f"{flag}: expected 1 to {most:,}, got {number}")
    levels = arguments.level or ([] if arguments.regions else [1.0])
    cuts = {f"_level-{level:.12g}": (level, None) for level in levels}
    cuts |= {f"_regions-{number}": (None, number) for number in arguments.regions}
    return {"": next(iter(cuts.values()))} if len(cuts) == 1 else cuts


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Divide every image into regions of one look, without training. "
        "Writes NAME.png (pixel value = region), NAME_overlay.png (outlines), "
        "NAME_boundaries.png (how strong each border is), NAME.json (area, box and "
        "mean color of each region) and NAME_tree.npz, from which the next call cuts "
        "other levels of the same image at once.",
        epilog="With several levels or numbers: NAME_level-2.png, NAME_regions-8.png, "
        "... Of a folder, the images in it are taken; those in its sub-folders with "
        "--recursive.",
    )
    add = parser.add_argument
    add("images", nargs="+", metavar="IMAGE_OR_FOLDER")
    add("--recursive", action="store_true", help="read sub-folders too")
    add("--out", required=True, metavar="DIR", help="made if missing")
    add(
        "--level",
        type=float,
        action="append",
        default=[],
        metavar="L",
        help="how much regions may differ inside; 0: superpixels; 1 (default): as "
        "coarse as people draw; 2: coarser. May be given several times",
    )
    add(
        "--regions",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="this many regions instead. May be given several times",
    )
    add(
        "--features",
        choices=["auto", "none", "efficientnet_lite0"],
        default="auto",
        help="beside colors: what a network trained on ImageNet sees (extra "
        "pretrained); auto (default): where it is installed",
    )
    add(
        "--superpixels",
        type=int,
        default=NUM_SUPERPIXELS,
        metavar="N",
        help="about how many regions the finest level has (default: %(default)s)",
    )
    add(
        "--max-side",
        type=int,
        default=MAX_SIDE,
        metavar="PIXELS",
        help="larger images are shrunk for it, and regions enlarged (default: "
        "%(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
