"""One folder or zip of images, with its masks, as examples of a data set."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from cirs_tf.data.image_files import SUFFIXES
from cirs_tf.data.records import IGNORE_LABEL, ImageClass
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.masks import MaskFiles
from data_gen.importers.options import ImageOptions
from data_gen.importers.resizing import resize_image, resize_mask
from data_gen.importers.sources import FileSource, check_outside
from data_gen.ordered_pool import map_in_order
from data_gen.write_records import Example


class ImageSource:
    """One folder or zip of images.

    Args:
        images: The folder or zip.
        masks: Folder or zip of their masks, or None.
        options: Frame, seed, names of the labels, and whether to be strict.
        out: Folder of the data set; it must not lie within `images` or `masks`.

    Attributes:
        names: Relative names of the images, in the order that the seed gives them.
        num_labels: One more than the highest label in the masks read so far.
        has_ignored: Whether one of these masks has pixels to ignore.
        has_objects: Whether one of them has pixels of a label above 0.
        sizes: Height and width of the images read so far, each once.
        image_classes: Names of the classes of whole images; set by the importer once
            all sources are known.

    Raises:
        DataError: There are no images, or an image has no mask.
    """

    def __init__(
        self,
        images: str | Path,
        masks: str | Path | None,
        options: ImageOptions,
        out: Path,
    ):
        self.num_labels = 0
        self.has_ignored = self.has_objects = False
        self.sizes: set[tuple[int, int]] = set()
        self.image_classes: tuple[str, ...] = ()
        self._options = options
        self._source = FileSource(images)
        for path in filter(None, (images, masks)):
            check_outside(out, path)
        names = self._source.names_ending_in(SUFFIXES)
        if not names:
            raise DataError(
                f"{images}: no images found; expected files ending in "
                f"{', '.join(SUFFIXES)}"
            )
        self.names = sorted(names, key=self._random_rank)
        self._masks = None
        if masks is not None:
            self._masks = MaskFiles(FileSource(masks), len(options.classes) or None)
            for name in names:
                self._masks.name_of(name)

    @property
    def masks_path(self) -> Path | None:
        """Folder or zip of the masks."""
        return None if self._masks is None else self._masks.source.path

    @property
    def has_masks(self) -> bool:
        """Whether the images have masks."""
        return self._masks is not None

    @property
    def top_folders(self) -> set[str] | None:
        """Names of the outermost folders, or None if an image lies in no folder."""
        if not all("/" in name for name in self.names):
            return None
        return {_top_folder(name) for name in self.names}

    def digests(self, workers: int, on_read: Callable[[], object]) -> dict[str, dict]:
        """Return digests of the `images`, and of the `masks` where there are any.

        Args:
            workers: Number of threads that read.
            on_read: Called after each image.
        """
        digests = {"images": self._source.digest(self.names, workers, on_read)}
        if self._masks is not None:
            mask_names = [self._masks.name_of(name) for name in self.names]
            digests["masks"] = self._masks.source.digest(mask_names, workers)
        return digests

    def examples(
        self,
        workers: int,
        on_unreadable: Callable[[ImageError], object],
        names: Iterable[str] | None = None,
    ) -> Iterator[Example]:
        """Yield the images that can be read, in the order of `names`.

        Args:
            workers: Number of threads that decode.
            on_unreadable: Called for each image that is left out.
            names: Some of `names`; None for all.

        Yields:
            Examples with masks where there are any.

        Raises:
            DataError: A mask cannot be read, or does not fit its image.
            ImageError: With `options.strict`, an image that cannot be read.
        """
        names = self.names if names is None else names
        results = map_in_order(self._read_example, names, workers)
        with closing(results):
            for example in results:
                if isinstance(example, ImageError):
                    if self._options.strict:
                        raise example
                    on_unreadable(example)
                    continue
                if example.mask is not None:
                    labels = example.mask[example.mask != IGNORE_LABEL]
                    if labels.size:
                        self.num_labels = max(self.num_labels, int(labels.max()) + 1)
                yield example

    def _read_example(self, name: str) -> Example | ImageError:
        try:
            pixels = self._source.read_image(name)
        except ImageError as error:
            return error
        self.sizes.add(pixels.shape[:2])
        mask = image_class = None
        if self._masks is not None:
            mask = self._masks.read(name, *pixels.shape[:2])
            if (mask == IGNORE_LABEL).any():
                self.has_ignored = True
            if ((mask > 0) & (mask != IGNORE_LABEL)).any():
                self.has_objects = True
            mask = resize_mask(mask, self._options.frame)
        if self.image_classes:
            class_name = _top_folder(name)
            index = self.image_classes.index(class_name)
            image_class = ImageClass(index, class_name)
        image = np.ascontiguousarray(resize_image(pixels, self._options.frame))
        return Example(image, _as_utf8(name), mask, image_class)

    def _random_rank(self, name: str) -> str:
        """Return hexadecimal digits that depend on the seed and the name alone."""
        key = f"{self._options.seed}/{name}".encode(errors="surrogateescape")
        return hashlib.sha256(key).hexdigest()


def _top_folder(name: str) -> str:
    return _as_utf8(name.split("/")[0])


def _as_utf8(name: str) -> str:
    """Replace what UTF-8 cannot hold in a file name by `?`."""
    return name.encode(errors="replace").decode()
