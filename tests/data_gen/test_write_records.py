import base64
import json
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
from tfrecords import decode_png, features, file_contents

from cirs_tf.data.manifest import describe_file
from cirs_tf.data.records import FILENAME
from cirs_tf.errors import DataError
from data_gen.render import draw_examples
from data_gen.scenes import SCENES
from data_gen.write_records import Example, SplitWriter

MASK = "image/segmentation/class/encoded"


def examples(count):
    for index in range(count):
        yield Example(np.full((2, 3, 3), index, np.uint8), str(index))


def names_in(path):
    return [
        features(record.numpy())[FILENAME].decode()
        for record in tf.data.TFRecordDataset(str(path))
    ]


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(7, [2, 2, 3]), (6, [2, 2, 2]), (2, [1, 1]), (1, [1])],
)
def test_examples_are_divided_evenly_in_order(tmp_path, count, lengths):
    written = []
    writer = SplitWriter(tmp_path, tmp_path, 3, lambda: written.append(1))
    split = writer.write("val", examples(count), count, masks=True)
    assert (split.masks, split.segmentations) == (True, False)
    assert [shard.examples for shard in split.shards] == lengths
    paths = [tmp_path / shard.file for shard in split.shards]
    assert set(paths) == set(tmp_path.iterdir())
    assert sum(map(names_in, paths), []) == [str(index) for index in range(count)]
    for path, shard in zip(paths, split.shards, strict=True):
        assert shard == describe_file(path, shard.examples)
    assert len(written) == count


@pytest.mark.parametrize("available", [0, 1, 3, 5])
def test_fewer_examples_than_planned_leave_no_empty_file(tmp_path, available):
    split = SplitWriter(tmp_path, tmp_path, 3).write("val", examples(available), 6)
    files = -(-available // 2)
    assert [shard.file for shard in split.shards] == [
        f"val-0000{index}-of-0000{files}.tfrecord" for index in range(files)
    ]
    assert set(file_contents(tmp_path)) == {shard.file for shard in split.shards}
    assert split.examples == available


def test_no_more_examples_are_taken_than_planned(tmp_path):
    source = examples(10)
    assert SplitWriter(tmp_path, tmp_path, 2).write("val", source, 4).examples == 4
    assert next(source).filename == "4"


def test_a_failure_names_the_final_place(tmp_path):
    writer = SplitWriter(tmp_path / "missing", tmp_path / "out", 1)
    with pytest.raises(DataError, match="out/val-00000-of-00001.tfrecord: "):
        writer.write("val", examples(1), 1)


def test_a_failed_write_ends_the_threads_that_encode(tmp_path):
    before = threading.active_count()
    writer = SplitWriter(tmp_path, tmp_path, 1, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError) as failure:  # keeps what the writer held
        writer.write("val", examples(100), 100)
    assert threading.active_count() == before, failure


# The package brings its own copy of TensorFlow's messages, so the two cannot be
# imported in one process.
READ_WITH_TFRECORD = """
import base64, json, sys
from tfrecord.reader import tfrecord_loader
assert "tensorflow" not in sys.modules
examples = []
for path in sys.argv[1:]:
    for example in tfrecord_loader(path, None, None):
        examples.append({
            key: base64.b64encode(bytes(value)).decode()
            for key, value in example.items()
            if "encoded" in key or "filename" in key
        })
print(json.dumps(examples))
"""


@pytest.mark.parametrize(("split", "count"), [("train", 40), ("val", 16)])
def test_the_tfrecord_package_reads_the_shards(small_set, small_options, split, count):
    shards = sorted(map(str, small_set.glob(f"{split}-*.tfrecord")))
    process = subprocess.run(
        [sys.executable, "-c", READ_WITH_TFRECORD, *shards],
        check=True,
        capture_output=True,
        text=True,
    )
    read = [
        {key: base64.b64decode(value) for key, value in example.items()}
        for example in json.loads(process.stdout)
    ]
    drawn = draw_examples(SCENES["fruit"](64), small_options.seed, split, 0, count)
    for index, (example, image, mask) in enumerate(zip(read, *drawn, strict=True)):
        np.testing.assert_array_equal(decode_png(example["image/encoded"]), image)
        assert example["image/filename"] == f"{split}-{index:06d}.png".encode()
        assert (MASK in example) == (split == "val")
        if split == "val":
            np.testing.assert_array_equal(decode_png(example[MASK]), mask)
