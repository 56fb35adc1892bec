"""`segment` and `load` on the formats that Python can segment with, and on others."""

import shutil

import numpy as np
import pytest
from PIL import Image

import cirs_tf
from cirs_tf import segment
from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.errors import DataError
from cirs_tf.models.unet import unet
from cirs_tf.serving.exported_model import load_exported
from cirs_tf.serving.formats.export_format import write_format
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.serving.segmenter import Segmenter

CARD = ModelCard(16, 16, num_segments=4)


@pytest.fixture(scope="module")
def model():
    network = unet(SegmenterConfig(width=2, depth=1), 4, seed=0)
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return network


@pytest.fixture(scope="module")
def keras_file(model, tmp_path_factory):
    return write_format(model, tmp_path_factory.mktemp("keras") / "m", "keras", CARD)


def test_a_keras_file_and_its_folder_segment_as_the_model_does(
    model, keras_file, photos, tmp_path, capsys
):
    hub = shutil.copytree(keras_file.parent, tmp_path / "hub")
    (hub / "config.yaml").write_text("method: cirs")  # as a run has, too
    alone = tmp_path / "alone.keras"
    shutil.copy(keras_file, alone)
    image = photos / "2.png"
    segmenter = Segmenter.from_keras(model, CARD)
    for source, native in ((keras_file, False), (hub, False), (alone, True)):
        out = tmp_path / f"out_{source.name}"
        assert segment.main([str(source), str(image), "--out", str(out)]) == 0
        expected = segmenter.predict(image, native=native)
        np.testing.assert_array_equal(np.asarray(Image.open(out / "2.png")), expected)
        said = capsys.readouterr().err
        assert ("no cirs_tf.json beside it" in said) == native
    loaded = cirs_tf.load(keras_file)
    np.testing.assert_array_equal(loaded.predict(image), segmenter.predict(image))


def test_what_is_for_other_runtimes_is_said_in_one_line(tmp_path, photos, capsys):
    folders = {}
    for name in ("segmenter.onnx", "segmenter.tflite", "segmenter.xml", "config.yaml"):
        folders[name] = tmp_path / f"with_{name}"
        folders[name].mkdir()
        (folders[name] / name).write_text("")
    accepted = "expected a SavedModel, a .keras file or a hub folder"
    for source, message in (
        (folders["segmenter.onnx"], f"is an ONNX model; {accepted}"),
        (folders["segmenter.onnx"] / "segmenter.onnx", f"is an ONNX model; {accepted}"),
        (folders["segmenter.tflite"], f"is a LiteRT model; {accepted}"),
        (folders["segmenter.xml"], f"is an OpenVINO model; {accepted}"),
        (folders["config.yaml"], "is a run, not yet exported: python -m "),
        (photos / "0.png", f"is no model; {accepted}"),
        (tmp_path / "none", "no SavedModel; expected "),
    ):
        argv = [str(source), str(photos), "--out", str(tmp_path / "out")]
        assert segment.main(argv) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"error: {source}: {message}"), error
        assert error.count("\n") == 1
    with pytest.raises(DataError, match="is a LiteRT model"):
        cirs_tf.load(folders["segmenter.tflite"])
    assert not (tmp_path / "out").exists()


def test_a_damaged_keras_file_is_one_line(tmp_path):
    path = tmp_path / "a.keras"
    path.write_bytes(b"PK no archive")
    with pytest.raises(DataError, match=r"a\.keras: cannot be loaded: "):
        load_exported(path)
