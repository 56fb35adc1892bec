"""Outlines that recur, from a folder of pictures to segments."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from PIL import Image
from sklearn.metrics import jaccard_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cirs_tf import train
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.runs.restore import load_networks
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.strategy import make_strategy
from data_gen.__main__ import main as data_gen

SIDE = 24
EXTENTS = ((6, 6), (3, 12))
SMALL = (
    "segments=3",
    "segmenter.width=8",
    "segmenter.depth=2",
    "training.strategy=single",
    "training.learning_rate=1e-2",
    "training.decay_steps=120",
    "cut_and_paste.patches_per_class=20",
)


def scenes(count, seed):
    """Return images and truth: a square and a bar of any colors, which may overlap."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    truth = np.zeros((count, SIDE, SIDE), int)
    for image, mask in zip(images, truth, strict=True):
        image[:] = rng.integers(0, 80, 3)
        for kind in rng.permutation(2):
            rows, columns = EXTENTS[kind]
            y, x = rng.integers(0, (SIDE - rows, SIDE - columns))
            image[y : y + rows, x : x + columns] = rng.integers(150, 256, 3)
            mask[y : y + rows, x : x + columns] = kind + 1
    return images, truth


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paste")
    (folder / "images").mkdir()
    for index, image in enumerate(scenes(400, 0)[0]):
        Image.fromarray(image).save(folder / "images" / f"{index:03}.png")
    argv = ["images", "--images", folder / "images", "--out", folder / "data"]
    assert data_gen([str(argument) for argument in (*argv, "--size", SIDE)]) == 0
    argv = ["--model", "cut_and_paste", "--data", str(folder / "data")]
    argv += ["--run", str(folder / "run"), "--epochs", "2", "--steps-per-epoch", "60"]
    assert train.main([*argv, "--batch-size", "16", *set_flags(SMALL)]) == 0
    return RunFolder(folder / "run")


def test_segments_are_shapes_whatever_their_colors(run):
    method, _ = load_networks(run, "last")
    images, truth = scenes(100, seed=1)
    logits = method.segmenter(tf.constant(images / 255, tf.float32), training=False)
    found = logits.numpy().argmax(axis=-1).ravel()
    scores = [
        jaccard_score(truth.ravel(), np.array([0, *order])[found], average="macro")
        for order in itertools.permutations((1, 2))
    ]
    # All foreground in one segment: 0.5 at most.
    assert max(scores) > 0.8


def test_the_loss_of_validation_is_that_of_the_same_compositions(run):
    first, last = run.read_metrics()
    assert last["validation"]["loss"] < first["validation"]["loss"]
    method, _ = load_networks(run, "last")
    batch = {"image": tf.constant(scenes(8, seed=2)[0] / 255, tf.float32)}
    terms = [method.validation_terms(batch) for _ in range(2)]
    for name in ("loss", "mean_uncertainty"):
        assert terms[0][name].shape == [8]
        np.testing.assert_array_equal(terms[0][name], terms[1][name])
    assert 0 <= float(tf.reduce_mean(terms[0]["mean_uncertainty"])) < 0.2


def test_uncertainty_is_one_minus_the_largest_probability(run):
    method, _ = load_networks(run, "last")
    images = (scenes(4, seed=3)[0] / 255).astype(np.float32)
    logits = method.segmenter(images, training=False).numpy().astype(float)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = (1 - softmax.max(axis=-1)).mean(axis=(1, 2))
    terms = method.validation_terms({"image": tf.constant(images)})
    np.testing.assert_allclose(terms["mean_uncertainty"], expected, atol=1e-6)


def test_replicas_learn_from_different_compositions(run):
    config = load_config(run.config_file, ["training.strategy=mirrored"])
    strategy = make_strategy(config.training)
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        method = build_method(config, SIDE, SIDE)
        method.assign(run.load_initialization())

    @tf.function
    def losses():
        def step():
            batch = {"image": tf.zeros([8, SIDE, SIDE, 3])}
            return method.phases[0].loss(batch)["loss"]

        return strategy.experimental_local_results(strategy.run(step))

    first, second = (loss.numpy() for loss in losses())
    assert (first != second).all()


def test_a_resumed_run_keeps_its_cut_outs(run, capsys):
    def stored():
        return load_networks(run, "last")[0].compositions.bank.get_weights()

    before = stored()
    log = run.log_file.read_text()
    assert log.count("outlines that recur, compared at any turn") == 1
    assert train.main(["--resume", str(run.path), "--epochs", "3"]) == 0
    assert "outlines that recur" not in capsys.readouterr().out
    for a, b in zip(before, stored(), strict=True):
        assert a.any()
        np.testing.assert_array_equal(a, b)


def test_compositions_are_in_tensorboard(run):
    events = EventAccumulator(str(run.tensorboard), size_guidance={"tensors": 0})
    events.Reload()
    assert [event.step for event in events.Tensors("compositions")][:2] == [60, 120]
