"""A split in its records: the batches of one in memory, bit for bit; damage named."""

import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.data.batches import sampled_dataset, training_dataset
from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.data.manifest import Manifest, Split, describe_file
from cirs_tf.data.records import ImageClass, encode_example, shard_name
from cirs_tf.data.splits import load_split, open_split
from cirs_tf.data.streamed_split import RecordArray, StreamedSplit
from cirs_tf.errors import DataError

HEIGHT, WIDTH, COUNT = 3, 2, 11
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (COUNT, HEIGHT, WIDTH, 3), np.uint8)
MASKS = RNG.integers(0, 4, (COUNT, HEIGHT, WIDTH), np.uint8)
CLASSES = RNG.integers(0, 3, COUNT)
SHARDS = [slice(0, 4), slice(4, 5), slice(5, 11)]


def records() -> list[bytes]:
    return [
        encode_example(
            IMAGES[i], f"{i}.png", MASKS[i], ImageClass(int(CLASSES[i]), "abc"[i % 3])
        )
        for i in range(COUNT)
    ]


def write_set(folder, shards: list[list[bytes]]) -> None:
    entries = []
    for number, content in enumerate(shards):
        path = folder / shard_name("val", number, len(shards))
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in content:
                writer.write(record)
        entries.append(describe_file(path, len(content)))
    splits = {"val": Split(tuple(entries), masks=True)}
    classes = ("a", "b", "c", "d")
    manifest = Manifest("set", HEIGHT, WIDTH, classes, {}, splits, ("x", "y", "z"))
    manifest.write(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    write_set(folder, [records()[shard] for shard in SHARDS])
    return folder


def opened(folder, cache, masks=True, limit=None):
    return open_split(folder, "val", masks, limit, True, cache=cache)


@pytest.fixture(scope="module")
def streamed(folder):
    return opened(folder, "records")


def assert_same_batches(ours, theirs, count):
    batches = zip(
        itertools.islice(ours, count), itertools.islice(theirs, count), strict=True
    )
    found = 0
    for one, other in batches:
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
        found += 1
    return found


@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1])
@pytest.mark.parametrize("first", [0, 1, 3, 10**6])
def test_batches_are_those_of_a_split_in_memory(streamed, seed, first):
    """Over ends of epochs (batches of 4 of 11 images) and shards (4, 1, 6 records)."""
    loaded = LoadedSplit(IMAGES, MASKS, ("",) * COUNT)
    pair = [training_dataset(split, seed, 4, first) for split in (streamed, loaded)]
    assert pair[0].element_spec == pair[1].element_spec
    assert pair[0].element_spec["mask"].shape == (4, HEIGHT, WIDTH)
    assert assert_same_batches(*pair, 7) == 7


def test_batches_without_masks(streamed):
    loaded = LoadedSplit(IMAGES, None, ("",) * COUNT)
    unlabeled = streamed.without_masks()
    assert unlabeled.masks is None
    assert assert_same_batches(
        training_dataset(unlabeled, 3, 5), training_dataset(loaded, 3, 5), 4
    )


@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("count", [5, 99])
def test_drawn_batches_with_other_labels(streamed, count, first):
    labels = np.random.default_rng(1).integers(0, 9, (6, HEIGHT, WIDTH), np.uint8)
    loaded = LoadedSplit(IMAGES, MASKS, ("",) * COUNT)
    pair = [
        sampled_dataset(split.first(count, labels), 20, 5, 4, first)
        for split in (streamed, loaded)
    ]
    assert pair[0].element_spec == pair[1].element_spec
    assert assert_same_batches(*pair, 9) == 5 - first
    few = [split.first(count) for split in (streamed, loaded)]
    assert [len(one.images) for one in few] == [min(count, COUNT)] * 2
    assert few[0].masks is few[1].masks is None


@pytest.mark.parametrize("limit", [None, 1, 4, 5, 100])
def test_the_whole_split(folder, limit):
    streamed, loaded = (opened(folder, c, limit=limit) for c in ("records", "memory"))
    assert isinstance(streamed, StreamedSplit) and isinstance(loaded, LoadedSplit)
    np.testing.assert_array_equal(loaded.images, IMAGES[:limit])
    np.testing.assert_array_equal(loaded.masks, MASKS[:limit])
    for split in (streamed, loaded):
        assert split.filenames == tuple(f"{i}.png" for i in range(COUNT))[:limit]
        np.testing.assert_array_equal(split.image_classes, CLASSES[:limit])
        assert split.decoded_bytes == IMAGES[:limit].nbytes + MASKS[:limit].nbytes
        assert split.images.shape == IMAGES[:limit].shape
        np.testing.assert_array_equal(list(split.images), IMAGES[:limit])
        np.testing.assert_array_equal(list(split.masks), MASKS[:limit])


