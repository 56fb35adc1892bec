import keras
import numpy as np
import pytest

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.splits import load_split
from data_gen.__main__ import main


@pytest.fixture
def cifar10(monkeypatch):
    """Replace Keras's download by 30 and 10 images."""
    rng = np.random.default_rng(0)
    splits = [
        (
            rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
            rng.integers(0, 10, (count, 1), dtype=np.uint8),
        )
        for count in (30, 10)
    ]
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: tuple(splits))
    return splits


def test_every_image_and_class_arrives_once(cifar10, tmp_path, capsys):
    argv = ["cifar10", "--out", str(tmp_path / "data"), "--val", "5", "--shards", "2"]
    assert main(argv) == 0
    assert "wrote 25 train, 5 val, 10 test images" in capsys.readouterr().out
    loaded = {
        split: load_split(
            tmp_path / "data", split, with_masks=False, with_image_classes=True
        )
        for split in ("train", "val", "test")
    }
    (images, labels), (test_images, test_labels) = cifar10
    np.testing.assert_array_equal(loaded["test"].images, test_images)
    np.testing.assert_array_equal(loaded["test"].image_classes, test_labels[:, 0])
    by_pixels = {
        image.tobytes(): label
        for image, label in zip(images, labels[:, 0], strict=True)
    }
    assert len(by_pixels) == 30
    for split in ("train", "val"):
        pairs = zip(loaded[split].images, loaded[split].image_classes, strict=True)
        for image, label in pairs:
            assert by_pixels.pop(image.tobytes()) == label
    assert not by_pixels
    assert Manifest.read(tmp_path / "data").image_classes[3] == "cat"
    assert main(argv) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_failed_download_is_one_line(monkeypatch, tmp_path, capsys):
    def fail():
        raise OSError("URL fetch failure:\nno network")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", fail)
    assert main(["cifar10", "--out", str(tmp_path / "data")]) == 1
    error = capsys.readouterr().err
    assert error == (
        "error: CIFAR-10: Keras cannot load it: URL fetch failure: no network\n"
    )


def test_validation_must_leave_something_to_train_on(cifar10, tmp_path, capsys):
    argv = ["cifar10", "--out", str(tmp_path / "data"), "--val", "30"]
    assert main(argv) == 1
    assert capsys.readouterr().err == "error: val: expected below 30, got 30\n"
