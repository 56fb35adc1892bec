"""Makes a data set from a folder or zip of images, with or without masks."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.image_source import ImageSource
from data_gen.importers.options import ImageOptions
from data_gen.options import check_minimum
from data_gen.scene import SPLITS
from data_gen.write_dataset import (
    DataSet,
    describe_generator,
    progress_bar,
    write_dataset,
)
from data_gen.write_records import Example, SplitWriter


def import_images(
    options: ImageOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
    on_unreadable: Callable[[ImageError], object] = lambda error: None,
    on_sizes: Callable[[set[tuple[int, int]]], object] = lambda sizes: None,
) -> DataSet:
    """Make a data set from images, unless `out` already holds it.

    The bytes depend on the options and on the files' relative names and contents. The
    seed and an image's name decide its split. Records of a split are in random order
    too, so that the first ones are a sample of all.

    Args:
        options: What to import.
        out: Folder to write; made where there is none.
        workers: Number of threads that decode.
        overwrite: Whether to replace a data set that `out` holds.
        progress: Whether to show bars on a terminal.
        on_unreadable: Called for each image that cannot be read and is left out.
        on_sizes: Called with heights and widths of the files, each once, where the data
            set was written.

    Returns:
        The data set.

    Raises:
        ConfigError: `workers` is below 1.
        DataError: There are no images, or too few; a mask is missing or does not fit;
            `out` holds something else, or cannot be written.
        ImageError: With `options.strict`, an image that cannot be read.
    """
    check_minimum("workers", workers, 1)
    out = Path(out)
    main = ImageSource(options.images, options.masks, options, out)
    test = None
    if options.test_images is not None:
        test = ImageSource(options.test_images, options.test_masks, options, out)
    sources = [source for source in (main, test) if source is not None]
    counts = _plan_splits(len(main.names), options)
    image_classes = _image_classes(sources)
    for source in sources:
        source.image_classes = image_classes
    total = sum(len(source.names) for source in sources)
    with progress_bar(progress, total=total, unit=" files", desc="comparing") as bar:
        generator = _describe_options(options, main, test, workers, bar.update)

    def write_splits(writer: SplitWriter) -> Manifest:
        splits = {}
        with closing(main.examples(workers, on_unreadable)) as examples:
            for split, count in counts.items():
                masks = main.has_masks and (
                    split != "train" or options.with_train_masks
                )
                splits[split] = _write_split(
                    writer, split, examples, count, masks, options
                )
        if test is not None:
            with closing(test.examples(workers, on_unreadable)) as examples:
                splits["test"] = _write_split(
                    writer, "test", examples, len(test.names), test.has_masks, options
                )
        return Manifest(
            name="images",
            height=options.frame.height,
            width=options.frame.width,
            classes=_mask_classes(options, sources),
            generator=generator,
            splits={split: splits[split] for split in SPLITS if split in splits},
            image_classes=image_classes,
        )

    data_set = write_dataset(
        out,
        generator,
        write_splits,
        num_shards=options.shards,
        num_examples=total,
        overwrite=overwrite,
        progress=progress,
    )
    if data_set.is_new:
        on_sizes(set().union(*(source.sizes for source in sources)))
    return data_set


def _write_split(
    writer: SplitWriter,
    split: str,
    examples: Iterator[Example],
    count: int,
    masks: bool,
    options: ImageOptions,
) -> Split:
    """Write up to `count` examples, at least one; drop their masks if not `masks`."""
    if not masks:
        examples = (example._replace(mask=None) for example in examples)
    written = writer.write(split, examples, count, masks=masks)
    if written.examples == 0:
        raise DataError(
            f"{options.images}: too few images can be read: "
            f"none is left for split {split!r}"
        )
    return written


def _plan_splits(count: int, options: ImageOptions) -> dict[str, int]:
    """Return the number of images per split.

    Training is last and gets what the others leave, so that files that cannot be read
    are missing there alone.
    """
    fractions = {"val": options.val, "test": options.test_fraction}
    counts = {
        split: max(1, round(count * fraction))
        for split, fraction in fractions.items()
        if fraction
    }
    left = count - sum(counts.values())
    if left < 1:
        raise DataError(
            f"{options.images}: {count} image{'s' * (count > 1)} cannot be split "
            f"into train, {', '.join(counts)}; a fraction of 0 leaves a split out"
        )
    return {**counts, "train": left}


def _image_classes(sources: list[ImageSource]) -> tuple[str, ...]:
    """Return the outermost folders if every image lies in one, sorted."""
    folders = [source.top_folders for source in sources]
    if None in folders:
        return ()
    return tuple(sorted(set().union(*folders)))


def _mask_classes(options: ImageOptions, sources: list[ImageSource]) -> tuple[str, ...]:
    """Return the names of the labels in the masks, none if there are no masks."""
    if options.classes:
        return options.classes
    if not any(source.has_masks for source in sources):
        return ()
    count = max(source.num_labels for source in sources)
    if count == 0:
        raise DataError(
            f"{options.masks or options.test_masks}: every pixel is {IGNORE_LABEL}, "
            "to ignore"
        )
    return tuple(f"class {label}" for label in range(count))


def _describe_options(
    options: ImageOptions,
    main: ImageSource,
    test: ImageSource | None,
    workers: int,
    on_read: Callable[[], object],
) -> dict:
    """Return the manifest's `generator`; files are replaced by digests."""
    arguments = dataclasses.asdict(options)
    arguments["classes"] = list(options.classes)
    arguments["test"] = options.test_fraction
    arguments.update(main.digests(workers, on_read))
    if test is not None:
        for name, digest in test.digests(workers, on_read).items():
            arguments[f"test_{name}"] = digest
    return describe_generator("images", arguments)
