"""CIRS with reconstruction, through the command and piece by piece."""

import numpy as np
import pytest
import tensorflow as tf
from cirs_tf.config_files import load_config
from cirs_tf.methods.build import build_method
from command_line import set_flags

from cirs_tf import train
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options

SMALL = (
    "segmenter.width=4",
    "segmenter.depth=2",
    "training.strategy=one",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plus")
    options = default_options(train=200, val=40, test=0, size=32, shards=1)
    draw(options, folder / "fruit")
    argv = ["--model", "cirs_plus", "--data", str(folder / "fruit")]
    argv += ["--run", str(folder / "run"), "--epochs", "1", "--steps-per-epoch", "20"]
    assert train.main([*argv, "--batch-size", "16", *set_flags(SMALL)]) == 0
    return RunFolder(folder / "run")


def test_segments_are_objects_within_seconds(run):
    (row,) = run.read_metrics()
    # k-means on color: about 0.32; one segment everywhere: 0.21.
    assert row["validation"]["miou"] > 0.45
    assert min(row["validation"]["segment_share"]) > 0.005
    assert "start        components of 200 images" in run.log_file.read_text()


def test_terms_are_the_sum_and_the_features_of_unit_length():
    config = load_config(
        "cirs_plus",
        [*SMALL, "cirs_plus.cirs_weight=3", "air.hidden=[8]", "cirs.alpha_2=0.5"],
    )
    method = build_method(config, 16, 16)
    images = np.random.default_rng(0).random((4, 16, 16, 3)).astype(np.float32)
    terms = method.validation_terms({"image": tf.constant(images)})
    found = {name: np.mean(value.numpy()) for name, value in terms.items()}
    loss = found["error"] + 3 * (found["within"] - 0.5 * found["between"])
    loss += 0.3 * found["assignment"] + 0.02 * found["shortfall"]
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    # On the unit sphere the variance of a segment's features is at most 1.
    assert 0 <= found["within"] <= 1
    assert 0 <= found["between"] <= config.segments
