import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from data_gen.draw_dataset import draw
from data_gen.options import SceneOptions
from data_gen.render import draw_examples
from data_gen.scenes import SCENES

MASK = "image/segmentation/class/encoded"


def read_with_tfds(folder, split):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    config = tfds.ReadConfig(interleave_cycle_length=1, shuffle_seed=0)
    dataset = builder.as_dataset(split=split, read_config=config, shuffle_files=False)
    return builder, list(tfds.as_numpy(dataset))


@pytest.mark.parametrize(
    ("split", "count", "masks"), [("train", 40, 0), ("val", 16, 1), ("test", 16, 1)]
)
def test_tfds_reads_the_folder(small_set, small_options, split, count, masks):
    builder, examples = read_with_tfds(small_set, split)
    assert builder.info.splits[split].num_examples == len(examples) == count
    drawn = draw_examples(SCENES["fruit"](64), small_options.seed, split, 0, count)
    for i, (example, picture, mask) in enumerate(zip(examples, *drawn, strict=True)):
        np.testing.assert_array_equal(example["image/encoded"], picture)
        assert example["image/filename"] == f"{split}-{i:06d}.png".encode()
        assert example["image/height"] == example["image/width"] == 64
        assert example[MASK].shape == (masks, 64, 64, 1)
        if masks:
            np.testing.assert_array_equal(example[MASK][0, ..., 0], mask)


def test_tfds_reads_splits_together(small_set):
    _, examples = read_with_tfds(small_set, "train+val[:50%]")
    assert [len(example[MASK]) for example in examples] == [0] * 40 + [1] * 8


def test_tfds_reads_a_set_without_any_mask(tmp_path):
    draw(SceneOptions(train=5, val=0, test=0, size=16), tmp_path)
    _, examples = read_with_tfds(tmp_path, "train")
    assert len(examples) == 5 and MASK not in examples[0]


# The package brings its own copy of TensorFlow's messages, so the two cannot be
# imported in one process.
READ_WITH_TFRECORD = """
import base64, json, sys
from tfrecord.reader import tfrecord_loader
assert "tensorflow" not in sys.modules
found = []
for path in sys.argv[1:]:
    for example in tfrecord_loader(path, None, None):
        found.append({
            key: base64.b64encode(bytes(value)).decode()
            for key, value in example.items()
            if "encoded" in key or "filename" in key
        })
print(json.dumps(found))
"""


@pytest.mark.parametrize(("split", "count"), [("train", 40), ("val", 16)])
def test_the_tfrecord_package_reads_the_shards(small_set, small_options, split, count):
    import base64

    shards = sorted(map(str, small_set.glob(f"{split}-*.tfrecord")))
    run = subprocess.run(
        [sys.executable, "-c", READ_WITH_TFRECORD, *shards],
        check=True,
        capture_output=True,
        text=True,
    )
    examples = [
        {key: base64.b64decode(value) for key, value in one.items()}
        for one in json.loads(run.stdout)
    ]
    drawn = draw_examples(SCENES["fruit"](64), small_options.seed, split, 0, count)
    for i, (example, picture, mask) in enumerate(zip(examples, *drawn, strict=True)):
        image = np.asarray(Image.open(io.BytesIO(example["image/encoded"])))
        np.testing.assert_array_equal(image, picture)
        assert example["image/filename"] == f"{split}-{i:06d}.png".encode()
        assert (MASK in example) == (split == "val")
        if split == "val":
            held = np.asarray(Image.open(io.BytesIO(example[MASK])))
            np.testing.assert_array_equal(held, mask)
