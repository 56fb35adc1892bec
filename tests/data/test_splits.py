"""Opening a split."""

import contextlib
import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.data.manifest import Manifest, Split, describe_file
from cirs_tf.data.records import decode_example, encode_example, shard_name
from cirs_tf.data.splits import load_split, open_split
from cirs_tf.errors import DataError

HEIGHT, WIDTH = 3, 2


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, HEIGHT, WIDTH, 3), np.uint8)
    return images, rng.integers(0, 4, (count, HEIGHT, WIDTH), np.uint8)


def write_set(folder, shards: list[list[bytes]], masks: bool) -> None:
    """Write serialized records as the split `val`, with a manifest that fits."""
    entries = []
    for index, records in enumerate(shards):
        path = folder / shard_name("val", index, len(shards))
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
        entries.append(describe_file(path, len(records)))
    splits = {"val": Split(tuple(entries), masks)}
    Manifest("set", HEIGHT, WIDTH, ("a", "b", "c", "d"), {}, splits).write(folder)


def encoded(count: int, with_masks: bool = True) -> list[bytes]:
    images, masks = pictures(count)
    return [
        encode_example(images[i], f"{i}.png", masks[i] if with_masks else None)
        for i in range(count)
    ]


@pytest.mark.parametrize("limit", [None, 1, 4, 100])
def test_split_is_read_whole_and_in_order(tmp_path, limit):
    records = encoded(7)
    write_set(tmp_path, [records[:3], records[3:]], masks=True)
    images, masks = pictures(7)
    loaded = load_split(tmp_path, "val", with_masks=True, limit=limit)
    np.testing.assert_array_equal(loaded.images, images[:limit])
    np.testing.assert_array_equal(loaded.masks, masks[:limit])
    assert loaded.filenames == tuple(f"{i}.png" for i in range(7))[:limit]
    assert loaded.images.dtype == loaded.masks.dtype == np.uint8


def test_more_examples_than_are_decoded_at_once(tmp_path):
    records = encoded(300, with_masks=False)
    write_set(tmp_path, [records], masks=False)
    loaded = load_split(tmp_path, "val", with_masks=False)
    np.testing.assert_array_equal(loaded.images, pictures(300)[0])
    assert len(loaded.filenames) == 300


def test_masks_stay_unread_unless_asked_for(tmp_path):
    write_set(tmp_path, [encoded(2)], masks=True)
    assert load_split(tmp_path, "val", with_masks=False).masks is None


def test_masks_asked_for_where_there_are_none(tmp_path):
    write_set(tmp_path, [encoded(2, with_masks=False)], masks=False)
    with pytest.raises(DataError, match=f"{tmp_path}: split 'val' has no masks"):
        load_split(tmp_path, "val", with_masks=True)


def test_unknown_and_empty_split(tmp_path):
    write_set(tmp_path, [[]], masks=False)
    with pytest.raises(DataError, match="no split 'train'"):
        load_split(tmp_path, "train", with_masks=False)
    with pytest.raises(DataError, match="split 'val' is empty"):
        load_split(tmp_path, "val", with_masks=False)


def test_shards_are_verified_first(tmp_path):
    write_set(tmp_path, [encoded(2), encoded(2)], masks=True)
    path = tmp_path / "val-00001-of-00002.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=f"{path}: truncated in record 1 "):
        load_split(tmp_path, "val", with_masks=True, limit=1)


def lacking(key: str) -> bytes:
    example = tf.train.Example.FromString(encoded(1)[0])
    del example.features.feature[key]
    return example.SerializeToString()


def of_size(height: int, width: int) -> bytes:
    image = np.zeros((height, width, 3), np.uint8)
    return encode_example(image, "odd", image[..., 0])


def of_labels(*labels: int) -> bytes:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return encode_example(image, "odd", np.resize(np.uint8(labels), (HEIGHT, WIDTH)))


@pytest.mark.parametrize("cache", ["memory", "records"])
def test_labels_of_all_classes_and_255_are_read(tmp_path, cache):
    write_set(tmp_path, [[of_labels(0, 1, 2, 3, 255)]], masks=True)
    masks = open_split(tmp_path, "val", with_masks=True, cache=cache).masks
    assert set(masks[:].ravel()) == {0, 1, 2, 3, 255}


@pytest.mark.parametrize(
    ("classes", "labels", "fits"),
    [(0, (255, 255), True), (0, (0, 255), False), (256, (0, 254), True)],
)
def test_labels_where_there_are_no_or_many_classes(tmp_path, classes, labels, fits):
    record = tf.constant(of_labels(*labels))
    with contextlib.nullcontext() if fits else pytest.raises(tf.errors.OpError):
        decode_example(record, HEIGHT, WIDTH, True, classes)


def test_of_streamed_images_the_masks_are_not_looked_at(tmp_path):
    write_set(tmp_path, [[of_labels(9)]], masks=True)
    split = open_split(tmp_path, "val", with_masks=True, cache="records")
    assert split.images[:].shape == (1, HEIGHT, WIDTH, 3)
    with pytest.raises(DataError, match="record 0 .*: the mask has labels of none"):
        split.masks[:]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lacking("image/encoded"), "image/encoded"),
        (lacking("image/filename"), "image/filename"),
        (lacking("image/segmentation/class/encoded"), "class/encoded"),
        (of_size(HEIGHT + 1, WIDTH), r"\[4,2,3\]"),
        (of_size(HEIGHT, 1), r"\[3,1,3\]"),
        (b"no example", "parse"),
        (of_labels(0, 3, 255, 4), "the mask has labels of none of the 4 classes"),
    ],
)
def test_record_that_does_not_fit_is_named_though_its_checksum_is_right(
    tmp_path, bad, reason
):
    write_set(tmp_path, [encoded(3), [*encoded(2), bad, *encoded(1)]], masks=True)
    path = tmp_path / "val-00001-of-00002.tfrecord"
    with pytest.raises(DataError, match=reason) as caught:
        load_split(tmp_path, "val", with_masks=True)
    assert str(caught.value).startswith(f"{path}: record 2 (counted from 0): ")
    assert "function_node" not in str(caught.value)


def test_manifest_that_counts_more_records_than_there_are(tmp_path):
    write_set(tmp_path, [encoded(2)], masks=True)
    manifest = Manifest.read(tmp_path)
    (shard,) = manifest.splits["val"].shards
    manifest.splits["val"] = Split((dataclasses.replace(shard, examples=5),), True)
    manifest.write(tmp_path)
    with pytest.raises(DataError, match="holds 2 records, the manifest counts 5"):
        load_split(tmp_path, "val", with_masks=True)
