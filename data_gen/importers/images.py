"""Makes a data set of any folder or zip of pictures, with or without masks."""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from cirs_tf.data.image_files import SUFFIXES, decode_image
from cirs_tf.data.manifest import Manifest, Split
from cirs_tf.data.records import IGNORE_LABEL, ImageClass
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.masks import MaskFiles
from data_gen.importers.options import ImageOptions
from data_gen.importers.sources import FileSource, fingerprint
from data_gen.options import check_at_least
from data_gen.ordered_pool import results_in_order
from data_gen.scene import SPLITS
from data_gen.write_dataset import DataSet, account, progress_bar, publish
from data_gen.write_records import Example, write_split


def import_images(
    options: ImageOptions,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    progress: bool = False,
    on_broken: Callable[[ImageError], object] = lambda error: None,
) -> DataSet:
    """Make a data set of pictures, unless `out` already holds it.

    The bytes depend on the options and on the files' relative names and contents. Which
    split a picture goes to is drawn from the seed and its name. Records of a split lie
    in that random order too, so that the first of them are a sample of all.

    Args:
        options: What to import.
        out: Folder to write; made where there is none.
        workers: Number of threads that decode.
        overwrite: Whether to replace a data set that stands in `out`.
        progress: Whether to show bars on a terminal.
        on_broken: Called for each picture that cannot be read and is left out.

    Returns:
        The data set.

    Raises:
        ConfigError: `workers` is below 1.
        DataError: There are no pictures, or too few; a mask lacks or does not fit;
            `out` holds something else, or cannot be written.
        ImageError: With `options.strict`, a picture that cannot be read.
    """
    check_at_least("workers", workers, 1)
    out = Path(out)
    own = _Pictures(options.images, options.masks, options, out)
    apart = None
    if options.test_images is not None:
        apart = _Pictures(options.test_images, options.test_masks, options, out)
    sources = [one for one in (own, apart) if one is not None]
    planned = _planned(len(own.names), options)
    image_classes = _image_classes(sources)
    for one in sources:
        one.image_classes = image_classes
    total = sum(len(one.names) for one in sources)
    with progress_bar(progress, total=total, unit=" files", desc="comparing") as bar:
        generator = _generator(options, own, apart, workers, bar.update)

    def write_shards(folder: Path, on_written: Callable[[], object]) -> Manifest:
        def write(split: str, examples: Iterator[Example], count: int) -> None:
            masks = (apart if split == "test" and apart else own).masks is not None
            if split == "train":
                masks = masks and options.with_train_masks
                examples = (
                    one if masks else one._replace(mask=None) for one in examples
                )
            shards = write_split(
                folder,
                out,
                split,
                examples,
                count=count,
                shards=options.shards,
                on_written=on_written,
            )
            splits[split] = Split(shards, masks)
            if splits[split].examples == 0:
                raise DataError(
                    f"{options.images}: too few pictures can be read: "
                    f"none is left for split {split!r}"
                )

        splits = {}
        with contextlib.closing(own.examples(workers, on_broken)) as examples:
            # Training gets what the others leave, so broken files cost them nothing.
            for split, count in planned.items():
                write(split, examples, count)
        if apart is not None:
            with contextlib.closing(apart.examples(workers, on_broken)) as examples:
                write("test", examples, len(apart.names))
        return Manifest(
            name="images",
            height=options.frame.height,
            width=options.frame.width,
            classes=_classes(options, sources),
            generator=generator,
            splits={name: splits[name] for name in SPLITS if name in splits},
            image_classes=image_classes,
        )

    return publish(
        out,
        generator,
        write_shards,
        examples=total,
        overwrite=overwrite,
        progress=progress,
    )


