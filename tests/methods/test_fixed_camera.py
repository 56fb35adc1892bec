"""A fixed camera, from a folder of frames to masks, with and without a network."""

import json

import numpy as np
import pytest
import tensorflow as tf
from command_line import set_flags
from PIL import Image
from tiny_methods import build_tiny, tiny_config

from cirs_tf import evaluate, export, train
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.methods import fixed_camera as module
from cirs_tf.methods.fixed_camera import FixedCamera
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.proposals.moving_parts import kinds_of_parts
from cirs_tf.runs.restore import load_segmenter
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.training.run_folder import RunFolder
from data_gen.__main__ import main as data_gen

HEIGHT, WIDTH = 24, 32
RNG = np.random.default_rng(0)
SCENE = RNG.integers(60, 140, (HEIGHT, WIDTH, 3))


def frame():
    """Return a frame in some light, and its truth: a bright box before the scene."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    row, column = RNG.integers(0, (HEIGHT - 8, WIDTH - 10))
    mask[row : row + 8, column : column + 10] = 1
    image = np.where(mask[..., None], [230, 220, 40], SCENE)
    lit = image * RNG.uniform(0.8, 1.1) + RNG.normal(0, 2, image.shape)
    return np.uint8(np.clip(lit, 0, 255)), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("camera")
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in range(50):
        image, mask = frame()
        Image.fromarray(image).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
    argv = ["images", "--images", folder / "images", "--masks", folder / "masks"]
    argv += ["--size", f"{HEIGHT}x{WIDTH}", "--out", folder / "data"]
    assert data_gen([str(argument) for argument in argv]) == 0
    return folder / "data"


def trained(data, folder, segmenter):
    settings = ("segmenter.width=4", "segmenter.depth=1", "fixed_camera.cleaning=3")
    settings += ("training.learning_rate=1e-2", f"fixed_camera.segmenter={segmenter}")
    argv = ["--model", "fixed_camera", "--data", str(data), "--run", str(folder)]
    argv += ["--epochs", "1", "--steps-per-epoch", "80"]
    assert train.main([*argv, *set_flags(settings)]) == 0
    assert evaluate.main([str(folder)]) == 0
    return json.loads((folder / "eval" / "test.json").read_text())


@pytest.mark.parametrize("segmenter", ["frame", "frame_and_background", "difference"])
def test_what_moves_is_segment_1(data, tmp_path, segmenter):
    report = trained(data, tmp_path / "run", segmenter)
    assert report["assignment"] == [0, 1]
    assert report["miou"] > 0.85
    # Exported, loaded and of another size, it is the same segmenter.
    argv = [str(tmp_path / "run"), "--out", str(tmp_path / "model")]
    assert export.main(argv) == 0
    served = load_savedmodel(tmp_path / "model")
    restored = load_segmenter(RunFolder.open(tmp_path / "run")).segmenter
    size = (40, 28)
    resized = [Image.fromarray(frame()[0]).resize(size) for _ in range(2)]
    images = np.stack([np.asarray(image) for image in resized])
    expected = restored(images.astype(np.float32) / 255).numpy().argmax(-1)
    assert 0.02 < expected.mean() < 0.5
    np.testing.assert_array_equal(served.predict(images, native=True), expected)


def test_background_and_threshold_come_from_the_frames(tiny):
    config = load_config("fixed_camera", ["fixed_camera.images=4"])
    method = build_method(config, HEIGHT, WIDTH)
    images = np.stack([frame()[0] for _ in range(9)])
    found = method.initialize(images)
    chosen = images[[0, 2, 4, 6]]
    np.testing.assert_allclose(
        found["background"], np.median(chosen, axis=0) / 255, atol=1e-6
    )
    assert 0.02 < found["threshold"] < 0.5
    given = load_config("fixed_camera", ["fixed_camera.threshold=0.125"])
    given = build_method(given, HEIGHT, WIDTH).initialize(images)
    assert given["threshold"] == np.float32(0.125)
    assert "difference of 0.125 on (given)" in str(given["summary"])


def test_a_scene_in_which_nothing_moves_is_one_line():
    method = build_method(load_config("fixed_camera"), HEIGHT, WIDTH)
    still = np.repeat(np.uint8(SCENE)[None], 5, axis=0)
    with pytest.raises(DataError, match="fixed_camera: no frame differs"):
        method.initialize(still)


def test_the_loss_is_the_cross_entropy_with_the_frames_own_differences(tiny):
    cleaning = "fixed_camera.cleaning=1"
    method = build_tiny(tiny_config(tiny, "fixed_camera", cleaning))
    images = tf.constant(np.random.default_rng(1).random((4, 8, 8, 3)), tf.float32)
    loss = method.validation_terms({"image": images})["loss"].numpy()
    masks = method.difference(images).numpy()[..., 0].astype(int)
    assert 0 < masks.mean() < 1
    logits = method.segmenter(images, training=False).numpy()
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    picked = np.take_along_axis(shares, masks[..., None], -1)[..., 0]
    np.testing.assert_allclose(loss, -np.log(picked).mean((1, 2)), rtol=1e-4)


def test_s_learns_in_another_light_than_its_masks_are_made_in(tiny, monkeypatch):
    config = tiny_config(tiny, "fixed_camera")
    method = build_tiny(config)
    images = tf.fill((64, 8, 8, 3), 0.5)
    seen = []

    def segmenter(given, training):
        seen.append(given.numpy())
        return method.networks["segmenter"](given, training=training)

    monkeypatch.setattr(method, "segmenter", segmenter)
    method._train({"image": images})
    (lit,) = seen
    brightness = lit.mean((1, 2, 3)) / 0.5
    assert 0.6 < brightness.min() < 0.75
    assert 1.25 < brightness.max() < 1.45
    tints = lit[:, 0, 0] / lit[:, 0, 0].mean(-1, keepdims=True)
    assert 0.02 < np.abs(tints - 1).max() < 0.15
    assert (lit == lit[:, :1, :1]).all()  # one light an image


def two_kinds(count):
    """Return frames of a small blue box and a large yellow one, and their truth."""
    images, masks = [], []
    for _ in range(count):
        image, mask = np.array(SCENE), np.zeros((HEIGHT, WIDTH), np.uint8)
        row, column = RNG.integers(0, (HEIGHT - 6, WIDTH // 2 - 6))
        image[row : row + 6, column : column + 6] = [230, 220, 40]
        mask[row : row + 6, column : column + 6] = 2
        row, column = RNG.integers((0, WIDTH // 2 + 1), (HEIGHT - 3, WIDTH - 3))
        image[row : row + 3, column : column + 3] = [10, 20, 250]
        mask[row : row + 3, column : column + 3] = 1
        images.append(np.uint8(image))
        masks.append(mask)
    return np.stack(images), np.stack(masks)


def test_more_segments_sort_what_moves_by_color_and_size(monkeypatch):
    images, masks = two_kinds(40)
    settings = ["segments=3", "fixed_camera.cleaning=1"]
    settings += ["segmenter.width=4", "segmenter.depth=1"]
    method = build_method(load_config("fixed_camera", settings), HEIGHT, WIDTH)
    found = method.initialize(images)
    assert "kinds of about 3 6 pixels a side" in str(found["summary"])
    np.testing.assert_allclose(2 ** found["kinds"][:, -1], [3, 6], rtol=1e-5)
    method.assign(found)
    floats = tf.constant(images / 255, tf.float32)
    labels = method._labels(floats, method.difference(floats)).numpy()
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, masks)
    # S learns these labels: the loss is its cross-entropy with them.
    loss = method.validation_terms({"image": floats})["loss"].numpy()
    logits = method.segmenter(floats, training=False).numpy()
    assert logits.shape[-1] == 3
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    picked = np.take_along_axis(shares, masks[..., None].astype(int), -1)[..., 0]
    np.testing.assert_allclose(loss, -np.log(picked).mean((1, 2)), rtol=1e-4)
    # In training too, they are of the frames as they are, not of those in other light.
    seen = []

    def spied(images, masks, centers):
        seen.append(images)
        return kinds_of_parts(images, masks, centers)

    monkeypatch.setattr(module, "kinds_of_parts", spied)
    assert np.isfinite(method._train({"image": floats})["loss"].numpy()).all()
    np.testing.assert_array_equal(seen[0], floats)


def test_more_segments_need_a_network_and_as_many_parts():
    with pytest.raises(ConfigError, match="fixed_camera.segmenter: expected frame or"):
        load_config("fixed_camera", ["segments=3", "fixed_camera.segmenter=difference"])
    config = load_config("fixed_camera", ["segments=250"])
    method = build_method(config, HEIGHT, WIDTH)
    images, _ = two_kinds(6)
    with pytest.raises(DataError, match="parts move in the frames .* the 249 kinds"):
        method.initialize(images)
    images[:5] = images[5]
    with pytest.raises(DataError, match="no frame differs"):
        method.initialize(images)
    assert FixedCamera.needs_masks is False
