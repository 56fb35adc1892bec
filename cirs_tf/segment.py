"""Segment images with an exported model: `python -m cirs_tf.segment MODEL IMAGES`."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from cirs_tf.errors import ConfigError, ImageError, command


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.segment") -> int:
    """Parse the command line and write a mask and an overlay for every image.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.data.image_files import read_image
    from cirs_tf.serving.image_files import find_images, write_mask, write_overlay
    from cirs_tf.serving.savedmodel import load_savedmodel

    out = Path(arguments.out)
    found = find_images(arguments.images, arguments.recursive)
    _check_apart(out, arguments.images, found, arguments.recursive)
    segmenter = load_savedmodel(arguments.model)
    try:
        for folder in {out, *((out / name).parent for name in found)}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from None
    failed = 0
    for name, path in tqdm(found.items(), unit="img", disable=None):
        try:
            image = read_image(path)
        except ImageError as error:
            # The other images do not wait for this one to be mended.
            tqdm.write(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        labels = segmenter.predict(image)
        write_mask(labels, out / f"{name}.png")
        write_overlay(image, labels, out / f"{name}_overlay.png")
    done = len(found) - failed
    print(f"{done} of {len(found)} images segmented into {out}")
    return 1 if failed else 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write NAME.png (palette image, pixel value = segment index) and "
        "NAME_overlay.png for every image.",
        epilog="Of a folder, the images in it are segmented; those in its sub-folders "
        "with --recursive, into sub-folders of the same names.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL_DIR", help="a folder written by export")
    add("images", nargs="+", metavar="IMAGE_OR_FOLDER")
    add("--recursive", action="store_true", help="read sub-folders too")
    add("--out", required=True, metavar="DIR", help="made if missing")
    return parser


def _check_apart(
    out: Path, sources: list[str], found: dict[Path, Path], recursive: bool
) -> None:
    """Refuse to write over the images, or where a second call would find masks."""
    for source in map(Path, sources):
        within = out.resolve().is_relative_to(source.resolve())
        if recursive and within and source.is_dir():
            raise ConfigError(
                f"--out {out}: lies in {source}; choose a folder outside it"
            )
    images = {path.resolve() for path in found.values()}
    for name in found:
        for written in (out / f"{name}.png", out / f"{name}_overlay.png"):
            if written.resolve() in images:
                raise ConfigError(
                    f"--out {out}: {written} is one of the images; "
                    "choose another folder"
                )


if __name__ == "__main__":
    raise SystemExit(main())
