"""CIRS with aligned segments, through the command and piece by piece."""

import io

import numpy as np
import pytest
import tensorflow as tf
from cirs_tf.config_files import load_config
from cirs_tf.methods.build import build_method
from command_line import set_flags
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cirs_tf import train
from cirs_tf.losses.reconstruction import chosen_error
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options

SMALL = (
    "segmenter.width=4",
    "segmenter.depth=2",
    "training.strategy=one",
    "training.learning_rate=1e-3",
    "cirs_aligned.start_pose_steps=150",
    "cirs_aligned.held_steps=10",
)


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    """Return fruit sets of 32 pixels a side."""
    folder = tmp_path_factory.mktemp("aligned") / "fruit"
    draw(default_options(train=300, val=40, test=0, size=32, shards=1), folder)
    return folder


@pytest.fixture(scope="module")
def run(fruit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("aligned") / "run"
    argv = ["--model", "cirs_aligned", "--data", str(fruit), "--run", str(folder)]
    argv += ["--epochs", "2", "--steps-per-epoch", "20", "--batch-size", "16"]
    assert train.main([*argv, *set_flags(SMALL)]) == 0
    return RunFolder(folder)


def test_segments_are_objects_within_seconds(run):
    first, last = run.read_metrics()
    # k-means on color: about 0.32; one segment everywhere: 0.21.
    assert last["validation"]["miou"] > 0.5
    assert last["validation"]["loss"] < first["validation"]["loss"]
    assert min(last["validation"]["segment_share"]) > 0.01


def test_the_log_tells_what_it_started_from(run):
    log = run.log_file.read_text()
    assert log.count("start        parts of each object in 300 images: ") == 1


def test_a_resumed_run_does_not_start_again(run, fruit, capsys):
    weights = {}
    for steps in (0, 1):
        if steps:
            argv = ["--resume", str(run.path), "--epochs", "3"]
            assert train.main(argv) == 0
            assert "start        parts" not in capsys.readouterr().out
        method = build_method(run.load_config(), 32, 32)
        CheckpointStore(run.checkpoints).restore("last", method.networks)
        weights[steps] = method.templates.layer.get_weights()
    # Twenty steps at a small rate: the templates have moved on, not back to the start.
    change = max(np.abs(a - b).max() for a, b in zip(*weights.values(), strict=True))
    assert 0 < change < 0.1


def test_a_pose_that_fits_costs_less_than_one_that_does_not():
    config = load_config("cirs_aligned", ["segments=2", *SMALL])
    method = build_method(config, 32, 32)
    side = method.templates.canvas
    rng = np.random.default_rng(0)
    background = np.full((32, 32, 3), 0.5)
    colors = rng.random((1, side, side, 3))
    support = np.zeros((1, side, side), bool)
    support[:, 6:-6, 6:-6] = True
    method.templates.layer.assign(background, colors, support)
    true = tf.constant([[15.5, 14.5, 0.8, 0.6]])
    laid = method.templates.lay(0, true)
    inside = laid[..., 3:] > 0.5
    image = tf.where(inside, laid[..., :3], 0.5)
    masks = tf.stack(
        [1.0 - tf.cast(inside, tf.float32), tf.cast(inside, tf.float32)], 1
    )
    costs = [
        float(chosen_error(masks, method._errors(image, [tf.constant([pose])])[0])[0])
        for pose in (
            [15.5, 14.5, 0.8, 0.6],
            [15.5, 14.5, -0.8, -0.6],
            [18.5, 14.5, 0.8, 0.6],
        )
    ]
    assert costs[0] < costs[1] / 2
    assert costs[0] < costs[2] / 2


def test_templates_are_held_while_poses_learn():
    config = load_config("cirs_aligned", ["segments=2", *SMALL])
    method = build_method(config, 32, 32)
    images = tf.random.stateless_uniform([2, 32, 32, 3], [1, 2])
    pose = tf.constant([[15.5, 14.5, 0.8, 0.6], [9.0, 20.0, 0.0, 1.0]])
    templates = [method.templates.layer.colors, method.templates.layer.support]
    # Templates as they are built are of one gray, which looks the same at any pose.
    for weights in templates:
        weights.assign(0.03 * tf.random.stateless_normal(weights.shape, [3, 4]))
    moved = {}
    for step in (0, 9, 10):
        method.optimizer.iterations.assign(step)
        with tf.GradientTape() as tape:
            tape.watch(pose)
            error = tf.reduce_sum(method._errors(images, [pose])[0][:, 1])
        sources = [pose, *(weights.value for weights in templates)]
        gradients = tape.gradient(error, sources)
        moved[step] = [float(tf.reduce_max(tf.abs(one))) > 0 for one in gradients]
    assert moved == {0: [True, False, False], 9: [True, False, False], 10: [True] * 3}


def test_templates_and_poses_are_in_tensorboard(run):
    events = EventAccumulator(str(run.tensorboard), size_guidance={"tensors": 0})
    events.Reload()
    for tag in ("templates", "poses", "validation"):
        assert [event.step for event in events.Tensors(tag)][:2] == [20, 40]
    width, height, png = events.Tensors("poses")[1].tensor_proto.string_val
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert picture.size == (int(width), int(height))
    # Five rows of 8 images, twice as large, with margins of 4; names at the left.
    assert picture.height == 5 * (2 * 32 + 4) + 4
    rows = [np.asarray(picture)[4 + 68 * row :][:64, -68:-4] for row in range(5)]
    images = np.asarray(rows[0], float)
    # All templates where they were found: nearly the image, unlike one of them.
    distance = [np.abs(images - row).mean() for row in rows[1:]]
    assert distance[-1] < 20 < min(distance[:-1])
