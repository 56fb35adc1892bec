"""Images one after the other, segmented some at a time, in their order."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np

from cirs_tf.errors import CirsError, ConfigError
from cirs_tf.postprocessing.postprocess import postprocess
from cirs_tf.postprocessing.regions import merge_small_regions
from cirs_tf.serving.image_windows import windows
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.serving.tiles import OVERLAP, check_tile

Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True)
class StreamSettings:
    """How images are segmented.

    Attributes:
        batch_size: Images of one size that go through the network at once, at most; it
            is fewer where they have more than 2**20 pixels in all.
        native: As of `Segmenter.predict`.
        tile: As of `Segmenter.predict`.
        overlap: As of `Segmenter.predict`.
        crf: As of `postprocess`.
        min_region_size: As of `postprocess`.
        probabilities: Whether these are returned, too.

    Raises:
        ConfigError: A number is out of range.
    """

    batch_size: int = 32
    native: bool = False
    tile: int | None = None
    overlap: int = OVERLAP
    crf: bool = False
    min_region_size: int = 0
    probabilities: bool = False

    def __post_init__(self):
        if self.batch_size < 1:
            raise ConfigError(
                f"--batch-size: expected at least 1, got {self.batch_size}"
            )
        if self.tile is not None:
            check_tile(self.tile, self.overlap)


@dataclasses.dataclass(frozen=True)
class Segmented(Generic[Key]):
    """An image and its segments, or why it could not be read.

    Attributes:
        key: What the image was given with.
        image: `[height, width, 3]` uint8; None: it could not be read.
        labels: `[height, width]` uint8, postprocessed; None without an image.
        probabilities: `[height, width, K]` float32, not postprocessed; None: not asked
            for.
        error: Why there is no image.
    """

    key: Key
    image: np.ndarray | None = None
    labels: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    error: CirsError | None = None


def segment_stream(
    segmenter: Segmenter,
    images: Iterable[tuple[Key, np.ndarray | CirsError]],
    settings: StreamSettings,
) -> Iterator[Segmented[Key]]:
    """Segment images as they come; what is held does not grow with their number.

    Images are taken up to `batch_size` at a time, or as many as have 2**20 pixels
    together, and those of one size among them go through the network at once. Labels
    are those of each image by itself.

    Args:
        segmenter: What labels them.
        images: Any key, and `[height, width, 3]` uint8 or the error of reading it.
        settings: How.

    Yields:
        A result for each image, in order.
    """

    def pixels(item: tuple[Key, np.ndarray | CirsError]) -> int:
        image = item[1]
        return 0 if isinstance(image, CirsError) else image.shape[0] * image.shape[1]

    options = (settings.native, settings.tile, settings.overlap)
    # Probabilities take 4 K bytes per pixel, labels 1.
    shares = settings.crf or settings.probabilities
    for window in windows(images, pixels, settings.batch_size):
        readable = [image for _, image in window if not isinstance(image, CirsError)]
        found = iter(segmenter.predict(readable, shares, *options))
        for key, image in window:
            if isinstance(image, CirsError):
                yield Segmented(key, error=image)
                continue
            labels, probabilities = next(found) if shares else (next(found), None)
            labels = _postprocessed(image, labels, probabilities, settings)
            kept = probabilities if settings.probabilities else None
            yield Segmented(key, image, labels, kept)


def _postprocessed(
    image: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray | None,
    settings: StreamSettings,
) -> np.ndarray:
    if settings.crf:
        return postprocess(
            image[None], probabilities[None], True, settings.min_region_size
        )[0]
    if settings.min_region_size:
        return merge_small_regions(labels, settings.min_region_size)
    return labels
