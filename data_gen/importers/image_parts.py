"""Imports images file by file: each record file can be written by itself.

An image that cannot be read would move all that follow it from file to file. So it is
an error here, and not left out as where a set is written in one call.
"""

import dataclasses
import functools
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from cirs_tf.data.manifest import Manifest, Shard, Split
from cirs_tf.errors import DataError, ImageError
from data_gen.importers.image_source import ImageSource
from data_gen.importers.images import ImageImport, label_names
from data_gen.importers.options import ImageOptions
from data_gen.options import check_minimum
from data_gen.write_records import RecordFile, SplitWriter, plan_files, split_of


@dataclasses.dataclass
class ImageParts:
    """A `data_gen.parts.DividedSet` of images.

    Attributes:
        options: What to import.
        out: Folder of the data set.
        generator: What the manifest says of the options and the files.
    """

    options: ImageOptions
    out: Path
    generator: dict

    @classmethod
    def prepare(
        cls, options: ImageOptions, out: str | Path, workers: int, progress: bool
    ) -> "ImageParts":
        """Read all files once, as the manifest holds a digest of them.

        Args:
            options: What to import.
            out: Folder of the whole data set.
            workers: Number of threads that read.
            progress: Whether to show a bar on a terminal.

        Raises:
            DataError: There are no images, or too few, or an image has no mask.
        """
        check_minimum("workers", workers, 1)
        # Workers of Beam have another working directory.
        absolute = {
            name: Path(path).absolute()
            for name in ("images", "masks", "test_images", "test_masks")
            if (path := getattr(options, name)) is not None
        }
        generator = ImageImport(options, Path(out)).describe(workers, progress)
        options = dataclasses.replace(options, **absolute)
        return cls(options, Path(out).absolute(), generator)

    def __getstate__(self) -> dict:
        """Leave out what is open: whoever receives this opens its own."""
        fields = dataclasses.fields(self)
        return {field.name: getattr(self, field.name) for field in fields}

    @functools.cached_property
    def _images(self) -> ImageImport:
        return ImageImport(self.options, self.out)

    @functools.cached_property
    def _names(self) -> dict[str, tuple[ImageSource, list[str]]]:
        """Source and names of the images of each split."""
        main, test = self._images.main, self._images.test
        names, start = {}, 0
        for split, count in self._images.main_counts.items():
            names[split] = (main, main.names[start : start + count])
            start += count
        if test is not None:
            names["test"] = (test, test.names)
        return names

    @property
    def files(self) -> list[RecordFile]:
        """All record files of the set, one split after the other."""
        return [
            file
            for split, (_, names) in self._names.items()
            for file in plan_files(split, len(names), self.options.shards)
        ]

    def write_files(
        self, files: list[RecordFile], writer: SplitWriter, workers: int
    ) -> list[Shard]:
        """Import and write some of the files.

        Args:
            files: Which; their bytes do not depend on the others.
            writer: Writes them.
            workers: Number of threads that decode.

        Returns:
            The files, for the manifest.

        Raises:
            DataError: A file cannot be written, or an image or mask not be read.
        """
        shards = []
        for file in files:
            source, names = self._names[file.split]
            own = names[file.start : file.stop]
            with closing(source.examples(workers, _refuse, own)) as examples:
                kept = examples
                if not self._images.has_masks(file.split):
                    kept = (example._replace(mask=None) for example in examples)
                shards.append(writer.write_file(file, kept))
        return shards

    def manifest(self, shards: Iterable[Shard]) -> Manifest:
        """Return the manifest of a set that has these files, or some of them.

        Args:
            shards: In reading order. Of labels without names, it holds those up to the
                highest that was read.
        """
        shards = list(shards)
        splits = {
            split: Split(
                tuple(shard for shard in shards if split_of(shard.file) == split),
                self._images.has_masks(split),
            )
            for split in self._names
        }
        labels = max(source.num_labels for source in self._images.sources)
        classes = self.options.classes or label_names(labels)
        return self._images.manifest(splits, classes, self.generator)


def _refuse(error: ImageError) -> None:
    raise DataError(
        f"{error}; remove it, or write the set in one call, which leaves it out"
    )
