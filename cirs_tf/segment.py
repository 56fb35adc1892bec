"""Segment images with an exported model: `python -m cirs_tf.segment MODEL IMAGES`."""

import argparse
import sys
import typing
from collections.abc import Iterable
from pathlib import Path

from cirs_tf.beam_options import add_beam
from cirs_tf.data.image_files import LARGEST, MAX_PIXELS
from cirs_tf.errors import ConfigError, command
from cirs_tf.postprocessing.arguments import add_postprocessing, postprocessing_of

if typing.TYPE_CHECKING:
    from cirs_tf.serving.segment_stream import StreamSettings
    from cirs_tf.serving.segmenter import Segmenter

_SHEET_IMAGES = 24
_NAMED = 5  # files that are left out


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.segment") -> int:
    """Parse the command line and write a mask and an overlay for every image.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.serving.image_files import (
        OverlaySheet,
        check_apart,
        find_images,
        left_out,
        make_folders,
    )
    from cirs_tf.serving.segment_files import FileSegmenter
    from cirs_tf.serving.segment_summary import SegmentSummary
    from cirs_tf.serving.video_masks import divide_videos, video_names

    settings = _settings(arguments)
    if "beam" in arguments:
        from cirs_tf.serving.beam_segment import segment_with_beam

        return segment_with_beam(arguments, settings)
    out = Path(arguments.out)
    videos, sources = divide_videos(arguments.images)
    if videos and arguments.probabilities:
        raise ConfigError(f"--probabilities: expected images alone, got {videos[0]}")
    endings = [".png", "_overlay.png"]
    if arguments.probabilities:
        endings.append("_probabilities.npz")
    found = {}
    if sources or not videos:
        found = find_images(sources, arguments.recursive, endings)
        check_apart(out, sources, found, arguments.recursive, endings)
    clips = video_names(videos, out, found)
    summary = SegmentSummary(arguments.summary) if arguments.summary else None
    if arguments.sheet:
        _check_sheet(Path(arguments.sheet), out, sources, found)
    segmenter = _load(arguments.model)
    _say_left_out(left_out(sources, arguments.recursive))
    make_folders(out, [*found, *clips])
    sheet = OverlaySheet(_SHEET_IMAGES)
    files = FileSegmenter(
        segmenter, settings, out, arguments.max_pixels, sheet, summary
    )
    try:
        files.segment_images(found)
        files.segment_videos(clips, arguments.every)
    finally:  # also of what was done before a full disk, or Ctrl-C
        if summary:
            summary.write()
        if arguments.sheet and files.done:
            sheet.write(arguments.sheet)
    return 1 if files.failed else 0


def _settings(arguments: argparse.Namespace) -> "StreamSettings":
    """Return how images are segmented.

    Raises:
        ConfigError: A number is out of range.
    """
    from cirs_tf.serving.segment_stream import StreamSettings

    if not 1 <= arguments.max_pixels <= LARGEST:
        raise ConfigError(
            f"--max-pixels: expected 1 to {LARGEST:,}, got {arguments.max_pixels:,}"
        )
    settings = StreamSettings(
        arguments.batch_size,
        arguments.native,
        arguments.tile,
        arguments.overlap,
        *postprocessing_of(arguments),
        arguments.probabilities,
    )
    if arguments.every < 1:
        raise ConfigError(f"--every: expected at least 1, got {arguments.every}")
    return settings


def _load(model: str) -> "Segmenter":
    """Load a segmenter, and say where it does not know its training images' size."""
    from cirs_tf.serving.exported_model import load_exported, size_note

    segmenter = load_exported(model)
    if note := size_note(segmenter):
        print(f"note: {model}: {note}", file=sys.stderr)
    return segmenter


def _say_left_out(files: list[Path]) -> None:
    """Name the files of folders that are not taken for images."""
    from cirs_tf.data.image_files import SUFFIXES

    if files:
        names = ", ".join(map(str, files[:_NAMED]))
        more = f" and {len(files) - _NAMED:,} more" if len(files) > _NAMED else ""
        print(
            f"left out: {names}{more}; of a folder, files ending in "
            f"{', '.join(SUFFIXES)} are taken, videos where they are named themselves",
            file=sys.stderr,
        )


def _check_sheet(
    sheet: Path, out: Path, sources: Iterable[str], found: dict[Path, Path]
) -> None:
    """Refuse a file that is no PNG, is read or written, or lies among the images."""
    if sheet.suffix.lower() != ".png":
        raise ConfigError(f"--sheet {sheet}: expected a name that ends in .png")
    masks = [out / f"{name}{end}.png" for name in found for end in ("", "_overlay")]
    taken = {path.resolve() for path in (out, *found.values(), *masks)}
    if sheet.is_dir() or sheet.resolve() in taken:
        raise ConfigError(f"--sheet {sheet}: is an image, mask or folder")
    folders = [Path(source).resolve() for source in sources if Path(source).is_dir()]
    if any(sheet.resolve().is_relative_to(folder) for folder in folders):
        raise ConfigError(f"--sheet {sheet}: lies among the images; choose another")
    try:
        sheet.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--sheet {sheet}: {error.strerror}") from None


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write NAME.png (palette image, pixel value = segment index) and "
        "NAME_overlay.png for every image.",
        epilog="Of a folder, the images in it are segmented; those in its sub-folders "
        "with --recursive, into sub-folders of the same names. Images that would be "
        "written over one another keep their suffix: a.jpg.png beside a.png.png. Of "
        "a video that is named itself (extra video), NAME/NUMBER.png for every frame, "
        "and NAME_overlay.mp4.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="written by export: a SavedModel, a .keras file")
    add("images", nargs="+", metavar="IMAGE_OR_FOLDER_OR_VIDEO")
    add("--recursive", action="store_true", help="read sub-folders too")
    add("--out", required=True, metavar="DIR", help="made if missing")
    add(
        "--sheet",
        metavar="PNG",
        help=f"write the first {_SHEET_IMAGES} images and their overlays into one "
        "picture too",
    )
    add_postprocessing(parser)
    add(
        "--summary",
        metavar="FILE",
        help="write size and share of each segment of every image, as .json or .csv",
    )
    add(
        "--probabilities",
        action="store_true",
        help="write NAME_probabilities.npz too: [height, width, segments] float16",
    )
    add(
        "--native",
        action="store_true",
        help="run images at their own size, not at the scale of the training images",
    )
    add(
        "--tile",
        type=int,
        metavar="PIXELS",
        help="the same in tiles of this side, one after the other, for large pictures; "
        "a multiple of 32",
    )
    add(
        "--overlap",
        type=int,
        default=64,
        metavar="PIXELS",
        help="what the network sees around a tile; a multiple of 32 (default: "
        "%(default)s)",
    )
    add(
        "--batch-size",
        type=int,
        default=32,
        metavar="N",
        help="images of one size that are segmented at once, where they are small "
        "(default: %(default)s)",
    )
    add(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="of a video, every N-th frame (default: %(default)s)",
    )
    add(
        "--max-pixels",
        type=int,
        default=MAX_PIXELS,
        metavar="N",
        help="larger images are refused before they are decoded (default: %(default)s)",
    )
    add_beam(parser, "Images may be patterns such as 'gs://bucket/photos/*.jpg'.")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
