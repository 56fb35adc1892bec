"""Reading the segmentations of a split's annotators."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.data.manifest import Manifest, Split, describe_file
from cirs_tf.data.records import encode_example, shard_name
from cirs_tf.data.splits import load_split, open_segmentations
from cirs_tf.errors import DataError

HEIGHT, WIDTH = 3, 2


def regions(number: int, shape=(HEIGHT, WIDTH)) -> list[np.ndarray]:
    """Return the segmentations of image `number`: one to three annotators."""
    rng = np.random.default_rng(number)
    return [rng.integers(0, 2**16, shape, np.uint16) for _ in range(1 + number % 3)]


def record(number: int, segmentations: list[np.ndarray]) -> bytes:
    image = np.full((HEIGHT, WIDTH, 3), number, np.uint8)
    return encode_example(image, f"{number}.png", segmentations=segmentations)


def records(count: int) -> list[bytes]:
    return [record(number, regions(number)) for number in range(count)]


def write_set(folder, shards: list[list[bytes]], segmentations: bool = True) -> None:
    """Write the split `val`, and a split `train` without segmentations."""
    entries = []
    for index, content in enumerate(shards):
        path = folder / shard_name("val", index, len(shards))
        with tf.io.TFRecordWriter(str(path)) as writer:
            for one in content:
                writer.write(one)
        entries.append(describe_file(path, len(content)))
    splits = {
        "train": Split((), masks=False),
        "val": Split(tuple(entries), masks=False, segmentations=segmentations),
    }
    Manifest("set", HEIGHT, WIDTH, (), {}, splits).write(folder)


@pytest.mark.parametrize("limit", [None, 1, 4, 100])
def test_every_annotator_in_the_order_of_the_images(tmp_path, limit):
    written = records(7)
    write_set(tmp_path, [written[:3], written[3:]])
    found = list(open_segmentations(tmp_path, "val", limit))
    loaded = load_split(tmp_path, "val", with_masks=False, limit=limit)
    assert len(found) == len(loaded.images) == min(limit or 7, 7)
    for number, annotators in zip(loaded.images[:, 0, 0, 0], found, strict=True):
        expected = regions(int(number))
        assert isinstance(annotators, list) and len(annotators) == len(expected)
        for one, other in zip(annotators, expected, strict=True):
            assert one.dtype == np.uint16
            np.testing.assert_array_equal(one, other)


def test_split_without_segmentations(tmp_path):
    write_set(tmp_path, [records(2)])
    with pytest.raises(DataError) as caught:
        list(open_segmentations(tmp_path, "train"))
    assert str(caught.value) == (
        f"{tmp_path}: split 'train' has no segmentations; import it with "
        "--with-train-masks"
    )


def test_data_set_without_segmentations(tmp_path):
    write_set(tmp_path, [[record(0, [])]], segmentations=False)
    with pytest.raises(DataError, match=r"split 'val' has no segmentations$"):
        list(open_segmentations(tmp_path, "val"))


def test_unknown_and_empty_split(tmp_path):
    write_set(tmp_path, [[]])
    with pytest.raises(DataError, match="no split 'test'"):
        list(open_segmentations(tmp_path, "test"))
    with pytest.raises(DataError, match="split 'val' is empty"):
        list(open_segmentations(tmp_path, "val"))


def test_shards_are_verified_first(tmp_path):
    write_set(tmp_path, [records(2), records(2)])
    path = tmp_path / "val-00001-of-00002.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=f"{path}: truncated in record 1 "):
        list(open_segmentations(tmp_path, "val", limit=1))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(0, []), "holds no segmentations"),
        (record(0, regions(0, (HEIGHT, WIDTH + 1))), r"\[3,3,1\]"),
        (b"no example", "parse"),
    ],
)
def test_record_that_does_not_fit_is_named(tmp_path, bad, reason):
    write_set(tmp_path, [records(3), [*records(2), bad]])
    path = tmp_path / "val-00001-of-00002.tfrecord"
    with pytest.raises(DataError, match=reason) as caught:
        list(open_segmentations(tmp_path, "val"))
    assert str(caught.value).startswith(f"{path}: record 2 (counted from 0): ")
    assert "function_node" not in str(caught.value) and "\n" not in str(caught.value)


def test_manifest_that_counts_more_records_than_there_are(tmp_path):
    write_set(tmp_path, [records(2)])
    manifest = Manifest.read(tmp_path)
    entry = manifest.splits["val"]
    shard = dataclasses.replace(entry.shards[0], examples=5)
    manifest.splits["val"] = dataclasses.replace(entry, shards=(shard,))
    manifest.write(tmp_path)
    with pytest.raises(DataError, match="holds 2 records, the manifest counts 5"):
        list(open_segmentations(tmp_path, "val"))
