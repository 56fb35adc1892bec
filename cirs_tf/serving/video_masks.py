"""Videos to segment: masks of their frames, and a video with the segments over it."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cirs_tf.atomic_write import atomic_folder, atomic_path
from cirs_tf.data.video_files import (
    VIDEO_SUFFIXES,
    Video,
    VideoWriter,
    open_video,
    video_library,
)
from cirs_tf.errors import CirsError, ConfigError, DataError
from cirs_tf.serving.image_files import write_mask
from cirs_tf.serving.output_names import output_names
from cirs_tf.serving.segment_stream import Segmented, StreamSettings, segment_stream
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.visualization import colorize, overlay

_OVERLAY = "_overlay.mp4"


@dataclasses.dataclass(frozen=True)
class SegmentedVideo:
    """What was written of a video.

    Attributes:
        frames: Number of masks.
        problem: What the file lacks, in one line that names it; empty: nothing.
    """

    frames: int
    problem: str


def divide_videos(sources: Iterable[str]) -> tuple[list[Path], list[str]]:
    """Return the files among sources that are called as videos are, and the others.

    Args:
        sources: Files and folders; what is in folders is not looked at.

    Raises:
        ConfigError: There is a video, and the extra `video` is not installed.
    """
    videos: list[Path] = []
    others = []
    for source in sources:
        path = Path(source)
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            videos.append(path)
        else:
            others.append(source)
    if videos:
        video_library()
    return list(dict.fromkeys(videos)), others


def video_names(
    videos: Sequence[Path], out: Path, images: Iterable[Path] = ()
) -> dict[Path, Path]:
    """Return the output name of each video, see `output_names`.

    Args:
        videos: Their files.
        out: Where folders and videos of these names will be written.
        images: Output names of images that go there too.

    Raises:
        ConfigError: Something is there already, or images would lie among its masks.
    """
    named = [(Path(video.name), video) for video in videos]
    names = output_names(named, ["", _OVERLAY])
    folders = {folder for image in images for folder in image.parents}
    for name, video in names.items():
        if name in folders:
            raise ConfigError(
                f"{video}: its masks would lie among those of images, in {out / name}; "
                "segment it into another folder"
            )
        for path in (out / name, out / f"{name}{_OVERLAY}"):
            if path.exists() and not (path.is_dir() and not any(path.iterdir())):
                raise ConfigError(
                    f"--out {out}: {path} is there already; choose another folder"
                )
    return names


def segment_video(
    segmenter: Segmenter,
    file: Path,
    masks: Path,
    settings: StreamSettings,
    every: int,
    max_pixels: int,
    seen: Callable[[Segmented[int]], None],
) -> SegmentedVideo:
    """Write a mask for each frame, and a video of the overlays as fast as the first.

    Frames are decoded and written as they come, some at a time. Folder and video appear
    at the end, whole; of a damaged file they hold the frames that can be decoded.

    Args:
        segmenter: What labels them.
        file: The video.
        masks: The folder of the masks, `000000.png` and so on by the frames' numbers;
            the overlays are `NAME_overlay.mp4` beside it.
        settings: How.
        every: Every so many frames one is taken.
        max_pixels: Videos of larger frames are refused.
        seen: Is called with each frame, the key being its number.

    Raises:
        DataError: No frame can be decoded, or frames are too large.
        ConfigError: The files cannot be written.
    """
    count, beside = 0, masks.with_name(f"{masks.name}{_OVERLAY}")
    with contextlib.ExitStack() as stack:
        video = stack.enter_context(open_video(file))
        if video.pixels > max_pixels:
            raise DataError(
                f"{file}: {video.pixels:,} pixels a frame; expected at most "
                f"{max_pixels:,}"
            )
        stack.enter_context(_written(f"{masks} and {beside.name}"))
        folder = stack.enter_context(atomic_folder(masks))
        path = stack.enter_context(atomic_path(beside))
        writer = stack.enter_context(VideoWriter(path, video.rate / every))
        for result in segment_stream(segmenter, _frames(video, every), settings):
            if result.error:
                raise result.error
            write_mask(result.labels, folder / f"{result.key:06}.png")
            writer.write(overlay(result.image, colorize(result.labels)))
            seen(result)
            count += 1
    problem = f"{file}: {video.problem}" if video.problem else ""
    return SegmentedVideo(count, problem)


def _frames(video: Video, every: int) -> Iterator[tuple[int, np.ndarray | CirsError]]:
    """Yield frames by number; an error comes after those before it were segmented."""
    try:
        yield from video.frames(every, strict=False)
    except DataError as error:
        yield -1, error


@contextlib.contextmanager
def _written(paths: str) -> Iterator[None]:
    """Turn what the system says to writing into an error of the output."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{paths}: cannot be written: {error.strerror}") from None
