"""Makes a data set from BSDS500: patches to train on, or whole images to evaluate on.

All records of a set have one size, so patches and whole images are two data sets.
Splits are those of BSDS500.

Reference: Arbelaez, Maire, Fowlkes, Malik 2011, Contour Detection and Hierarchical
Image Segmentation; thesis 5.
"""

import dataclasses
import hashlib
import io
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.io

from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import DataError
from data_gen.importers.mat_files import check_mat_file
from data_gen.importers.options import BSDS_IMAGE_SIZE, BsdsOptions
from data_gen.importers.sources import FileSource, check_outside
from data_gen.options import check_minimum
from data_gen.ordered_pool import map_in_order
from data_gen.scene import SPLITS
from data_gen.write_dataset import DataSet, describe_generator, write_dataset
from data_gen.write_records import Example, SplitWriter

_IMAGE_NAME = re.compile(r"(?:.*/)?images/(train|val|test)/([^/]+)\.jpg")
# The published archive has other .mat files of the same names beside them, in ucm2/.
_GROUND_TRUTH_NAME = re.compile(r"(?:.*/)?groundTruth/(train|val|test)/([^/]+)\.mat")

_MAX_ANNOTATORS = 1_000  # of an image; BSDS500 has 4 to 9


class _Pair(NamedTuple):
    """Names of an image and of the file with its segmentations."""

    image: str
    ground_truth: str


def import_bsds(
    options: BsdsOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
) -> DataSet:
    """Make a data set from BSDS500, unless `out` already holds it.

    Args:
        options: What to make.
        out: Folder to write; made where there is none.
        workers: Number of threads that decode.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show a bar on a terminal.

    Returns:
        The data set.

    Raises:
        ConfigError: `workers` is below 1.
        DataError: The source is not BSDS500, or damaged; `out` holds something else,
            or cannot be written.
        ImageError: An image cannot be read.
    """
    check_minimum("workers", workers, 1)
    out = Path(out)
    check_outside(out, options.source)
    source = FileSource(options.source)
    splits = _find_pairs(source)
    names = [name for pairs in splits.values() for pair in pairs for name in pair]
    arguments = dataclasses.asdict(options)
    arguments["source"] = source.digest(names, workers)
    generator = describe_generator("bsds", arguments)
    counts = {
        split: len(pairs) * options.records_per_image(split)
        for split, pairs in splits.items()
    }

    def write_splits(writer: SplitWriter) -> Manifest:
        written = {}
        for split, pairs in splits.items():
            examples = _read_examples(source, options, split, pairs, workers)
            with closing(examples):
                written[split] = writer.write(
                    split,
                    examples,
                    counts[split],
                    segmentations=options.has_segmentations(split),
                )
        height, width = options.size
        return Manifest("bsds", height, width, (), generator, written)

    return write_dataset(
        out,
        generator,
        write_splits,
        num_shards=options.shards,
        num_examples=sum(counts.values()),
        overwrite=overwrite,
        progress=progress,
    )


def read_segmentations(content: bytes, name: str) -> list[np.ndarray]:
    """Return the segmentations in a `groundTruth/*/NAME.mat`.

    Args:
        content: The bytes of the file.
        name: What errors call it.

    Returns:
        One `[height, width]` uint16 per annotator: region numbers from 1.

    Raises:
        DataError: It is not such a file.
    """
    try:
        check_mat_file(content)
        # A damaged header may promise billions of cells, which SciPy would make.
        shapes = {
            name: shape for name, shape, _ in scipy.io.whosmat(io.BytesIO(content))
        }
        if math.prod(shapes.get("groundTruth", (0,))) > _MAX_ANNOTATORS:
            raise ValueError(f"more than {_MAX_ANNOTATORS} annotators in it")
        cells = scipy.io.loadmat(io.BytesIO(content))["groundTruth"]
        segmentations = [cell["Segmentation"][0, 0] for cell in cells[0]]
        if not segmentations:
            raise ValueError("no segmentation in it")
        if any(regions.ndim != 2 or regions.size == 0 for regions in segmentations):
            raise ValueError("a segmentation is not two-dimensional")
        return [regions.astype(np.uint16) for regions in segmentations]
    except Exception as error:  # SciPy's reader raises nearly anything on damaged bytes
        raise DataError(f"{name}: not a ground truth of BSDS500 ({error})") from None


