"""Segment images with an exported model: `python -m cirs_tf.segment MODEL IMAGES`."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from cirs_tf.errors import ConfigError, ImageError, command
from cirs_tf.serving.image_files import (
    find_images,
    read_image,
    write_mask,
    write_overlay,
)
from cirs_tf.serving.savedmodel import SavedSegmenter


@command
def main(argv: list[str] | None = None) -> int:
    """Parse the command line and write a mask and an overlay for every image."""
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.segment",
        description="Write NAME.png (palette image, pixel value = segment index) and "
        "NAME_overlay.png for every image.",
        epilog="Of a folder, the images in it are segmented; those in its sub-folders "
        "with --recursive, into sub-folders of the same names.",
    )
    parser.add_argument("model", metavar="MODEL_DIR", help="from cirs_tf.export")
    parser.add_argument("images", nargs="+", metavar="IMAGE_OR_FOLDER")
    parser.add_argument("--recursive", action="store_true", help="read sub-folders too")
    parser.add_argument("--out", required=True, metavar="DIR", help="made if missing")
    arguments = parser.parse_args(argv)

    out = Path(arguments.out)
    found = find_images(arguments.images, arguments.recursive)
    _check_apart(out, arguments.images, found, arguments.recursive)
    segment = SavedSegmenter(arguments.model)
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
        labels = segment(image)
        write_mask(labels, out / f"{name}.png")
        write_overlay(image, labels, out / f"{name}_overlay.png")
    done = len(found) - failed
    print(f"{done} of {len(found)} images segmented into {out}")
    return 1 if failed else 0


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
