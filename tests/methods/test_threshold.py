"""A threshold as a method: trained, evaluated, exported and loaded again."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage.filters import threshold_otsu

from cirs_tf import evaluate, export, train
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.serving.savedmodel import load_savedmodel
from data_gen.__main__ import main as data_gen

RNG = np.random.default_rng(0)


def picture(background, front):
    """Return an image of one bright or dark box, and its mask."""
    mask = np.zeros((24, 32), np.uint8)
    row, column = RNG.integers(3, (12, 18))
    mask[row : row + 8, column : column + 9] = 1
    image = np.where(mask[..., None], front, background)
    return np.uint8(image + RNG.integers(-4, 5, image.shape)), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nuclei")
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in range(20):
        colors = [(230, 190, 220), (110, 60, 140)]
        image, mask = picture(*colors[:: 1 if number % 2 else -1])
        Image.fromarray(image).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
    argv = ["images", "--images", folder / "images", "--masks", folder / "masks"]
    argv += ["--size", "24x32", "--test", "0.5", "--out", folder / "data"]
    assert data_gen([str(argument) for argument in argv]) == 0
    return folder / "data"


def test_whatever_the_stain_objects_are_segment_1(data, tmp_path):
    run = tmp_path / "run"
    argv = ["--model", "threshold", "--data", str(data), "--run", str(run)]
    assert train.main(argv) == 0
    assert evaluate.main([str(run)]) == 0
    report = json.loads((run / "eval" / "test.json").read_text())
    assert report["assignment"] == [0, 1]
    assert report["miou"] > 0.85
    # Exported and of another size, it is the same segmenter.
    assert export.main([str(run), "--out", str(tmp_path / "model")]) == 0
    image, mask = picture((20, 20, 30), (60, 70, 60))
    enlarged = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    labels = load_savedmodel(tmp_path / "model").predict(enlarged[None])[0]
    truth = np.repeat(np.repeat(mask, 2, axis=0), 2, axis=1)
    assert ((labels == 1) & (truth == 1)).sum() / (labels | truth).sum() > 0.85


def test_the_loss_is_the_variance_left_within_the_parts():
    method = build_method(load_config("threshold"), 60, 64)
    images = RNG.random((3, 60, 64, 3)).astype(np.float32)
    images[1] *= 0.1
    images[1, 15:22, 30:38] += 0.8
    images[2] = 0.5  # of one color: nothing is explained
    losses = method.validation_terms({"image": images})["loss"].numpy()
    for image, loss in zip(images[:2], losses[:2], strict=True):
        contrast = method.masks.contrast(image[None]).numpy().ravel().astype(float)
        high = contrast > threshold_otsu(contrast)
        within = sum(contrast[p].var() * p.mean() for p in (high, ~high))
        assert loss == pytest.approx(within / contrast.var(), rel=2e-2)
    # Of noise alone 1 - 2 / pi = 0.36 is left.
    assert losses[1] < 0.25 < losses[0] < 0.42 < losses[2] == 1.0
