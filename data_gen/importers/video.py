"""Makes a data set from the frames of a video."""

import dataclasses
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cirs_tf.data.video_files import open_video
from cirs_tf.errors import DataError
from data_gen.importers.images import import_images
from data_gen.importers.options import ImageOptions
from data_gen.options import check_minimum
from data_gen.write_dataset import DataSet, progress_bar


def read_frames(file: str | Path, every: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    """Yield frames of a video, as they are decoded.

    Args:
        file: A video, as FFmpeg reads it.
        every: Every so many frames one is taken, the first one first.

    Yields:
        The number of the frame, from 0, and its `[height, width, 3]` uint8 RGB.

    Raises:
        ConfigError: The extra `video` is not installed, or `every` is below 1.
        DataError: The file is no video, or is damaged.
    """
    check_minimum("every", every, 1)
    with open_video(file) as video:
        yield from video.frames(every)


def import_video(
    file: str | Path,
    every: int,
    *,
    out: str | Path,
    overwrite: bool = False,
    workers: int = 1,
    progress: bool = False,
    **options: Any,
) -> DataSet:
    """Make a data set from the frames of a video, unless `out` already holds it.

    Frames are decoded to a temporary folder beside `out`, and imported as images are.

    Args:
        file: The video.
        every: Every so many frames one is taken.
        out: Folder to write; made where there is none.
        overwrite: Whether to replace a data set that `out` holds.
        workers: Number of threads that read frames.
        progress: Whether to show bars on a terminal.
        **options: Of `ImageOptions`: `frame`, `val`, `test`, `seed`, `shards`.

    Returns:
        The data set; a record's name is `STEM_NUMBER.bmp`, the number of the frame.

    Raises:
        ConfigError: The extra `video` is not installed, or an option is out of range.
        DataError: The file is no video or has too few frames, or `out` cannot be
            written.
    """
    checked = ImageOptions(images=file, **options)
    frames = read_frames(file, every)
    first = next(frames)  # before anything is written
    stem, beside = Path(file).stem.lstrip("."), Path(out).absolute().parent
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".frames-", dir=beside) as folder:
            with progress_bar(progress, unit=" frames", desc="decoding") as bar:
                for number, frame in itertools.chain([first], frames):
                    # Not compressed: the same bytes whatever the library's version.
                    path = Path(folder, f"{stem}_{number:06}.bmp")
                    Image.fromarray(frame).save(path)
                    bar.update()
            try:
                return import_images(
                    dataclasses.replace(checked, images=folder),
                    out,
                    workers=workers,
                    overwrite=overwrite,
                    progress=progress,
                )
            except DataError as error:
                raise DataError(str(error).replace(folder, str(file))) from None
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror}") from None
