"""Loading a split, and the endless order of training batches."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.data.manifest import Manifest, Split, describe_file
from cirs_tf.data.pipeline import LoadedSplit, as_float, load_split, training_dataset
from cirs_tf.data.records import encode_example, shard_name
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


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lacking("image/encoded"), "image/encoded"),
        (lacking("image/filename"), "image/filename"),
        (lacking("image/segmentation/class/encoded"), "class/encoded"),
        (of_size(HEIGHT + 1, WIDTH), r"\[4,2,3\]"),
        (of_size(HEIGHT, 1), r"\[3,1,3\]"),
        (b"no example", "parse"),
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


def numbered(count: int, masks: bool = False) -> LoadedSplit:
    """Images of one pixel that say which they are."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    return LoadedSplit(images, images[..., 0] if masks else None, ("",) * count)


def order(count: int, batch: int, seed: int, steps: int, first: int = 0) -> np.ndarray:
    """Return `[steps, batch]` image numbers."""
    dataset = training_dataset(numbered(count), seed, batch, first)
    batches = [b["image"].numpy() for b in itertools.islice(dataset, steps)]
    return np.rint(np.stack(batches)[:, :, 0, 0, 0] * 255).astype(int)


@settings(max_examples=8)
@given(
    count=st.integers(1, 6),
    batch=st.integers(1, 9),
    seed=st.integers(0, 2**31 - 1),
    first=st.integers(0, 8),
)
def test_resumed_at_any_step_the_batches_are_the_same(count, batch, seed, first):
    whole = order(count, batch, seed, first + 4)
    assert whole.shape == (first + 4, batch)
    np.testing.assert_array_equal(order(count, batch, seed, 4, first), whole[first:])


@settings(max_examples=8)
@given(count=st.integers(1, 8), batch=st.integers(1, 11), seed=st.integers(0, 99))
def test_every_image_occurs_once_an_epoch_whatever_the_batch(count, batch, seed):
    steps = -(-4 * count // batch)
    epochs = order(count, batch, seed, steps).ravel()[: 4 * count].reshape(4, count)
    for epoch in epochs:
        assert sorted(epoch) == list(range(count))
    # The order of an epoch does not depend on how it is cut into batches.
    np.testing.assert_array_equal(order(count, count, seed, 4), epochs)


def test_order_differs_between_epochs_and_between_seeds():
    epochs = [tuple(epoch) for seed in (0, 1) for epoch in order(32, 32, seed, 3)]
    assert len(set(epochs)) == 6


def test_resuming_far_into_a_run_does_not_read_what_lies_before():
    # A million epochs in; reading on from the start would take hours.
    first = 10**6 * 5 + 2
    found = order(5, 1, 0, 3, first).ravel()
    assert set(found) < set(range(5))
    np.testing.assert_array_equal(found[1:], order(5, 1, 0, 2, first + 1).ravel())


def test_a_split_in_memory_is_held_once():
    """Batches are taken from the very array: what is written to it later shows."""
    images, masks = np.zeros((4, 5, 5, 3), np.uint8), np.zeros((4, 5, 5), np.uint8)
    dataset = training_dataset(LoadedSplit(images, masks, ("",) * 4), 0, 4)
    images[:], masks[:] = 255, 3
    batch = next(iter(dataset))
    assert batch["image"].numpy().min() == 1
    assert batch["mask"].numpy().min() == 3


def test_batches_are_images_in_unit_range():
    images = np.array([0, 51, 255], np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (3, 4, 5, 3))
    dataset = training_dataset(LoadedSplit(images, None, ("",) * 3), 0, 3)
    assert dataset.element_spec == {"image": tf.TensorSpec((3, 4, 5, 3), tf.float32)}
    batch = next(iter(dataset))["image"].numpy()
    expected = np.broadcast_to([[0.0], [0.2], [1.0]], (3, 60))
    np.testing.assert_allclose(np.sort(batch.reshape(3, 60), axis=0), expected, 1e-6)


def test_every_byte_as_a_float():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(as_float(levels), np.arange(256) / 255, rtol=1e-7)


def test_masks_come_along_with_their_images_where_they_were_loaded():
    split = numbered(9, masks=True)
    for batch in itertools.islice(training_dataset(split, 3, 4), 5):
        images = np.rint(batch["image"].numpy() * 255).astype(np.uint8)
        np.testing.assert_array_equal(batch["mask"].numpy(), images[..., 0])
    whole = split.batch(slice(2, 5))
    assert whole["mask"].numpy().ravel().tolist() == [2, 3, 4]
    unlabeled = split.without_masks()
    assert unlabeled.batch(slice(2, 5)).keys() == {"image"}
    assert next(iter(training_dataset(unlabeled, 3, 4))).keys() == {"image"}
