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
    )
    parser.add_argument("model", metavar="MODEL_DIR", help="from cirs_tf.export")
    parser.add_argument("images", nargs="+", metavar="IMAGE_OR_FOLDER")
    parser.add_argument("--out", required=True, metavar="DIR", help="made if missing")
    arguments = parser.parse_args(argv)

    paths = find_images(arguments.images)
    segment = SavedSegmenter(arguments.model)
    out = Path(arguments.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: {error.strerror}") from None
    failed = 0
    for path in tqdm(paths, unit="img", disable=None):
        try:
            image = read_image(path)
        except ImageError as error:
            # The other images do not wait for this one to be mended.
            tqdm.write(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        labels = segment(image)
        write_mask(labels, out / f"{path.stem}.png")
        write_overlay(image, labels, out / f"{path.stem}_overlay.png")
    done = len(paths) - failed
    print(f"{done} of {len(paths)} images segmented into {out}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
