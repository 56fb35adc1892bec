"""Segments image and video files into masks, overlays, a sheet and a summary."""

import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cirs_tf.data.image_files import read_image
from cirs_tf.errors import DataError, ImageError
from cirs_tf.serving.image_files import (
    OverlaySheet,
    write_mask,
    write_overlay,
    write_probabilities,
)
from cirs_tf.serving.segment_stream import Segmented, StreamSettings, segment_stream
from cirs_tf.serving.segment_summary import SegmentSummary
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.serving.video_masks import SegmentedVideo, segment_video


class FileSegmenter:
    """Segments files, one after the other; one that cannot be read stops no other.

    Attributes:
        done: Number of files that have masks.
        failed: Number of files that could not be segmented to their end.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        settings: StreamSettings,
        out: Path,
        max_pixels: int,
        sheet: OverlaySheet,
        summary: SegmentSummary | None = None,
    ):
        """Segment nothing yet.

        Args:
            segmenter: Loaded.
            settings: How images and frames are segmented.
            out: Folder of the masks, with the sub-folders that their names need.
            max_pixels: Larger images are errors.
            sheet: Gets images, the first frames of videos, and their overlays.
            summary: Gets sizes and shares of segments, and errors.
        """
        self._segmenter = segmenter
        self._settings = settings
        self._out = out
        self._max_pixels = max_pixels
        self._summary = summary
        self._sheet = sheet
        self.done = self.failed = 0

    def segment_images(self, files: Mapping[Path, Path]) -> None:
        """Write the masks and overlays of images.

        Args:
            files: By output name, without a suffix.
        """
        before = self.done
        images = self._read(files)
        results = segment_stream(self._segmenter, images, self._settings)
        for result in tqdm(results, total=len(files), unit="img", disable=None):
            name, path = result.key
            if result.error:
                self._add_error(path, result.error)
                continue
            place = str(self._out / name)
            if self._settings.probabilities:
                file = Path(f"{place}_probabilities.npz")
                write_probabilities(result.probabilities, file)
            write_mask(result.labels, Path(f"{place}.png"))
            write_overlay(result.image, result.labels, Path(f"{place}_overlay.png"))
            self._add(path, result, first=True)
            self.done += 1
        if files:
            done = self.done - before
            print(f"{done} of {len(files)} images segmented into {self._out}")

    def segment_videos(self, files: Mapping[Path, Path], every: int) -> None:
        """Write the masks of videos, and videos of their overlays.

        Args:
            files: By output name.
            every: Of so many frames one is segmented.
        """
        for name, path in files.items():
            masks = self._out / name
            with tqdm(unit="frame", desc=path.name, disable=None) as bar:
                try:
                    clip = segment_video(
                        self._segmenter,
                        path,
                        masks,
                        self._settings,
                        every,
                        self._max_pixels,
                        functools.partial(self._add_frame, path, bar),
                    )
                except DataError as error:
                    clip = SegmentedVideo(0, str(error))
            if clip.frames:
                self.done += 1
                print(f"{clip.frames:,} frames of {path} segmented into {masks}")
            if clip.problem:
                self._add_error(path, DataError(clip.problem))

    def _read(
        self, files: Mapping[Path, Path]
    ) -> Iterator[tuple[tuple[Path, Path], np.ndarray | ImageError]]:
        """Yield name and file of each image with its pixels, or why it has none."""
        for name, path in files.items():
            try:
                yield (name, path), read_image(path, self._max_pixels)
            except ImageError as error:
                yield (name, path), error

    def _add_frame(self, path: Path, bar: tqdm, frame: Segmented[int]) -> None:
        self._add(f"{path}#{frame.key:06}", frame, first=frame.key == 0)
        bar.update()

    def _add(self, name: str | Path, result: Segmented, first: bool) -> None:
        """Add a result to the summary, and its file's first one to the sheet."""
        if first:
            self._sheet.add(result.image, result.labels)
        if self._summary:
            self._summary.add(name, result.labels, self._segmenter.num_segments)

    def _add_error(self, path: Path, error: DataError) -> None:
        tqdm.write(f"error: {error}", file=sys.stderr)
        self.failed += 1
        if self._summary:
            self._summary.add_error(path, error)
