"""Draws one whole data set."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from cirs_tf.data.manifest import Manifest, Shard, Split
from cirs_tf.errors import DataError
from data_gen.options import SceneOptions, check_minimum
from data_gen.scene import SceneSampler, Sprite
from data_gen.scenes import SCENES
from data_gen.scenes.dsprites import DSprites
from data_gen.scenes.sky_scenes import object_size
from data_gen.sprite_files import load_background, load_sprites
from data_gen.worker_pool import WorkerError, draw_in_order
from data_gen.write_dataset import DataSet, describe_generator, publish_dataset
from data_gen.write_records import (
    Example,
    RecordFile,
    SplitWriter,
    plan_files,
    split_of,
)

# Pixels that a worker draws at a time: 128 images of 64 x 64.
_PIXELS_PER_RANGE = 2**19


def draw(
    options: SceneOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Draw a data set, unless `out` already holds it.

    The bytes depend on `options` alone. At the end `out` holds the whole set, or is as
    it was before.

    Args:
        options: What to draw.
        out: Folder to write; made where there is none.
        workers: Number of processes that draw; 1 draws in this one.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        ConfigError: `workers` is below 1.
        DataError: `out` holds something else, or cannot be written; or a process that
            draws died.
        ImageError: A sprite or the background cannot be read.

    Example:
        >>> import tempfile
        >>> from data_gen.options import default_options
        >>> with tempfile.TemporaryDirectory() as out:
        ...     options = default_options(train=2, val=1, test=0, size=16)
        ...     drawn = draw(options, out)
        >>> drawn.is_new, drawn.manifest.classes
        (True, ('sky', 'lemon', 'apple', 'blueberry'))
    """
    check_minimum("workers", workers, 1)
    out = Path(out)
    drawing = Drawing.prepare(options)

    def fill(folder: Path, on_written: Callable[[], object]) -> Manifest:
        writer = SplitWriter(folder, out, on_written=on_written)
        return drawing.manifest(drawing.write_files(drawing.files, writer, workers))

    return publish_dataset(
        out,
        drawing.generator,
        fill,
        num_examples=sum(file.examples for file in drawing.files),
        overwrite=overwrite,
        progress=progress,
    )


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A data set that is to be drawn, of which every file can be drawn by itself.

    Attributes:
        options: What to draw.
        sampler: Kind of scene, with its sprites and background.
        generator: What the manifest says of the options.
    """

    options: SceneOptions
    sampler: SceneSampler
    generator: dict

    @classmethod
    def prepare(cls, options: SceneOptions) -> "Drawing":
        """Read the sprites and the background that the options name.

        Raises:
            DataError: There are no sprites.
            ImageError: A sprite or the background cannot be read.
        """
        sprites = background = None
        if options.sprites is not None:
            sprites = load_sprites(options.sprites, object_size(options.size))
        if options.background_file is not None:
            background = load_background(options.background_file, options.size)
        generator = _describe_options(options, sprites, background)
        return cls(options, _make_sampler(options, sprites, background), generator)

    @property
    def files(self) -> list[RecordFile]:
        """All files of the set, one split after the other."""
        return [
            file
            for split in self.options.splits
            for file in plan_files(
                split, self.options.num_examples(split), self.options.shards
            )
        ]

    def write_files(
        self, files: list[RecordFile], writer: SplitWriter, workers: int
    ) -> list[Shard]:
        """Draw and write some of the files.

        Args:
            files: Which; their bytes do not depend on the others.
            writer: Writes them.
            workers: Number of processes that draw; 1 draws in this one.

        Returns:
            The files, for the manifest.

        Raises:
            DataError: A file cannot be written, or a process that draws died.
        """
        with closing(self._draw_examples(files, workers)) as examples:
            return [writer.write_file(file, examples) for file in files]

    def manifest(self, shards: Iterable[Shard]) -> Manifest:
        """Return the manifest of a set that has these files, or some of them.

        Args:
            shards: In reading order.
        """
        options = self.options
        shards = list(shards)
        splits = {
            split: Split(
                tuple(shard for shard in shards if split_of(shard.file) == split),
                options.has_masks(split),
            )
            for split in options.splits
        }
        return Manifest(
            name=options.scene,
            height=options.size,
            width=options.size,
            classes=self.sampler.classes,
            generator=self.generator,
            splits=splits,
        )

    def _draw_examples(
        self, files: list[RecordFile], workers: int
    ) -> Iterator[Example]:
        """Yield the examples of the files, one file after the other."""
        ranges = list(_file_ranges(files, self.options.size))
        results = draw_in_order(self.sampler, self.options.seed, ranges, workers)
        try:
            with closing(results):
                for (split, start, _), (images, masks) in zip(
                    ranges, results, strict=True
                ):
                    if not self.options.has_masks(split):
                        masks = [None] * len(images)
                    pairs = zip(images, masks, strict=True)
                    for index, (image, mask) in enumerate(pairs, start):
                        yield Example(image, f"{split}-{index:06d}.png", mask)
        except WorkerError as error:
            raise DataError(f"{error}; nothing was written") from None


def _make_sampler(
    options: SceneOptions,
    sprites: tuple[Sprite, ...] | None,
    background: np.ndarray | None,
) -> SceneSampler:
    scene_class = SCENES[options.scene]
    if scene_class is DSprites:
        color = options.background or scene_class.backgrounds[0]
        return scene_class(options.size, options.objects_range, color)
    if not scene_class.accepts_images:
        return scene_class(options.size)
    if background is None:
        background = options.background
    return scene_class(options.size, sprites, background)


def _describe_options(
    options: SceneOptions,
    sprites: tuple[Sprite, ...] | None,
    background: np.ndarray | None,
) -> dict:
    """Return the manifest's `generator`; images are replaced by digests."""
    arguments = dataclasses.asdict(options)
    if options.objects is None:
        # As in the manifests of sets from before there was a choice.
        del arguments["objects"]
    if sprites is not None:
        arguments["sprites"] = {
            sprite.name: _digest(sprite.pixels) for sprite in sprites
        }
    if background is not None:
        arguments["background"] = _digest(background)
    return describe_generator(arguments.pop("scene"), arguments)


def _digest(pixels: np.ndarray) -> str:
    shape = str(pixels.shape).encode()
    return hashlib.sha256(shape + pixels.tobytes()).hexdigest()


def _file_ranges(
    files: Iterable[RecordFile], size: int
) -> Iterator[tuple[str, int, int]]:
    """Yield split, first index and one past the last index, in drawing order."""
    step = max(1, _PIXELS_PER_RANGE // size**2)
    for file in files:
        for start in range(file.start, file.stop, step):
            yield file.split, start, min(start + step, file.stop)
