"""First segments of unlabeled images, and S learning them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from PIL import Image

from cirs_tf import train
from cirs_tf.config.sections import BackgroundConfig, PretrainingConfig, SegmenterConfig
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.methods.segmenter_pretraining import SegmenterPretraining, propose_labels
from cirs_tf.models.unet import unet
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.serving.savedmodel import write_savedmodel
from data_gen.__main__ import main as data_gen

SIDE = 16
FLAT = ((9, 9, 9), (250, 20, 20), (20, 20, 250))


def scenes(count):
    """Return images and truth: two squares of one color each on a flat ground."""
    rng = np.random.default_rng(1)
    truth = np.zeros((count, SIDE, SIDE), np.uint8)
    for mask in truth:
        mask[rng.integers(0, 3) :, :][:5, rng.integers(0, 11) :][:, :5] = 1
        mask[rng.integers(8, 11) :, :][:5, rng.integers(0, 11) :][:, :5] = 2
    return np.array(FLAT, np.uint8)[truth], truth


def proposed(unlabeled, segments=3, threshold=0.02, **options):
    options = PretrainingConfig(**options)
    background = BackgroundConfig(threshold=threshold)
    return propose_labels(unlabeled, segments, 0, options, background)


@pytest.mark.parametrize("kind", ["components", "colors", "lab_colors"])
def test_labels_are_objects_of_the_first_images(kind):
    images, truth = scenes(60)
    found = proposed(images, pseudo_labels=kind, images=40)
    labels = found["pseudo_labels"]
    assert (labels.shape, labels.dtype) == ((40, SIDE, SIDE), np.uint8)
    pairs = np.zeros((3, 256), int)
    np.add.at(pairs, (truth[:40].ravel(), labels.ravel()), 1)
    # Each class has a label of its own, nearly everywhere.
    assert sorted(pairs[:, :3].argmax(axis=1)) == [0, 1, 2]
    assert pairs[:, :3].max(axis=1).sum() > 0.97 * truth[:40].size
    counts = np.bincount(labels.ravel(), minlength=256)[:3]
    shares = " ".join(f"{share:.2f}" for share in counts / counts.sum())
    assert str(found["summary"]) == f"{kind} of 40 images, shares {shares}"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the folder of a segmenter that tells the colors of `scenes` apart."""
    images = x = keras.Input((None, None, 3))
    colors = np.array(FLAT, np.float32) / 255
    # |x - c|^2 = |x|^2 - 2 c x + |c|^2, without the first term.
    x = keras.layers.Conv2D(3, 1)(x)
    model = keras.Model(images, x)
    model.set_weights([2 * colors.T[None, None], -np.square(colors).sum(axis=1)])
    folder = tmp_path_factory.mktemp("exported") / "model"
    write_savedmodel(model, folder, ModelCard(SIDE, SIDE, 3))
    return folder


def test_labels_are_those_of_an_exported_segmenter(exported):
    images, truth = scenes(60)
    options = {"pseudo_labels": "segmenter", "segmenter": str(exported)}
    found = proposed(images, images=40, **options)
    np.testing.assert_array_equal(found["pseudo_labels"], truth[:40])
    with pytest.raises(DataError, match="model: has 3 segments, expected 4"):
        proposed(images, segments=4, **options)
    options["segmenter"] = str(exported.parent / "none")
    with pytest.raises(DataError, match="none: no SavedModel"):
        proposed(images, **options)


def test_templates_are_those_of_an_exported_segmenter(exported):
    images, truth = scenes(60)
    config = load_config(
        "cirs_aligned",
        ["segments=3", "pretraining.pseudo_labels=segmenter"]
        + [f"pretraining.segmenter={exported}", "segmenter.width=2"],
    )
    found = build_method(config, SIDE, SIDE).initialize(images)
    np.testing.assert_array_equal(found["pseudo_labels"], truth)
    for index in range(2):
        support = found["template_support"][index]
        assert support.sum() == 25
        colors = np.rint(255 * found["template_colors"][index][support])
        assert (colors == FLAT[index + 1]).all()


