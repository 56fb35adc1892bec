"""The exported model, used as strangers use it: without this package."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf import export
from cirs_tf.methods.registry import build_method, load_config
from cirs_tf.serving.messages import message_class
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.training.checkpoints import CheckpointStore

# Runs where cirs_tf cannot be imported.
STRANGER = """
import sys
sys.modules["cirs_tf"] = None
import io, json
import numpy as np
import tensorflow as tf
from PIL import Image
model = tf.saved_model.load(sys.argv[1])
images = np.load(sys.argv[2])
out = model.signatures["serving_default"](images=tf.constant(images))
buffer = io.BytesIO()
Image.fromarray(images[0]).save(buffer, "PNG")
masks = model.signatures["serve_bytes"](image_bytes=tf.constant([buffer.getvalue()]))
png = Image.open(io.BytesIO(masks["mask_png_bytes"].numpy()[0]))
np.savez(sys.argv[3], labels=out["labels"], probabilities=out["probabilities"],
         png=np.asarray(png), mode=png.mode)
"""


@pytest.fixture(scope="module")
def model_dir(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "model"
    assert (
        export.main([str(finished), "--out", str(folder), "--checkpoint", "last"]) == 0
    )
    return folder


@pytest.fixture(scope="module")
def segmenter(finished):
    config = load_config(finished / "config.yaml")
    network = build_method(config, 16, 16).networks["segmenter"]
    CheckpointStore(finished / "checkpoints").restore("last", {"segmenter": network})
    return network


@pytest.mark.parametrize("size", [(64, 64), (97, 130)])
def test_a_process_without_the_package_gets_the_same_labels(
    model_dir, segmenter, tmp_path, size
):
    images = np.random.default_rng(1).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    files = [tmp_path / "images.npy", tmp_path / "out.npz"]
    subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, model_dir / "1", *files],
        check=True,
        cwd=tmp_path,
    )
    out = np.load(files[1])
    logits = segmenter(images.astype(np.float32) / 255, training=False).numpy()
    exponent = np.exp(logits - logits.max(-1, keepdims=True))
    softmax = exponent / exponent.sum(-1, keepdims=True)
    np.testing.assert_array_equal(out["labels"], logits.argmax(-1))
    # Normalized logits are multiplied by 8, and so is what fused kernels round.
    np.testing.assert_allclose(out["probabilities"], softmax, atol=1e-5)
    np.testing.assert_array_equal(out["png"], logits[0].argmax(-1))
    assert out["mode"] == "L"


def test_signatures_are_the_promised_ones(model_dir):
    signatures = tf.saved_model.load(str(model_dir / "1")).signatures
    images = signatures["serving_default"].structured_input_signature[1]["images"]
    assert images.shape.as_list() == [None, None, None, 3]
    assert images.dtype == tf.uint8
    outputs = signatures["serving_default"].structured_outputs
    assert outputs["labels"].dtype == tf.int32
    assert outputs["probabilities"].dtype == tf.float32
    files = signatures["serve_bytes"].structured_input_signature[1]["image_bytes"]
    assert files.shape.as_list() == [None]
    assert list(signatures["serve_bytes"].structured_outputs) == ["mask_png_bytes"]


def test_warmup_requests_run_on_the_signatures_they_name(model_dir):
    signatures = tf.saved_model.load(str(model_dir / "1")).signatures
    file = model_dir / "1" / "assets.extra" / "tf_serving_warmup_requests"
    names = []
    for record in tf.data.TFRecordDataset(str(file)):
        log = message_class("PredictionLog").FromString(record.numpy())
        request = log.predict_log.request
        name = request.model_spec.signature_name
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        assert signatures[name](**inputs)
        names.append(name)
    assert names == ["serving_default", "serve_bytes"]


def test_a_second_export_is_the_next_version(finished, tmp_path):
    for version in ("1", "2"):
        assert export.main([str(finished), "--out", str(tmp_path)]) == 0
        assert (tmp_path / version / "saved_model.pb").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2"}
    labels = load_savedmodel(tmp_path).predict(np.zeros((5, 7, 3), np.uint8))
    assert labels.shape == (5, 7)
    assert labels.dtype == np.uint8


def test_bad_input_is_one_line(capsys, tmp_path):
    assert export.main([str(tmp_path), "--out", str(tmp_path / "m")]) == 1
    assert "not a run folder" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_what_stands_in_the_way_is_named(capsys, finished, tmp_path):
    (tmp_path / "model").write_text("a file, no folder")
    assert export.main([str(finished), "--out", str(tmp_path / "model")]) == 1
    error = capsys.readouterr().err.strip()
    assert "cannot be written" in error
    assert "\n" not in error
