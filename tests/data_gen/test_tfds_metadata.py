import json

import numpy as np
import pytest

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
    for index, (example, image, mask) in enumerate(zip(examples, *drawn, strict=True)):
        np.testing.assert_array_equal(example["image/encoded"], image)
        assert example["image/filename"] == f"{split}-{index:06d}.png".encode()
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


def test_the_description_lists_the_classes(small_set):
    info = json.loads((small_set / "dataset_info.json").read_text())
    assert info["description"] == (
        "Pictures with masks. Classes: 0 sky, 1 lemon, 2 apple, 3 blueberry."
    )
