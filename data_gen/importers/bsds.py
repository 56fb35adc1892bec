"""Makes a data set of BSDS500: patches to train on, or whole pictures to evaluate on.

Every manifest has one size, so patches and whole pictures are two data sets. Splits
keep the names that BSDS500 gives them.

Reference: Arbelaez, Maire, Fowlkes, Malik 2011, Contour Detection and Hierarchical
Image Segmentation; thesis 5.
"""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.io

from cirs_tf.data.image_files import decode_image
from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.errors import ConfigError, DataError
from data_gen.importers.sources import FileSource, fingerprint
from data_gen.options import check_at_least
from data_gen.ordered_pool import results_in_order
from data_gen.scene import SPLITS
from data_gen.write_dataset import DataSet, account, publish
from data_gen.write_records import Example, write_split

# Height and width of every picture, or the other way round.
WHOLE = (321, 481)

_IMAGE = re.compile(r"(?:.*/)?images/(train|val|test)/([^/]+)\.jpg")


@dataclasses.dataclass(frozen=True)
class BsdsOptions:
    """What to make of BSDS500.

    Attributes:
        source: The folder or zip.
        whole: Whole pictures, 321 x 481, instead of patches. Those that are higher than
            wide are turned by 90 degrees against the clock, with their segmentations.
        patch: Height and width of a patch, 16 to 321 pixels.
        train_patches: Patches of each training picture, anywhere in it.
        val_patches: Patches of each other picture.
        seed: Decides where the patches lie; not negative.
        shards: Files a split.
        with_train_masks: Whether training records hold their segmentations.

    Raises:
        ConfigError: A value is out of range.
    """

    source: str | Path
    whole: bool = False
    patch: int = 64
    train_patches: int = 50
    val_patches: int = 5
    seed: int = 0
    shards: int = 8
    with_train_masks: bool = False

    def __post_init__(self):
        for name, least in {
            "patch": 16,
            "train_patches": 1,
            "val_patches": 1,
            "seed": 0,
            "shards": 1,
        }.items():
            check_at_least(name, getattr(self, name), least)
        if self.patch > min(WHOLE):
            raise ConfigError(f"patch: expected at most {min(WHOLE)}, got {self.patch}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every record."""
        return WHOLE if self.whole else (self.patch, self.patch)

    def records(self, split: str) -> int:
        """Return the number of records of each picture of a split."""
        if self.whole:
            return 1
        return self.train_patches if split == "train" else self.val_patches

    def has_segmentations(self, split: str) -> bool:
        """Return whether the records of a split hold segmentations."""
        return split != "train" or self.with_train_masks


def import_bsds(
    options: BsdsOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Make a data set of BSDS500, unless `out` already holds it.

    Args:
        options: What to make.
        out: Folder to write; made where there is none.
        workers: Number of threads that decode.
        overwrite: Whether to replace a data set that stands in `out`.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        ConfigError: `workers` is below 1.
        DataError: It is not BSDS500, or damaged; `out` holds something else, or cannot
            be written.
        ImageError: A picture cannot be read.
    """
    check_at_least("workers", workers, 1)
    out = Path(out)
    if out.resolve().is_relative_to(Path(options.source).resolve()):
        raise DataError(f"{out}: lies in {options.source}; choose a folder outside it")
    source = FileSource(options.source)
    names = _names(source)
    every = [name for pairs in names.values() for pair in pairs for name in pair]
    arguments = dataclasses.asdict(options)
    arguments["source"] = fingerprint(map(source.fingerprint, every))
    generator = account("bsds", arguments)
    height, width = options.size

    def write_shards(folder: Path, on_written: Callable[[], object]) -> Manifest:
        splits = {}
        for split, pairs in names.items():
            made = _examples(source, options, split, pairs, workers)
            with contextlib.closing(made) as examples:
                shards = write_split(
                    folder,
                    out,
                    split,
                    examples,
                    count=len(pairs) * options.records(split),
                    shards=options.shards,
                    on_written=on_written,
                )
            segmentations = options.has_segmentations(split)
            splits[split] = Split(shards, masks=False, segmentations=segmentations)
        return Manifest("bsds", height, width, (), generator, splits)

    return publish(
        out,
        generator,
        write_shards,
        examples=sum(len(p) * options.records(split) for split, p in names.items()),
        overwrite=overwrite,
        progress=progress,
    )


def read_segmentations(content: bytes, name: str) -> list[np.ndarray]:
    """Return the segmentations in a `groundTruth/*/NAME.mat`.

    Args:
        content: The file.
        name: What errors call it.

    Returns:
        One `[height, width]` uint16 an annotator: region numbers from 1.

    Raises:
        DataError: It is not such a file.
    """
    try:
        cells = scipy.io.loadmat(io.BytesIO(content))["groundTruth"]
        found = [cell["Segmentation"][0, 0] for cell in cells[0]]
        if not found or any(one.ndim != 2 or one.size == 0 for one in found):
            raise ValueError("no segmentation in it")
        return [one.astype(np.uint16) for one in found]
    except Exception as error:  # SciPy's reader raises nearly anything on damaged bytes
        raise DataError(f"{name}: not a ground truth of BSDS500 ({error})") from None


def _names(source: FileSource) -> dict[str, list[tuple[str, str]]]:
    """Return split to the names of its pictures and of their ground truths."""
    truths = {
        tuple(name.removesuffix(".mat").split("/")[-2:]): name
        for name in source.ending_in([".mat"])
    }
    found = {split: [] for split in SPLITS}
    for name in source.names:
        if match := _IMAGE.fullmatch(name):
            key = (match[1], match[2])
            if key not in truths:
                raise DataError(
                    f"{source.path}: no groundTruth/{'/'.join(key)}.mat for {name}"
                )
            found[match[1]].append((name, truths[key]))
    if not found["train"]:
        raise DataError(
            f"{source.path}: no images/train/*.jpg; expected the folders of BSDS500"
        )
    return {split: pairs for split, pairs in found.items() if pairs}


def _examples(
    source: FileSource,
    options: BsdsOptions,
    split: str,
    pairs: list[tuple[str, str]],
    workers: int,
) -> Iterator[Example]:
    def make(image: str, truth: str) -> list[Example]:
        content = io.BytesIO(source.read(image))
        picture = decode_image(content, source.locate(image))
        segmentations = []
        if options.has_segmentations(split):
            where = source.locate(truth)
            segmentations = read_segmentations(source.read(truth), where)
            if {one.shape for one in segmentations} != {picture.shape[:2]}:
                raise DataError(f"{where}: of another size than its picture")
        if picture.shape[:2] not in (WHOLE, WHOLE[::-1]):
            raise DataError(
                f"{source.locate(image)}: expected {WHOLE[0]} x {WHOLE[1]} pixels, "
                f"got {picture.shape[0]} x {picture.shape[1]}"
            )
        name = f"{split}/{Path(image).stem}"
        if options.whole:
            return [_landscape(picture, segmentations, f"{name}.jpg")]
        return list(_patches(picture, segmentations, name, options, split))

    pool = concurrent.futures.ThreadPoolExecutor(workers)
    with contextlib.closing(results_in_order(pool, make, pairs, workers)) as made:
        # Another picture each time, so that the first records are a sample of all.
        for examples in zip(*made, strict=True):
            yield from examples


def _landscape(
    picture: np.ndarray, segmentations: list[np.ndarray], name: str
) -> Example:
    turns = int(picture.shape[0] > picture.shape[1])
    picture, *segmentations = (
        np.ascontiguousarray(np.rot90(one, turns)) for one in (picture, *segmentations)
    )
    return Example(picture, name, segmentations=segmentations)


def _patches(
    picture: np.ndarray,
    segmentations: list[np.ndarray],
    name: str,
    options: BsdsOptions,
    split: str,
) -> Iterator[Example]:
    """Yield patches whose place depends on seed, name and number alone."""
    of_name = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    rng = np.random.default_rng([options.seed, of_name])
    size = options.patch
    for number in range(options.records(split)):
        top, left = (rng.integers(0, n - size + 1) for n in picture.shape[:2])
        area = np.s_[top : top + size, left : left + size]
        yield Example(
            np.ascontiguousarray(picture[area]),
            f"{name}-{number:03d}",
            segmentations=[np.ascontiguousarray(one[area]) for one in segmentations],
        )
