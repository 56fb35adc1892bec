"""Draws the examples of every split and writes them as TFRecord shards."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import tensorflow as tf

from cirs_tf.data.manifest import Split, describe_file
from cirs_tf.data.records import encode_example, shard_name
from cirs_tf.errors import DataError
from data_gen.drawing import draw_in_order
from data_gen.options import SceneOptions
from data_gen.scene import SceneSampler
from data_gen.staging import writing

# Pixels that a process draws at a time: 128 pictures of 64 x 64.
_PIXELS_AT_A_TIME = 2**19


def write_records(
    folder: Path,
    out: Path,
    options: SceneOptions,
    sampler: SceneSampler,
    workers: int,
    on_written: Callable[[], object],
) -> dict[str, Split]:
    """Write the shards of every split that has images.

    Args:
        folder: Where to write them.
        out: Where they go in the end; errors name this folder.
        options: How many, and how they are divided.
        sampler: Kind of scene.
        workers: Number of processes that draw.
        on_written: Called after each example.

    Returns:
        Split name to its shards, for the manifest.

    Raises:
        DataError: A shard cannot be written, or a process that draws died.
    """
    splits = {}
    drawn = draw_in_order(sampler, options.seed, _ranges(options), workers)
    with contextlib.closing(drawn):
        examples = _one_by_one(drawn)
        for split in options.splits:
            count = options.examples(split)
            masks = options.has_masks(split)
            files = min(options.shards, count)
            shards = []
            for number in range(files):
                name = shard_name(split, number, files)
                start, stop = _bounds(count, files, number)
                with (
                    writing(out / name),
                    tf.io.TFRecordWriter(str(folder / name)) as writer,
                ):
                    for index in range(start, stop):
                        image, mask = next(examples)
                        filename = f"{split}-{index:06d}.png"
                        writer.write(
                            encode_example(image, filename, mask if masks else None)
                        )
                        on_written()
                shards.append(describe_file(folder / name, stop - start))
            splits[split] = Split(tuple(shards), masks)
    return splits


def _ranges(options: SceneOptions) -> Iterator[tuple[str, int, int]]:
    step = max(1, _PIXELS_AT_A_TIME // options.size**2)
    for split in options.splits:
        count = options.examples(split)
        for start in range(0, count, step):
            yield split, start, min(start + step, count)


def _one_by_one(
    drawn: Iterator[tuple[np.ndarray, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    try:
        for pictures, masks in drawn:
            yield from zip(pictures, masks, strict=True)
    except BrokenProcessPool:
        raise DataError(
            "a process that draws died (killed, or out of memory); nothing was written"
        ) from None


def _bounds(count: int, files: int, number: int) -> tuple[int, int]:
    """Return the first index of a shard and one past its last: equal to within one."""
    return count * number // files, count * (number + 1) // files
