"""CIRS with aligned segments, through the command and piece by piece."""

import io

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cirs_tf import train
from cirs_tf.losses.reconstruction import chosen_error
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.models.surroundings import surroundings
from cirs_tf.runs.restore import load_networks
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options

SMALL = (
    "segmenter.width=4",
    "segmenter.depth=2",
    "training.strategy=single",
    "training.learning_rate=1e-3",
    "cirs_aligned.pose_pretraining_steps=150",
    "cirs_aligned.template_freeze_steps=10",
    "cirs_aligned.xla=false",
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
    first, last = (row for row in run.read_metrics() if "validation" in row)
    # k-means on color: about 0.32; one segment everywhere: 0.21.
    assert last["validation"]["miou"] > 0.5
    assert last["validation"]["loss"] < first["validation"]["loss"]
    assert min(last["validation"]["segment_share"]) > 0.01


def test_the_log_tells_what_it_was_initialized_from(run):
    log = run.log_file.read_text()
    assert log.count("parts of each object in 300 images: ") == 1


def test_a_resumed_run_does_not_start_again(run, capsys):
    before, _ = load_networks(run, "last")
    assert train.main(["--resume", str(run.path), "--epochs", "3"]) == 0
    assert "parts of each object" not in capsys.readouterr().out
    after, _ = load_networks(run, "last")
    # Twenty steps at a small rate: the templates have moved on, not back to the start.
    pairs = zip(
        before.templates.layer.get_weights(),
        after.templates.layer.get_weights(),
        strict=True,
    )
    assert 0 < max(np.abs(a - b).max() for a, b in pairs) < 0.1


def test_initialization_is_pure_and_assigned_as_given():
    """The same arrays each time; weights move with `assign` alone."""
    config = load_config("cirs_aligned", ["segments=2", *SMALL])
    method = build_method(config, 16, 16)
    images = np.full((20, 16, 16, 3), 30, np.uint8)
    for index, image in enumerate(images):
        image[index % 11 :, 3 * index % 12 :][:5, :4] = (200, 40, 10)
    fresh = method.templates.layer.get_weights()
    first, again = method.initialize(images), method.initialize(images)
    for a, b in zip(fresh, method.templates.layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.keys() == again.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    method.assign(first)
    background, colors, support = method.templates.layer(tf.zeros([1]))
    np.testing.assert_allclose(background, np.full((16, 16, 3), 30 / 255), atol=1e-6)
    # An object of 5 by 4 pixels in the middle of its template.
    inside = support[0].numpy() > 0.5
    assert inside.sum() == 20
    expected = np.tile(np.array([200, 40, 10]) / 255, (20, 1))
    np.testing.assert_allclose(colors[0].numpy()[inside], expected, atol=1e-6)
    labels = first["pseudo_labels"]
    assert ((images[..., 0] == 200) == (labels == 1)).all()


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
    rendered = method.templates.render(method.templates.stored(), true[:, None])[:, 0]
    inside = rendered[..., 3:] > 0.5
    image = tf.where(inside, rendered[..., :3], 0.5)
    masks = tf.stack(
        [1.0 - tf.cast(inside, tf.float32), tf.cast(inside, tf.float32)], 1
    )
    costs = []
    for pose in (
        [15.5, 14.5, 0.8, 0.6],
        [15.5, 14.5, -0.8, -0.6],
        [18.5, 14.5, 0.8, 0.6],
    ):
        errors, _ = method._errors(image, masks, tf.constant([[pose]]))
        costs.append(float(chosen_error(masks, errors)[0]))
    assert costs[0] < costs[1] / 2
    assert costs[0] < costs[2] / 2


def test_a_moving_background_is_what_s_sees_around():
    settings = ["segments=2", *SMALL, "cirs_aligned.background=surroundings"]
    config = load_config("cirs_aligned", settings)
    method = build_method(config, 32, 32)
    rng = np.random.default_rng(0)
    images = tf.constant(rng.random((3, 32, 32, 3)), tf.float32)
    first = np.zeros((3, 1, 32, 32, 1), np.float32)
    first[:, :, :, 5:] = 1
    masks = tf.constant(np.concatenate([first, 1 - first], axis=1))
    poses = tf.constant([[[15.5, 14.5, 0.8, 0.6]]] * 3)
    errors, support = method._errors(images, masks, poses)
    fill = surroundings(images, masks[:, 0]).numpy()
    expected = np.square(images - fill).mean(axis=-1)
    expected += config.cirs_aligned.occlusion_penalty * support[:, 1].numpy()
    np.testing.assert_allclose(errors[:, 0], expected, atol=1e-6)
    # The picture of a static background takes no part, in training neither.
    (phase,) = method.phases
    trained = {variable.path for variable in phase.variables}
    assert "templates/background" not in trained
    assert {"templates/colors", "templates/support"} <= trained
    pictures = method.pictures(np.uint8(255 * images.numpy()))
    assert pictures.keys() == {"poses", "templates"}


def test_compiled_steps_are_those_of_single_operations():
    """Losses and gradients, and those of pretraining; K = 3."""
    rng = np.random.default_rng(0)
    batch = {"image": tf.constant(rng.random((4, 16, 16, 3)), tf.float32)}
    templates = rng.random((2, 10, 10, 3)), rng.random((2, 10, 10)) < 0.7
    found = []
    for xla in ("false", "true"):
        settings = ["segments=3", *SMALL, f"cirs_aligned.xla={xla}"]
        settings += ["cirs_aligned.template_freeze_steps=0"]
        method = build_method(load_config("cirs_aligned", settings), 16, 16)
        method.templates.layer.assign(rng.random((16, 16, 3)) * 0 + 0.5, *templates)
        found.append([])
        for phase in (method.pretraining[1], *method.phases):
            variables = [variable.value for variable in phase.variables]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(phase.loss(batch)["loss"])
            found[-1] += [loss, *tape.gradient(loss, variables)]
    for one, other in zip(*found, strict=True):
        scale = max(np.abs(other).max(), 1e-3)
        # Operations are fused, and so rounded less often.
        np.testing.assert_allclose(one / scale, other / scale, atol=1e-3)


def test_templates_are_frozen_while_poses_learn():
    config = load_config("cirs_aligned", ["segments=2", *SMALL])
    method = build_method(config, 32, 32)
    images = tf.random.stateless_uniform([2, 32, 32, 3], [1, 2])
    masks = tf.ones([2, 2, 32, 32, 1])
    pose = tf.constant([[[15.5, 14.5, 0.8, 0.6]], [[9.0, 20.0, 0.0, 1.0]]])
    templates = [method.templates.layer.colors, method.templates.layer.support]
    # Templates as they are built are of one gray, which looks the same at any pose.
    for weights in templates:
        weights.assign(0.03 * tf.random.stateless_normal(weights.shape, [3, 4]))
    moved = {}
    for step in (0, 9, 10):
        method.optimizer.iterations.assign(step)
        with tf.GradientTape() as tape:
            tape.watch(pose)
            error = tf.reduce_sum(method._errors(images, masks, pose)[0][:, 1])
        sources = [pose, *(weights.value for weights in templates)]
        gradients = tape.gradient(error, sources)
        moved[step] = [
            float(tf.reduce_max(tf.abs(gradient))) > 0 for gradient in gradients
        ]
    assert moved == {0: [True, False, False], 9: [True, False, False], 10: [True] * 3}


def test_templates_and_poses_are_in_tensorboard(run):
    events = EventAccumulator(str(run.tensorboard), size_guidance={"tensors": 0})
    events.Reload()
    before = 150 + 150  # mini-batches of pretraining
    for tag in ("templates", "poses", "validation"):
        steps = [event.step for event in events.Tensors(tag)]
        assert {before + 20, before + 40} <= set(steps)
    width, height, png = events.Tensors("poses")[-1].tensor_proto.string_val
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert picture.size == (int(width), int(height))
    # Five rows of 8 images, twice as large, with margins of 4; names at the left.
    assert picture.height == 5 * (2 * 32 + 4) + 4
    rows = [np.asarray(picture)[4 + 68 * row :][:64, -68:-4] for row in range(5)]
    images = np.asarray(rows[0], float)
    # All templates where they were found: nearly the image, unlike one of them.
    distance = [np.abs(images - row).mean() for row in rows[1:]]
    assert distance[-1] < 20 < min(distance[:-1])
