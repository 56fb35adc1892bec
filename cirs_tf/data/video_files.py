"""Frames of video files, by FFmpeg (PyAV, the extra `video`), and videos of frames."""

import contextlib
import importlib
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from cirs_tf.errors import ConfigError, DataError

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg")
_MISSING_SECONDS = 0.5  # that a file may end before it says; rounding is less
_TIME = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_RATE = 25  # frames per second where a file does not say


def video_library() -> Any:
    """Import PyAV.

    Raises:
        ConfigError: The extra `video` is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ConfigError(
            "video: PyAV is not installed: pip install 'cirs-tf[video]'"
        ) from None


class Video:
    """An open video.

    Attributes:
        rate: Frames per second.
        count: Number of frames that the file says to have; 0: it does not say.
        pixels: Of a frame.
        problem: After the frames were read: what was wrong; empty: nothing.

    Args:
        file: What errors call it.
        container: Of PyAV, with a video stream.
    """

    def __init__(self, file: str | Path, container: Any):
        self._file, self._container = file, container
        self._stream = container.streams.video[0]
        self.rate = Fraction(self._stream.average_rate or _RATE)
        self.count = self._stream.frames
        self.pixels = self._stream.width * self._stream.height
        self.problem = ""
        self._damaged = 0

    def frames(
        self, every: int = 1, strict: bool = True
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield frames as they are decoded, as they are meant to be seen: upright.

        Args:
            every: Every so many frames one is taken, the first one first.
            strict: Whether damage is an error; else what can be decoded is, and
                `problem` says what is missing.

        Yields:
            The number of the frame among those that can be decoded, from 0, and its
            `[height, width, 3]` uint8 RGB.

        Raises:
            DataError: No frame can be decoded, or, where strict, one cannot.
        """
        number, end, self._damaged = -1, 0.0, 0
        for frame in self._decoded(strict):
            number += 1
            end = max(end, _end(frame))
            if number % every == 0:
                yield number, _upright(frame)
        if number < 0:
            raise DataError(f"{self._file}: no frame could be decoded")
        if self._damaged:
            damaged = f"{self._damaged:,}"
            self.problem = f"damaged; packets that cannot be decoded: {damaged}"
        elif self._seconds() - end > _MISSING_SECONDS:
            self.problem = f"ends after {end:.1f} of {self._seconds():.1f} seconds"

    def _decoded(self, strict: bool) -> Iterator[Any]:
        """Yield what the decoder gives, and at last what it still holds."""
        error = video_library().error
        packets = self._container.demux(self._stream)
        decoder = self._stream.codec_context
        while True:
            try:
                packet = next(packets, None)
                frames = decoder.decode(packet)  # None: the end
            except error.EOFError:  # it came with the last packet
                return
            except error.FFmpegError:
                if strict:
                    raise
                self._damaged += 1
                continue  # after an error in the container there is no more packet
            yield from frames
            if packet is None:
                return

    def _seconds(self) -> float:
        """Return when the last frame ends, by the file's header; 0: it does not say."""
        stream, container = self._stream, self._container
        if stream.duration is not None:
            begin = stream.start_time or 0
            return float((begin + stream.duration) * stream.time_base)
        tag = _TIME.match(stream.metadata.get("DURATION", ""))  # of Matroska
        if tag:
            hours, minutes, seconds = map(float, tag.groups())
            return 3_600 * hours + 60 * minutes + seconds
        # With sound it may be that which is longer.
        if len(container.streams) == 1 and container.duration:
            return container.duration / 1e6
        return 0.0


@contextlib.contextmanager
def open_video(file: str | Path) -> Iterator[Video]:
    """Open a video; whatever FFmpeg says until the block ends is an error of this file.

    Args:
        file: A video, as FFmpeg reads it.

    Raises:
        ConfigError: The extra `video` is not installed.
        DataError: The file is no video, or is damaged.
    """
    av = video_library()
    if not Path(file).is_file():
        raise DataError(f"{file}: not found; expected a video")
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise DataError(f"{file}: holds no video stream")
            yield Video(file, container)
    except av.error.FFmpegError as error:
        raise DataError(
            f"{file}: cannot be read as a video: {error.strerror}"
        ) from None


class VideoWriter:
    """Writes an MP4 file of frames of one size, H.264 where FFmpeg has it.

    A frame of an odd height or width, which H.264 does not take, gets its last row or
    column twice.

    Args:
        path: The file; open until the `with` block ends.
        rate: Frames per second.

    Raises:
        ConfigError: The extra `video` is not installed.
        OSError: The file cannot be written.
    """

    def __init__(self, path: str | Path, rate: Fraction):
        self._av = video_library()
        self._path, self._rate = path, rate.limit_denominator(10_000)
        self._container = self._stream = None

    def __enter__(self) -> "VideoWriter":
        with self._errors():
            self._container = self._av.open(str(self._path), "w", format="mp4")
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        with self._errors(), self._container:
            if kind is None and self._stream:
                self._container.mux(self._stream.encode())

    def write(self, frame: np.ndarray) -> None:
        """Append a frame.

        Args:
            frame: `[height, width, 3]` uint8 RGB.
        """
        height, width = frame.shape[:2]
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._stream is None:
            has_h264 = "libx264" in self._av.codecs_available
            codec = "libx264" if has_h264 else "mpeg4"
            self._stream = self._container.add_stream(codec, rate=self._rate)
            self._stream.height, self._stream.width = frame.shape[:2]
            self._stream.pix_fmt = "yuv420p"
        picture = self._av.VideoFrame.from_ndarray(frame, format="rgb24")
        with self._errors():
            self._container.mux(self._stream.encode(picture))

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise what FFmpeg says to writing as the system's, not as one of a source."""
        try:
            yield
        except self._av.error.FFmpegError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None


def _end(frame: Any) -> float:
    """Return when a frame ends, in seconds."""
    if frame.pts is None:
        return 0.0
    return float((frame.pts + (frame.duration or 0)) * frame.time_base)


def _upright(frame: Any) -> np.ndarray:
    """Return a frame turned as its camera was held."""
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))