@pytest.mark.parametrize(
    "options",
    [{"pseudo_labels": "segmenter"}, {"pseudo_labels": "colors", "segmenter": "model"}],
)
def test_a_segmenter_is_given_where_its_segments_are_learned(options):
    with pytest.raises(ConfigError, match="pretraining.segmenter: expected a folder"):
        PretrainingConfig(**options)


def test_nothing_is_proposed_that_nothing_learns():
    images, _ = scenes(10)
    assert proposed(images, pseudo_labels="none") == {}
    assert proposed(images, pseudo_labels="components", steps=0) == {}


def test_the_threshold_decides_what_differs_from_the_background():
    images, truth = scenes(20)
    # Red differs by (241 / 255)^2 + 2 (11 / 255)^2 = 0.897, blue by as much.
    for threshold, is_found in ((0.85, True), (0.95, False)):
        if is_found:
            labels = proposed(images, pseudo_labels="components", threshold=threshold)
            assert (labels["pseudo_labels"] == 1).any()
        else:
            with pytest.raises(DataError, match="0 connected parts"):
                proposed(images, pseudo_labels="components", threshold=threshold)


def test_too_few_components_are_one_line():
    gray = np.full((10, SIDE, SIDE, 3), 9, np.uint8)
    expected = "^pretraining.pseudo_labels: 0 connected parts differ from"
    with pytest.raises(DataError, match=expected):
        proposed(gray, pseudo_labels="components")


def test_segments_weigh_the_same_whatever_their_size():
    """The loss by NumPy: 90 % background, and pixels of 255 left out."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 2, 255], p=[0.8, 0.1, 0.05, 0.05], size=(6, 8, 8))
    labels = labels.astype(np.uint8)
    segmenter = unet(SegmenterConfig(width=2, depth=1, norm="none"), 3, seed=0)
    options = PretrainingConfig(pseudo_labels="components", steps=5, images=4)
    pretraining = SegmenterPretraining(segmenter, 3, options)
    pretraining.assign(labels)
    (phase,) = pretraining.phases
    assert (phase.name, phase.steps, phase.num_images) == ("segmenter", 5, 4)
    batch = {
        "image": tf.constant(rng.random((2, 8, 8, 3)), tf.float32),
        "mask": tf.constant(labels[:2]),
    }
    logits = segmenter(batch["image"]).numpy().astype(float)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    weights = np.append(1 / np.bincount(labels.ravel())[:3], np.zeros(253))
    kept = np.minimum(labels[:2], 2)[..., None]
    entropy = -np.log(np.take_along_axis(softmax, kept, axis=-1))[..., 0]
    expected = np.average(entropy, weights=weights[labels[:2]])
    np.testing.assert_allclose(phase.loss(batch)["loss"], expected, rtol=1e-5)


def test_nothing_to_learn_is_no_phase():
    segmenter = unet(SegmenterConfig(width=2, depth=1), 3, seed=0)
    for options in ({"pseudo_labels": "none"}, {"pseudo_labels": "colors", "steps": 0}):
        options = PretrainingConfig(**options)
        assert SegmenterPretraining(segmenter, 3, options).phases == []


@pytest.mark.parametrize("method", ["cirs_aligned", "cut_and_paste"])
def test_images_in_which_nothing_differs_are_one_line(method, tmp_path, capsys):
    for index in range(12):
        path = tmp_path / "images" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (16, 16), (9, 9, 9)).save(path)
    argv = ["images", "--images", tmp_path / "images", "--out", tmp_path / "data"]
    assert data_gen([str(argument) for argument in (*argv, "--size", 16)]) == 0
    capsys.readouterr()
    argv = ["--model", method, "--data", str(tmp_path / "data")]
    argv += ["--run", str(tmp_path / "run"), "--batch-size", "4"]
    argv += set_flags(["segmenter.width=4", "training.strategy=single"])
    assert train.main(argv) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"error: {method}: 0 connected parts differ from the ")