@pytest.mark.parametrize(
    "rows",
    [
        *(0, -1, slice(2, 7), slice(None), slice(8, 99), slice(3, 3), slice(9, 0, -2)),
        *([4], [5, 4, 4, 0], np.array([10, -11]), np.array([1, 10], np.uint8)),
    ],
)
def test_rows_are_those_of_an_array(streamed, rows):
    np.testing.assert_array_equal(streamed.images[rows], IMAGES[rows])
    np.testing.assert_array_equal(streamed.masks[rows], MASKS[rows])
    if isinstance(rows, slice) and rows != slice(3, 3):
        batch = streamed.batch(rows)
        np.testing.assert_array_equal(batch["image"], IMAGES[rows] / np.float32(255))
        np.testing.assert_array_equal(batch["mask"], MASKS[rows])


def test_rows_that_are_not_there(streamed):
    for rows in (COUNT, [0, COUNT], -COUNT - 1):
        with pytest.raises(IndexError):
            streamed.images[rows]
    with pytest.raises(TypeError, match="by example alone"):
        streamed.images[0, 1]
    for rows in ([0.5], np.ones(COUNT, bool)):
        with pytest.raises(TypeError, match="by numbers of examples"):
            streamed.images[rows]


def test_some_of_very_many_cost_the_memory_of_some():
    array = RecordArray((10**8, 2, 2, 3), lambda rows: rows)
    tracemalloc.start()
    np.testing.assert_array_equal(array[3:9], range(3, 9))
    assert array[-1] == 10**8 - 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**6


def test_all_in_memory_by_mistake_is_one_line(streamed):
    with pytest.raises(DataError, match="all 11 images .* training.cache=memory"):
        np.asarray(streamed.images)


@pytest.mark.parametrize(
    ("cache", "cache_mb", "kind"),
    [
        ("auto", 0, StreamedSplit),
        ("auto", 1, LoadedSplit),
        ("memory", 0, LoadedSplit),
        ("records", 1, StreamedSplit),
    ],
)
def test_size_decides_unless_told(folder, cache, cache_mb, kind):
    split = open_split(folder, "val", False, cache=cache, cache_mb=cache_mb)
    assert type(split) is kind


def copy_with(tmp_path, change) -> str:
    """Write the set, change the bytes of its last shard; return the path."""
    write_set(tmp_path, [records()[shard] for shard in SHARDS])
    path = tmp_path / "val-00002-of-00003.tfrecord"
    path.write_bytes(change(path.read_bytes()))
    return str(path)


def flipped(content: bytes) -> bytes:
    """Return a shard whose record 1 has another bit, where its size stays."""
    place = content.index(b"6.png")
    return content[:place] + b"7" + content[place + 1 :]


def test_a_flipped_byte_is_named_when_its_record_is_read(tmp_path):
    path = copy_with(tmp_path, flipped)
    message = f"^{path}: record 1 \\(counted from 0\\) is damaged$"
    streamed = opened(tmp_path, "records")
    np.testing.assert_array_equal(streamed.images[:6], IMAGES[:6])
    with pytest.raises(DataError, match=message):
        streamed.images[6]
    with pytest.raises(DataError, match=message), streamed.damage_named():
        list(itertools.islice(training_dataset(streamed, 0, 4), 3))
    with pytest.raises(DataError, match=message):
        load_split(tmp_path, "val", with_masks=False)
    with pytest.raises(DataError, match=message):
        len(streamed.filenames)


def test_hashes_are_compared_where_asked_for(tmp_path):
    path = copy_with(tmp_path, flipped)
    with pytest.raises(DataError, match=f"{path}: record 1 .* of 6 is damaged"):
        open_split(tmp_path, "val", False, cache="records", verify=True)


@pytest.mark.parametrize("cut", [1, 16, 200])
def test_a_truncated_shard_is_named_at_once(tmp_path, cut):
    path = copy_with(tmp_path, lambda content: content[:-cut])
    with pytest.raises(DataError, match=f"^{path}: truncated in record . "):
        opened(tmp_path, "records")


def test_a_record_that_cannot_be_decoded_is_named(tmp_path):
    odd = encode_example(np.zeros((HEIGHT, 5, 3), np.uint8), "odd")
    write_set(tmp_path, [records()[:3], [*records()[3:5], odd, *records()[5:]]])
    path = tmp_path / "val-00001-of-00002.tfrecord"
    message = f"^{path}: record 2 \\(counted from 0\\): .*\\[3,5,3\\]"
    streamed = opened(tmp_path, "records", masks=False)
    for read in (
        lambda: list(itertools.islice(training_dataset(streamed, 0, 4), 3)),
        lambda: streamed.images[:],
        lambda: opened(tmp_path, "memory", masks=False),
    ):
        with pytest.raises(DataError, match=message), streamed.damage_named():
            read()


def test_another_error_stays_what_it_is(streamed):
    with pytest.raises(tf.errors.InvalidArgumentError, match="own"):
        with streamed.damage_named():
            tf.debugging.assert_equal(1, 2, "own")


def test_copies_share_what_they_read(streamed):
    """So that the trainer's split explains the failures of a phase's first images."""
    assert streamed.first(3).reader is streamed.reader
    assert dataclasses.replace(streamed, count=2).reader is streamed.reader