def _find_pairs(source: FileSource) -> dict[str, list[_Pair]]:
    """Return the images of each split that has any, with their ground truths."""
    ground_truths = {
        match.groups(): name
        for name in source.names_ending_in([".mat"])
        if (match := _GROUND_TRUTH_NAME.fullmatch(name))
    }
    splits = {split: [] for split in SPLITS}
    for name in source.names:
        if match := _IMAGE_NAME.fullmatch(name):
            split, stem = match.groups()
            if (split, stem) not in ground_truths:
                raise DataError(
                    f"{source.path}: no groundTruth/{split}/{stem}.mat for {name}"
                )
            splits[split].append(_Pair(name, ground_truths[split, stem]))
    if not splits["train"]:
        raise DataError(
            f"{source.path}: no images/train/*.jpg; expected the folders of BSDS500"
        )
    return {split: pairs for split, pairs in splits.items() if pairs}


def _read_examples(
    source: FileSource,
    options: BsdsOptions,
    split: str,
    pairs: list[_Pair],
    workers: int,
) -> Iterator[Example]:
    """Yield the examples of a split, consecutive ones from different images."""

    def read(pair: _Pair) -> Iterable[Example]:
        image, segmentations = _read_pair(
            source, pair, with_segmentations=options.has_segmentations(split)
        )
        name = f"{split}/{Path(pair.image).stem}"
        if options.whole:
            return [_landscape(image, segmentations, f"{name}.jpg")]
        return _cut_patches(image, segmentations, name, options, split)

    with closing(map_in_order(read, pairs, workers)) as examples_per_image:
        # Transposed, so that the first records are a sample of all images. All images
        # are held, patches are cut one by one.
        for examples in zip(*examples_per_image, strict=True):
            yield from examples


def _read_pair(
    source: FileSource, pair: _Pair, with_segmentations: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    image = source.read_image(pair.image)
    segmentations = []
    if with_segmentations:
        path = source.full_name(pair.ground_truth)
        segmentations = read_segmentations(source.read(pair.ground_truth), path)
        if {regions.shape for regions in segmentations} != {image.shape[:2]}:
            raise DataError(f"{path}: of another size than its image")
    height, width = BSDS_IMAGE_SIZE
    if image.shape[:2] not in ((height, width), (width, height)):
        raise DataError(
            f"{source.full_name(pair.image)}: expected {height} x {width} pixels, "
            f"got {image.shape[0]} x {image.shape[1]}"
        )
    return image, segmentations


def _landscape(
    image: np.ndarray, segmentations: list[np.ndarray], name: str
) -> Example:
    """Return a whole image; an upright one is rotated counterclockwise."""
    quarter_turns = int(image.shape[0] > image.shape[1])
    image, *segmentations = (
        np.ascontiguousarray(np.rot90(array, quarter_turns))
        for array in (image, *segmentations)
    )
    return Example(image, name, segmentations=segmentations)


def _cut_patches(
    image: np.ndarray,
    segmentations: list[np.ndarray],
    name: str,
    options: BsdsOptions,
    split: str,
) -> Iterator[Example]:
    """Yield random patches; seed, name and index alone decide where they lie."""
    name_seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    rng = np.random.default_rng([options.seed, name_seed])
    size = options.patch
    for index in range(options.records_per_image(split)):
        top, left = (rng.integers(0, side - size + 1) for side in image.shape[:2])
        area = np.s_[top : top + size, left : left + size]
        yield Example(
            np.ascontiguousarray(image[area]),
            f"{name}-{index:03d}",
            segmentations=[
                np.ascontiguousarray(regions[area]) for regions in segmentations
            ],
        )
