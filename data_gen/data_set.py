"""Draws one whole data set: records, contact sheet, metadata and manifest."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import tqdm

import data_gen
from cirs_tf.data.manifest import MANIFEST, Manifest, verify_shards
from cirs_tf.errors import DataError
from data_gen.contact_sheet import CONTACT_SHEET, draw_contact_sheet
from data_gen.options import SceneOptions, check_at_least
from data_gen.scene import SceneSampler, Sprite
from data_gen.scenes import SCENES
from data_gen.scenes.fruit import object_size
from data_gen.sprite_files import load_background, load_sprites
from data_gen.staging import shards_in, staged, writing
from data_gen.tfds_metadata import write_tfds_metadata
from data_gen.write_records import write_records


@dataclasses.dataclass(frozen=True)
class DrawnSet:
    """A data set on disk.

    Attributes:
        manifest: What the folder holds.
        fresh: False where it held just that before, so that nothing was written.
    """

    manifest: Manifest
    fresh: bool


def draw(
    options: SceneOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> DrawnSet:
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
        DataError: `out` holds something else, or cannot be written.
        ImageError: A sprite or the background cannot be read.
    """
    check_at_least("workers", workers, 1)
    out = Path(out)
    with writing(out):
        if out.exists() and not out.is_dir():
            raise DataError(f"{out}: is a file; expected a folder to write to")
    sprites = background = None
    if options.sprites is not None:
        sprites = load_sprites(options.sprites, object_size(options.size))
    if options.background is not None:
        background = load_background(options.background, options.size)
    generator = _generator(options, sprites, background)
    if not overwrite:
        with writing(out):
            present = _present(out, generator)
        if present is not None:
            return DrawnSet(present, fresh=False)
    sampler = SCENES[options.scene](options.size, sprites, background)
    return DrawnSet(_write(options, sampler, generator, out, workers, progress), True)


def _generator(
    options: SceneOptions,
    sprites: tuple[Sprite, ...] | None,
    background: np.ndarray | None,
) -> dict:
    """Return the manifest's account of what made the set; images are digests."""
    arguments = dataclasses.asdict(options)
    if sprites is not None:
        arguments["sprites"] = {one.name: _digest(one.pixels) for one in sprites}
    if background is not None:
        arguments["background"] = _digest(background)
    return {
        "name": f"data_gen {arguments.pop('scene')}",
        "version": data_gen.__version__,
        "seed": arguments.pop("seed"),
        "arguments": arguments,
    }


def _digest(pixels: np.ndarray) -> str:
    shape = str(pixels.shape).encode()
    return hashlib.sha256(shape + pixels.tobytes()).hexdigest()


def _present(out: Path, generator: dict) -> Manifest | None:
    """Return the manifest if `out` holds this very set, None if it holds none."""
    if not (out / MANIFEST).exists():
        if shards := shards_in(out):
            raise DataError(
                f"{shards[0]}: a shard without a manifest; choose another folder, or "
                "replace it with --overwrite"
            )
        return None
    manifest = Manifest.read(out)
    if manifest.generator != generator:
        raise DataError(
            f"{out}: holds another data set ({_difference(manifest, generator)}); "
            "choose another folder, or replace it with --overwrite"
        )
    try:
        for split in manifest.splits.values():
            verify_shards(out, split)
    except DataError as error:
        raise DataError(f"{error}; draw it again with --overwrite") from None
    return manifest


def _difference(manifest: Manifest, generator: dict) -> str:
    """Name the first thing in which a data set differs from what is asked for."""
    have, want = (
        {**one, **one.get("arguments", {})} for one in (manifest.generator, generator)
    )
    for key, value in want.items():
        if key != "arguments" and have.get(key) != value:
            return f"{key} is {have.get(key)}, asked for {value}"
    return "other arguments"


def _write(
    options: SceneOptions,
    sampler: SceneSampler,
    generator: dict,
    out: Path,
    workers: int,
    progress: bool,
) -> Manifest:
    total = sum(options.examples(split) for split in options.splits)
    # tqdm: None hides the bar where there is no terminal.
    hidden = None if progress else True
    with (
        staged(out) as folder,
        tqdm.tqdm(total=total, unit=" images", disable=hidden, leave=False) as bar,
    ):
        splits = write_records(folder, out, options, sampler, workers, bar.update)
        manifest = Manifest(
            name=options.scene,
            height=options.size,
            width=options.size,
            classes=sampler.classes,
            generator=generator,
            splits=splits,
        )
        with writing(out / CONTACT_SHEET):
            draw_contact_sheet(options, sampler).save(folder / CONTACT_SHEET)
        with writing(out):
            write_tfds_metadata(folder, manifest)
        with writing(out / MANIFEST):
            manifest.write(folder)
    return manifest
