"""Records found and read one by one, against TensorFlow's own reader."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.data.manifest import Split, describe_file
from cirs_tf.data.record_index import RecordIndex
from cirs_tf.errors import DataError


def write_shards(folder, shards):
    """Write lists of records as files; return the split."""
    entries = []
    for number, records in enumerate(shards):
        path = folder / f"{number}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
        entries.append(describe_file(path, len(records)))
    return Split(tuple(entries), masks=False)


def some_shards():
    rng = np.random.default_rng(0)
    return [
        [rng.bytes(int(size)) for size in rng.integers(0, 900, count)]
        for count in (5, 0, 1, 9)
    ]


def test_every_record_as_tensorflow_reads_it(tmp_path):
    split = write_shards(tmp_path, some_shards())
    index = RecordIndex.of_split(tmp_path, split)
    expected = list(tf.data.TFRecordDataset(list(index.files)).as_numpy_iterator())
    assert len(index) == split.examples == len(expected) == 15
    assert index.read(range(15)) == expected
    assert index.lengths.tolist() == [len(record) for record in expected]
    rows = np.random.default_rng(1).integers(0, 15, 40)  # any order, any repetition
    assert index.read(rows) == [expected[row] for row in rows]
    assert index.read([]) == []


def test_a_row_is_named_by_file_and_record(tmp_path):
    index = RecordIndex.of_split(tmp_path, write_shards(tmp_path, some_shards()))
    names = [index.place(row) for row in (0, 4, 5, 6, 14)]
    assert names == [
        f"{tmp_path}/{file}.tfrecord: record {number} (counted from 0)"
        for file, number in ((0, 0), (0, 4), (2, 0), (3, 0), (3, 8))
    ]


def test_nothing_is_written_beside_the_files(tmp_path):
    split = write_shards(tmp_path, some_shards())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    RecordIndex.of_split(tmp_path, split).read([0])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


RECORDS = [b"first", b"", b"third record", b"4"]
ENDS = [21, 37, 65, 82]


def damaged(folder, change) -> str:
    """Damage a file before it is indexed; return what is said of it, in one line."""
    split = write_shards(folder, [RECORDS])
    path = folder / "0.tfrecord"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError) as caught:
        RecordIndex.of_split(folder, split).read(range(4))
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message.removeprefix(f"{path}: ")


@settings(max_examples=40)
@given(position=st.integers(0, ENDS[-1] - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_names_file_and_record(tmp_path_factory, position, bit):
    def flip(content):
        changed = bytearray(content)
        changed[position] ^= 1 << bit
        return bytes(changed)

    record = next(number for number, end in enumerate(ENDS) if position < end)
    message = damaged(tmp_path_factory.mktemp("set"), flip)
    assert message.startswith(f"record {record} (counted from 0)")
    assert "is damaged" in message


@pytest.mark.parametrize("length", range(1, ENDS[-1]))
def test_a_file_that_ends_too_early(tmp_path, length):
    message = damaged(tmp_path, lambda content: content[:length])
    if length in ENDS:  # between two records: the manifest counts more
        left = ENDS.index(length) + 1
        assert message == f"holds {left} records, the manifest counts 4"
    else:
        record = next(number for number, end in enumerate(ENDS) if length < end)
        assert message == f"truncated in record {record} (counted from 0) of 4"


def test_a_wrong_length(tmp_path):
    """As its checksum does not match, the records behind it are not guessed at."""

    def longer(content):
        return content[:21] + struct.pack("<Q", 28) + content[29:]

    assert damaged(tmp_path, longer) == (
        "record 1 (counted from 0) of 4 is damaged: its length does not match its "
        "checksum"
    )


def test_records_too_many_and_a_missing_file(tmp_path):
    assert damaged(tmp_path, lambda content: content + content[:21]) == (
        "holds 5 records, the manifest counts 4"
    )
    split = write_shards(tmp_path, [RECORDS])
    path = tmp_path / "0.tfrecord"
    index = RecordIndex.of_split(tmp_path, split)
    content = path.read_bytes()
    path.write_bytes(content[:70])  # while it is in use
    with pytest.raises(DataError, match=r"record 3 \(counted from 0\): the file ends"):
        index.read([0, 3])
    path.unlink()
    with pytest.raises(DataError, match=f"{path}: No such file"):
        index.read([0])
    with pytest.raises(DataError, match=f"{path}: No such file"):
        RecordIndex.of_split(tmp_path, split)
