"""Makes a data set from a folder or zip of images, with or without masks."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.data.records import IGNORE_LABEL
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.image_source import ImageSource
from data_gen.importers.masks import NO_OBJECTS
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
    images = ImageImport(options, out)
    main, test = images.main, images.test
    generator = images.describe(workers, progress)

    def write_splits(writer: SplitWriter) -> Manifest:
        splits = {}
        with closing(main.examples(workers, on_unreadable)) as examples:
            for split, count in images.main_counts.items():
                masks = images.has_masks(split)
                splits[split] = _write_split(
                    writer, split, examples, count, masks, options
                )
        if test is not None:
            with closing(test.examples(workers, on_unreadable)) as examples:
                splits["test"] = _write_split(
                    writer, "test", examples, len(test.names), test.has_masks, options
                )
        classes = _mask_classes(options, images.sources)
        return images.manifest(splits, classes, generator)

    data_set = write_dataset(
        out,
        generator,
        write_splits,
        num_shards=options.shards,
        num_examples=images.num_images,
        overwrite=overwrite,
        progress=progress,
    )
    if data_set.is_new:
        on_sizes(set().union(*(source.sizes for source in images.sources)))
    return data_set


class ImageImport:
    """The images of a data set, and how many of them each split gets.

    Args:
        options: What to import.
        out: Folder of the data set.

    Attributes:
        options: Those options.
        main: The source of all splits, or of all but the test split.
        test: The source of the test split alone, or None.
        main_counts: Number of images of `main` per split, in the order in which they
            are taken.

    Raises:
        DataError: There are no images, or too few, or an image has no mask.
    """

    def __init__(self, options: ImageOptions, out: Path):
        self.options = options
        self.main = ImageSource(options.images, options.masks, options, out)
        self.test = None
        if options.test_images is not None:
            images, masks = options.test_images, options.test_masks
            self.test = ImageSource(images, masks, options, out)
        self.main_counts = _plan_splits(len(self.main.names), options)
        self._image_classes = _image_classes(self.sources)
        for source in self.sources:
            source.image_classes = self._image_classes

    @property
    def sources(self) -> list[ImageSource]:
        """The sources that there are."""
        return [source for source in (self.main, self.test) if source is not None]

    @property
    def num_images(self) -> int:
        """Number of images, those that cannot be read among them."""
        return sum(len(source.names) for source in self.sources)

    def has_masks(self, split: str) -> bool:
        """Return whether the records of a split hold masks."""
        if split == "test" and self.test is not None:
            return self.test.has_masks
        return self.main.has_masks and (
            split != "train" or self.options.with_train_masks
        )

    def describe(self, workers: int, progress: bool) -> dict:
        """Read all files and return the manifest's `generator`.

        Args:
            workers: Number of threads that read.
            progress: Whether to show a bar on a terminal.
        """
        arguments = {"total": self.num_images, "unit": " files", "desc": "comparing"}
        with progress_bar(progress, **arguments) as bar:
            return _describe_options(
                self.options, self.main, self.test, workers, bar.update
            )

    def manifest(
        self, splits: dict[str, Split], classes: tuple[str, ...], generator: dict
    ) -> Manifest:
        """Return the manifest.

        Args:
            splits: By name, in any order.
            classes: Names of the labels in the masks.
            generator: From `describe`.
        """
        return Manifest(
            name="images",
            height=self.options.frame.height,
            width=self.options.frame.width,
            classes=classes,
            generator=generator,
            splits={split: splits[split] for split in SPLITS if split in splits},
            image_classes=self._image_classes,
        )


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
    if not any(source.has_masks for source in sources):
        return options.classes
    for source in sources:
        if source.num_labels == 1 and source.has_ignored and not source.has_objects:
            raise DataError(f"{source.masks_path}: {NO_OBJECTS}")
    if options.classes:
        return options.classes
    count = max(source.num_labels for source in sources)
    if count == 0:
        raise DataError(
            f"{options.masks or options.test_masks}: every pixel is {IGNORE_LABEL}, "
            "to ignore"
        )
    if count == 1:
        raise DataError(f"{options.masks or options.test_masks}: {NO_OBJECTS}")
    return label_names(count)


def label_names(count: int) -> tuple[str, ...]:
    """Return the names of labels that were given none.

    Args:
        count: Number of labels.
    """
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
