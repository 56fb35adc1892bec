"""The manifest: written and read back, and every kind of damage named."""

import hashlib
import json
import struct

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.data.manifest import (
    Manifest,
    Shard,
    Split,
    describe_file,
    verify_shards,
)
from cirs_tf.errors import DataError

RECORDS = [b"first", b"", b"third record", b"4"]
# A record on disk: length (8 bytes), its checksum (4), the bytes, their checksum (4).
ENDS = [21, 37, 65, 82]
SIZE = ENDS[-1]


def write_shard(folder, name: str = "train-00000-of-00001.tfrecord"):
    path = folder / name
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    return path


def damage(folder, path, change) -> str:
    """Apply `change` to the bytes of a good shard, return what the reader says."""
    split = Split((describe_file(path, len(RECORDS)),), masks=False)
    verify_shards(folder, split)  # nothing to say yet
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError) as caught:
        verify_shards(folder, split)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message


def record_at(position: int) -> int:
    return next(index for index, end in enumerate(ENDS) if position < end)


names = st.text("abcdefg-0123456789.", min_size=1, max_size=8)
counts = st.integers(0, 10**12)
shards = st.builds(Shard, names, counts, counts, st.text("0123456789abcdef"))
splits = st.builds(Split, st.lists(shards, max_size=3).map(tuple), st.booleans())
manifests = st.builds(
    Manifest,
    name=st.text(max_size=5),
    height=st.integers(1, 4096),
    width=st.integers(1, 4096),
    classes=st.lists(st.text(max_size=5), max_size=4).map(tuple),
    generator=st.dictionaries(names, st.text(max_size=5) | counts, max_size=3),
    splits=st.dictionaries(names, splits, max_size=3),
)


@settings(max_examples=20)
@given(manifest=manifests)
def test_reading_undoes_writing(tmp_path_factory, manifest):
    folder = tmp_path_factory.mktemp("set")
    manifest.write(folder)
    assert Manifest.read(folder) == manifest
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]


def small_manifest() -> Manifest:
    shard = Shard("train-00000-of-00001.tfrecord", 4, 82, "ab")
    splits = {"train": Split((shard, shard), False), "val": Split((), True)}
    return Manifest("fruit", 2, 3, ("sky", "apple"), {"name": "x"}, splits)


def test_content_of_the_file(tmp_path):
    small_manifest().write(tmp_path)
    content = json.loads((tmp_path / "manifest.json").read_text())
    shard = {
        "file": "train-00000-of-00001.tfrecord",
        "examples": 4,
        "bytes": 82,
        "sha256": "ab",
    }
    assert content == {
        "format_version": 1,
        "name": "fruit",
        "height": 2,
        "width": 3,
        "classes": ["sky", "apple"],
        "generator": {"name": "x"},
        "splits": {
            "train": {"shards": [shard, shard], "masks": False},
            "val": {"shards": [], "masks": True},
        },
    }


def test_split_by_name():
    manifest = small_manifest()
    assert manifest.split("train").examples == 8
    assert manifest.split("val").examples == 0
    with pytest.raises(DataError, match="fruit.*no split 'test'.*train, val"):
        manifest.split("test")


def without(key: str) -> str:
    content = {"format_version": 1, **json.loads(VALID)}
    del content[key]
    return json.dumps(content)


VALID = (
    '{"format_version": 1, "name": "a", "height": 1, "width": 1, "classes": [],'
    ' "generator": {}, "splits": {}}'
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not a manifest"),
        (VALID[:-4], "not a manifest"),
        ("[]", "not a manifest"),
        ("3", "not a manifest"),
        ("null", "not a manifest"),
        ("{}", "not a manifest.*format_version"),
        (without("name"), "not a manifest.*name"),
        (without("classes"), "not a manifest.*classes"),
        (without("splits"), "not a manifest.*splits"),
        (VALID.replace('"name"', '"nom"'), "not a manifest.*nom"),
        (VALID.replace('"splits": {}', '"splits": []'), "not a manifest"),
        (VALID.replace('"splits": {}', '"splits": {"a": {}}'), "not a manifest"),
        (
            VALID.replace('"splits": {}', '"splits": {"a": {"shards": [{"f": 1}]}}'),
            "not a manifest",
        ),
        (VALID.replace('"format_version": 1', '"format_version": 2'), "version"),
        (b"\xff\xfe\x00", "not a manifest"),
    ],
)
def test_unreadable_manifest_is_named(tmp_path, content, reason):
    path = tmp_path / "manifest.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=reason) as caught:
        Manifest.read(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")


def test_the_valid_manifest_of_the_cases_above_is_read(tmp_path):
    (tmp_path / "manifest.json").write_text(VALID)
    assert Manifest.read(tmp_path) == Manifest("a", 1, 1, (), {}, {})


def test_no_manifest(tmp_path):
    with pytest.raises(DataError, match="manifest.json: not found.*data_gen"):
        Manifest.read(tmp_path / "nowhere")


def test_description_of_a_shard(tmp_path):
    path = write_shard(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert describe_file(path, 4) == Shard(path.name, 4, SIZE, digest)


def test_missing_shard(tmp_path):
    path = write_shard(tmp_path)
    shard = describe_file(path, 4)
    with pytest.raises(DataError, match=r"train-00001-of-2: missing"):
        other = Shard("train-00001-of-2", *(shard.examples, shard.bytes, shard.sha256))
        verify_shards(tmp_path, Split((shard, other), False))


@settings(max_examples=30)
@given(position=st.integers(0, SIZE - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_names_file_and_record(tmp_path_factory, position, bit):
    folder = tmp_path_factory.mktemp("set")

    def flip(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[position] ^= 1 << bit
        return bytes(changed)

    message = damage(folder, write_shard(folder), flip)
    assert f"record {record_at(position)} (counted from 0) of 4 is damaged" in message


@settings(max_examples=20)
@given(length=st.integers(0, SIZE - 1))
def test_a_truncated_file_is_named_with_its_last_record(tmp_path_factory, length):
    folder = tmp_path_factory.mktemp("set")
    message = damage(folder, write_shard(folder), lambda content: content[:length])
    expected = f"truncated in record {record_at(length)} (counted from 0) of 4"
    assert expected in message
    assert f"{length} bytes, expected {SIZE}" in message


def test_another_whole_file_in_its_place(tmp_path):
    path = write_shard(tmp_path)
    order = [slice(21, 37), slice(0, 21), slice(37, None)]
    message = damage(tmp_path, path, lambda c: b"".join(c[part] for part in order))
    assert "4 records, expected 4" in message
    assert "differs from the one that the manifest describes" in message


def test_layout_of_a_record_that_the_cases_above_rely_on(tmp_path):
    content = write_shard(tmp_path).read_bytes()
    assert len(content) == SIZE
    for start, record in zip([0, *ENDS], RECORDS, strict=False):
        assert struct.unpack_from("<Q", content, start) == (len(record),)
        assert content[start + 12 :].startswith(record)
