"""Draws one whole data set."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.errors import DataError
from data_gen.options import SceneOptions, check_at_least
from data_gen.scene import SceneSampler, Sprite
from data_gen.scenes import SCENES
from data_gen.scenes.dsprites import DSprites
from data_gen.scenes.sky_scenes import object_size
from data_gen.sprite_files import load_background, load_sprites
from data_gen.worker_pool import draw_in_order
from data_gen.write_dataset import DataSet, account, publish
from data_gen.write_records import Example, write_split

# Pixels that a process draws at a time: 128 pictures of 64 x 64.
_PIXELS_AT_A_TIME = 2**19


def draw(
    options: SceneOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Draw a data set, unless `out` already holds it.

    The bytes depend on `options` alone. Either the whole set stands in `out` at the
    end, or `out` is as it was before.

    Args:
        options: What to draw.
        out: Folder to write; made where there is none.
        workers: Number of processes that draw; 1 draws in this one.
        overwrite: Whether to replace a data set that stands in `out`.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        ConfigError: `workers` is below 1.
        DataError: `out` holds something else, or cannot be written; or a process that
            draws died.
        ImageError: A sprite or the background cannot be read.
    """
    check_at_least("workers", workers, 1)
    out = Path(out)
    sprites = background = None
    if options.sprites is not None:
        sprites = load_sprites(options.sprites, object_size(options.size))
    if options.background_file is not None:
        background = load_background(options.background_file, options.size)
    generator = _generator(options, sprites, background)
    sampler = _sampler(options, sprites, background)

    def write_shards(folder: Path, on_written: Callable[[], object]) -> Manifest:
        with contextlib.closing(_examples(options, sampler, workers)) as examples:
            splits = {
                split: Split(
                    write_split(
                        folder,
                        out,
                        split,
                        examples,
                        count=options.examples(split),
                        shards=options.shards,
                        on_written=on_written,
                    ),
                    masks=options.has_masks(split),
                )
                for split in options.splits
            }
        return Manifest(
            name=options.scene,
            height=options.size,
            width=options.size,
            classes=sampler.classes,
            generator=generator,
            splits=splits,
        )

    return publish(
        out,
        generator,
        write_shards,
        examples=sum(options.examples(split) for split in options.splits),
        overwrite=overwrite,
        progress=progress,
    )


def _sampler(
    options: SceneOptions,
    sprites: tuple[Sprite, ...] | None,
    background: np.ndarray | None,
) -> SceneSampler:
    kind = SCENES[options.scene]
    if kind is DSprites:
        ground = options.background or kind.backgrounds[0]
        return kind(options.size, options.objects_range, ground)
    if not kind.takes_images:
        return kind(options.size)
    own = options.background if background is None else background
    return kind(options.size, sprites, own)


def _generator(
    options: SceneOptions,
    sprites: tuple[Sprite, ...] | None,
    background: np.ndarray | None,
) -> dict:
    """Return the manifest's account of what made the set; images are digests."""
    arguments = dataclasses.asdict(options)
    if options.objects is None:
        # As in the manifests of sets from before there was a choice.
        del arguments["objects"]
    if sprites is not None:
        arguments["sprites"] = {one.name: _digest(one.pixels) for one in sprites}
    if background is not None:
        arguments["background"] = _digest(background)
    return account(arguments.pop("scene"), arguments)


def _digest(pixels: np.ndarray) -> str:
    shape = str(pixels.shape).encode()
    return hashlib.sha256(shape + pixels.tobytes()).hexdigest()


def _examples(
    options: SceneOptions, sampler: SceneSampler, workers: int
) -> Iterator[Example]:
    """Yield the examples of all splits, one after the other."""
    ranges = list(_ranges(options))
    drawn = draw_in_order(sampler, options.seed, ranges, workers)
    with contextlib.closing(drawn):
        try:
            for (split, start, _), (pictures, masks) in zip(ranges, drawn, strict=True):
                held = masks if options.has_masks(split) else [None] * len(masks)
                pairs = zip(pictures, held, strict=True)
                for index, (picture, mask) in enumerate(pairs, start):
                    yield Example(picture, f"{split}-{index:06d}.png", mask)
        except BrokenProcessPool:
            raise DataError(
                "a process that draws died (killed, or out of memory); "
                "nothing was written"
            ) from None


def _ranges(options: SceneOptions) -> Iterator[tuple[str, int, int]]:
    step = max(1, _PIXELS_AT_A_TIME // options.size**2)
    for split in options.splits:
        count = options.examples(split)
        for start in range(0, count, step):
            yield split, start, min(start + step, count)
