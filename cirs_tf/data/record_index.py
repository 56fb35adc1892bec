"""Where every record of some TFRecord files begins, so that any one can be read alone.

A record on disk is its length (8 bytes, little endian), the masked CRC-32C of the
length (4), its bytes, and their masked CRC-32C (4). Only lengths are read to make an
index: 12 bytes a record. Nothing is written beside the files.
"""

import array
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cirs_tf.data.crc32c import masked_crc32c, masked_crc32c_of_rows
from cirs_tf.data.manifest import Split
from cirs_tf.errors import DataError

_HEADER = 12  # bytes before a record
_FOOTER = 4  # bytes after it


@dataclasses.dataclass(frozen=True)
class RecordIndex:
    """Places of the records of some files; 16 bytes of memory a record.

    Attributes:
        files: Paths, in reading order.
        starts: `[files + 1]` int64, number of records before each file; last, of all.
        offsets: `[records]` int64, first byte of each record's content in its file.
        lengths: `[records]` int64, bytes of its content.
    """

    files: tuple[str, ...]
    starts: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of_split(
        cls, directory: str | Path, split: Split, limit: int | None = None
    ) -> "RecordIndex":
        """Index the shards of a split.

        Args:
            directory: Folder of the data set.
            split: From its manifest.
            limit: Leave out the shards behind the first so many records.

        Raises:
            DataError: A file is missing, ends within a record, or holds another
                number of records than the manifest counts; or a length is damaged.
        """
        files, offsets, lengths, counts = [], [], [], [0]
        for shard in split.shards:
            if limit is not None and sum(counts) >= limit:
                break
            path = Path(directory) / shard.file
            try:
                found_offsets, found_lengths = _places(path, shard.examples)
            except OSError as error:
                raise DataError(f"{path}: {error.strerror}") from None
            if len(found_offsets) != shard.examples:
                raise DataError(
                    f"{path}: holds {len(found_offsets)} records, the manifest counts "
                    f"{shard.examples}"
                )
            files.append(str(path))
            offsets.append(found_offsets)
            lengths.append(found_lengths)
            counts.append(len(found_offsets))
        none = [np.zeros(0, np.int64)]
        return cls(
            tuple(files),
            np.cumsum(counts),
            np.concatenate(none + offsets),
            np.concatenate(none + lengths),
        )

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.offsets)

    def place(self, row: int) -> str:
        """Name the file and the record of a row, as errors do.

        Args:
            row: In [0, records).
        """
        file = int(np.searchsorted(self.starts, row, side="right")) - 1
        number = row - self.starts[file]
        return f"{self.files[file]}: record {number} (counted from 0)"

    def read(self, rows: Sequence[int] | np.ndarray) -> list[bytes]:
        """Read records, in any order, and check them.

        Each file is opened once and closed again, so that no number of shards is too
        many, and several threads may read.

        Args:
            rows: Numbers of records.

        Returns:
            The content of each.

        Raises:
            DataError: A record is damaged or cannot be read; file and record are named.
        """
        rows = np.asarray(rows, np.int64)
        contents: list[bytes] = [b""] * len(rows)
        stored = np.empty(len(rows), np.uint32)
        file_of = np.searchsorted(self.starts, rows, side="right") - 1
        for file in np.unique(file_of):
            (chosen,) = np.nonzero(file_of == file)
            try:
                with open(self.files[file], "rb", buffering=0) as stream:
                    for place in chosen:
                        row = rows[place]
                        size = int(self.lengths[row]) + _FOOTER
                        stream.seek(self.offsets[row])
                        content = _read_fully(stream, size)
                        if len(content) < size:
                            raise DataError(
                                f"{self.place(row)}: the file ends within it"
                            )
                        contents[place] = content[:-_FOOTER]
                        stored[place] = int.from_bytes(content[-_FOOTER:], "little")
            except OSError as error:
                raise DataError(f"{self.files[file]}: {error.strerror}") from None
        (damaged,) = np.nonzero(masked_crc32c(contents) != stored)
        if len(damaged):
            raise DataError(f"{self.place(rows[damaged[0]])} is damaged")
        return contents


def _read_fully(stream, size: int) -> bytes:
    """Read as many bytes as asked for, fewer at the end of the file alone."""
    content = stream.read(size)
    while 0 < len(content) < size:
        more = stream.read(size - len(content))
        if not more:
            break
        content += more
    return content


def _places(path: Path, expected: int) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and lengths of the records of one file, `[records]` int64 each."""
    headers, offsets = bytearray(), array.array("q")
    size, position, whole = path.stat().st_size, 0, True
    with path.open("rb", buffering=0) as stream:
        while position < size and whole:
            stream.seek(position)
            header = _read_fully(stream, _HEADER)
            if len(header) < _HEADER:
                whole = False
                break
            headers += header
            offsets.append(position + _HEADER)
            position += _HEADER + int.from_bytes(header[:8], "little") + _FOOTER
            whole = position <= size
    rows = np.frombuffer(headers, np.uint8).reshape(-1, _HEADER)
    lengths = np.ascontiguousarray(rows[:, :8]).view("<u8")[:, 0]
    stored = np.ascontiguousarray(rows[:, 8:]).view("<u4")[:, 0]
    (damaged,) = np.nonzero(masked_crc32c_of_rows(rows[:, :8]) != stored)
    if len(damaged):
        raise DataError(
            f"{path}: record {damaged[0]} (counted from 0) of {expected} is damaged: "
            "its length does not match its checksum"
        )
    if not whole:
        last = len(offsets) - (position > size)
        raise DataError(
            f"{path}: truncated in record {last} (counted from 0) of {expected}"
        )
    return np.array(offsets, np.int64), lengths.astype(np.int64)