class _Pictures:
    """One source of pictures, with its masks.

    Attributes:
        names: Relative names, in the order that the seed gives them.
        masks: Their masks, or None.
        image_classes: Classes of whole images; set once all sources are known.
        labels: Number of labels seen so far in the masks: the highest and 1.
    """

    def __init__(
        self,
        images: str | Path,
        masks: str | Path | None,
        options: ImageOptions,
        out: Path,
    ):
        self.source = FileSource(images)
        self.masks = self.mask_source = None
        self.image_classes: tuple[str, ...] = ()
        self.labels = 0
        self._options = options
        for path in filter(None, (images, masks)):
            if out.resolve().is_relative_to(Path(path).resolve()):
                raise DataError(f"{out}: lies in {path}; choose a folder outside it")
        found = self.source.ending_in(SUFFIXES)
        if not found:
            raise DataError(
                f"{images}: no images found; expected files ending in "
                f"{', '.join(SUFFIXES)}"
            )
        self.names = sorted(found, key=self._rank)
        if masks is not None:
            self.mask_source = FileSource(masks)
            self.masks = MaskFiles(self.mask_source, len(options.classes) or None)
            for name in found:
                self.masks.name_for(name)

    def examples(
        self, workers: int, on_broken: Callable[[ImageError], object]
    ) -> Iterator[Example]:
        """Yield the pictures that can be read, in order."""
        # Threads: Pillow decodes and scales without Python's lock.
        pool = concurrent.futures.ThreadPoolExecutor(workers)
        calls = ((name,) for name in self.names)
        found = results_in_order(pool, self._example, calls, workers)
        with contextlib.closing(found):
            for example in found:
                if isinstance(example, ImageError):
                    if self._options.strict:
                        raise example
                    on_broken(example)
                    continue
                if example.mask is not None:
                    labeled = example.mask[example.mask != IGNORE_LABEL]
                    if labeled.size:
                        self.labels = max(self.labels, int(labeled.max()) + 1)
                yield example

    def _example(self, name: str) -> Example | ImageError:
        try:
            content = io.BytesIO(self.source.read(name))
            pixels = decode_image(content, self.source.locate(name))
        except ImageError as error:
            return error
        mask = image_class = None
        if self.masks is not None:
            labels = self.masks.read(name, *pixels.shape[:2])
            mask = self._options.frame.mask(labels)
        if self.image_classes:
            of = _text(_top(name))
            image_class = ImageClass(self.image_classes.index(of), of)
        picture = self._options.frame.picture(pixels)
        return Example(np.ascontiguousarray(picture), _text(name), mask, image_class)

    def _rank(self, name: str) -> str:
        """Return a number drawn from the seed and the name alone, in hexadecimal."""
        drawn = f"{self._options.seed}/{name}".encode(errors="surrogateescape")
        return hashlib.sha256(drawn).hexdigest()


def _planned(count: int, options: ImageOptions) -> dict[str, int]:
    """Return split to number of pictures, training last: it gets what is left."""
    planned = {
        name: max(1, round(count * fraction))
        for name, fraction in (("val", options.val), ("test", options.test_fraction))
        if fraction
    }
    left = count - sum(planned.values())
    if left < 1:
        raise DataError(
            f"{options.images}: {count} picture{'s' * (count > 1)} cannot be split "
            f"into train, {', '.join(planned)}; a fraction of 0 leaves a split out"
        )
    return {**planned, "train": left}


def _image_classes(sources: list[_Pictures]) -> tuple[str, ...]:
    """Return the outermost folders' names if every picture lies in one, sorted."""
    names = [name for one in sources for name in one.names]
    if not all("/" in name for name in names):
        return ()
    return tuple(sorted({_text(_top(name)) for name in names}))


def _top(name: str) -> str:
    return name.split("/")[0]


def _text(name: str) -> str:
    """Return a file's name as UTF-8 can hold it."""
    return name.encode(errors="replace").decode()


def _classes(options: ImageOptions, sources: list[_Pictures]) -> tuple[str, ...]:
    if options.classes:
        return options.classes
    if all(one.masks is None for one in sources):
        return ()
    count = max(one.labels for one in sources)
    if count == 0:
        raise DataError(
            f"{options.masks or options.test_masks}: every pixel is {IGNORE_LABEL}, "
            "to ignore"
        )
    return tuple(f"class {index}" for index in range(count))


def _generator(
    options: ImageOptions,
    own: _Pictures,
    apart: _Pictures | None,
    workers: int,
    on_read: Callable[[], object],
) -> dict:
    """Return the manifest's account of what made the set; files are digests."""
    arguments = dataclasses.asdict(options)
    arguments["classes"] = list(options.classes)
    arguments["test"] = options.test_fraction
    for prefix, pictures in (("", own), ("test_", apart)):
        if pictures is None:
            continue
        arguments[f"{prefix}images"] = _digest(
            pictures.source, pictures.names, workers, on_read
        )
        if pictures.masks is not None:
            names = [pictures.masks.name_for(name) for name in pictures.names]
            arguments[f"{prefix}masks"] = _digest(
                pictures.mask_source, names, workers, lambda: None
            )
    return account("images", arguments)


def _digest(
    source: FileSource, names: list[str], workers: int, on_read: Callable[[], object]
) -> dict:
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    calls = ((name,) for name in names)
    prints = []
    for one in results_in_order(pool, source.fingerprint, calls, workers):
        prints.append(one)
        on_read()
    return fingerprint(prints)
