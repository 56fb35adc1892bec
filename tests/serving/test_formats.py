"""Models for other runtimes, run there, beside the Keras model."""

import json
import sys

import keras
import numpy as np
import pytest

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.errors import CheckpointError, ConfigError, DataError
from cirs_tf.layers.otsu_masks import OtsuMasks
from cirs_tf.models.mask_segmenter import mask_segmenter
from cirs_tf.models.unet import unet
from cirs_tf.serving.formats import litert_file
from cirs_tf.serving.formats.export_format import write_format
from cirs_tf.serving.formats.keras_file import load_keras_file
from cirs_tf.serving.model_card import ModelCard

CARD = ModelCard(
    16,
    16,
    num_segments=4,
    method="cirs",
    checkpoint="loss",
    step=300,
    weights_origin="a network",
)
SIZES = [(16, 16), (9, 14)]  # the second is padded inside
# Fused kernels round otherwise, and normalized logits are multiplied by 8.
ROUNDING = 1e-4


@pytest.fixture(scope="module")
def segmenter():
    """Return a segmenter whose random weights are large: all segments occur."""
    model = unet(
        SegmenterConfig(width=2, depth=1, upsampling="bilinear", logit_scale=8.0),
        4,
        seed=0,
    )
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return model


def images(size):
    return np.random.default_rng(1).integers(0, 256, (2, *size, 3), dtype=np.uint8)


def check(segmenter, predict):
    """Compare labels and probabilities at every size."""
    for size in SIZES:
        batch = images(size)
        logits = segmenter(batch.astype(np.float32) / 255, training=False).numpy()
        exponent = np.exp(logits - logits.max(-1, keepdims=True))
        softmax = exponent / exponent.sum(-1, keepdims=True)
        labels, probabilities = predict(batch)
        assert labels.dtype == np.int32
        assert len(np.unique(labels)) > 1
        np.testing.assert_array_equal(labels, logits.argmax(-1))
        np.testing.assert_allclose(probabilities, softmax, atol=ROUNDING)


def test_onnx(segmenter, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = write_format(segmenter, tmp_path / "m", "onnx", CARD)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = ["labels", "probabilities"]
    check(segmenter, lambda batch: session.run(names, {"images": batch}))
    (given,) = session.get_inputs()
    assert (given.shape, given.type) == (
        ["batch", "height", "width", 3],
        "tensor(uint8)",
    )
    assert session.get_outputs()[0].shape == ["batch", "height", "width"]
    stored = session.get_modelmeta().custom_metadata_map
    assert (stored["method"], stored["run"], stored["width"]) == (
        "cirs",
        "",
        "16",
    )
    assert json.loads(stored["segments"])[3]["name"] == "segment 3"
    assert stored["preprocessing"] == "none: the model divides by 255"


def test_litert(segmenter, tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    path = write_format(segmenter, tmp_path / "m", "litert", CARD)
    runner = interpreter.Interpreter(str(path)).get_signature_runner("serving_default")

    def predict(batch):
        outputs = runner(images=batch)
        return outputs["labels"], outputs["probabilities"]

    check(segmenter, predict)


def test_openvino(segmenter, tmp_path):
    openvino = pytest.importorskip("openvino")
    path = write_format(segmenter, tmp_path / "m", "openvino", CARD)
    core = openvino.Core()
    model = core.read_model(path)
    assert model.get_rt_info(["cirs_tf", "method"]).astype(str) == "cirs"
    # Some processors would compute in bfloat16.
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def predict(batch):
        outputs = compiled(batch)
        return outputs["labels"], outputs["probabilities"]

    check(segmenter, predict)


def test_keras(segmenter, tmp_path):
    path = write_format(segmenter, tmp_path / "m", "keras", CARD)
    loaded = load_keras_file(path)
    assert loaded.num_segments == 4
    for size in SIZES:
        batch = images(size)
        logits = segmenter(batch.astype(np.float32) / 255, training=False).numpy()
        labels = loaded.predict(batch, native=True)
        np.testing.assert_array_equal(labels, logits.argmax(-1))
    assert [file.name for file in sorted(path.parent.iterdir())] == [
        "cirs_tf.json",
        "segmenter.keras",
    ]
    facts = json.loads((path.parent / "cirs_tf.json").read_text())
    assert facts["interface"] == {
        "model": "keras",
        "weights": "float32",
        "input": "images: float32 RGB in [0, 1] [batch, height, width, 3]",
        "preprocessing": "divide uint8 images by 255",
        "output": "logits float32 [batch, height, width, 4]",
    }
    assert (facts["method"], facts["step"], facts["width"]) == ("cirs", 300, 16)
    assert loaded.card.step == 300  # and so images are brought to the training scale


def test_weights_of_fewer_bits_make_smaller_files_of_nearly_the_same_labels(tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(48, 5, padding="same", activation="relu"),
            keras.layers.Conv2D(48, 5, padding="same", activation="relu"),
            keras.layers.Conv2D(4, 1),
        ]
    )
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    batch = images((16, 16))
    expected = model(batch.astype(np.float32) / 255).numpy().argmax(-1)
    sizes, equal, floats = {}, {}, {}
    for quantize in (None, *litert_file.QUANTIZE):
        out = tmp_path / str(quantize)
        path = write_format(model, out, "litert", CARD, quantize, batch)
        sizes[quantize] = path.stat().st_size
        loaded = interpreter.Interpreter(str(path))
        details = loaded.get_tensor_details()
        floats[quantize] = [d["name"] for d in details if d["dtype"] == np.float32]
        runner = loaded.get_signature_runner()
        equal[quantize] = np.mean(runner(images=batch)["labels"] == expected)
        facts = json.loads((out / "cirs_tf.json").read_text())
        assert facts["interface"]["weights"] == (quantize or "float32")
    assert 0.45 < sizes["float16"] / sizes[None] < 0.55
    assert 0.22 < sizes["int8"] / sizes[None] < 0.35
    assert equal[None] == 1
    # Random weights are no trained ones: labels close to a border move.
    assert equal["float16"] > 0.99
    assert equal["int8"] > 0.9
    assert sizes["int8_full"] < 1.2 * sizes["int8"]
    assert equal["int8_full"] > 0.9
    # The images as they come, and the probabilities as they go.
    assert len(floats["int8_full"]) <= 2 < len(floats["int8"])


@pytest.mark.parametrize("kind", ["litert", "openvino"])
def test_an_operation_that_a_format_lacks_is_named_in_one_line(kind, tmp_path):
    if kind == "openvino":
        pytest.importorskip("openvino")
    threshold = mask_segmenter(OtsuMasks(1.0, 0.1))
    with pytest.raises(ConfigError, match="lacks .*DenseBincount") as raised:
        write_format(threshold, tmp_path / "m", kind, CARD)
    assert f"--format {kind}: " in str(raised.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "module"), [("onnx", "tf2onnx"), ("openvino", "openvino")]
)
def test_a_missing_package_is_named(kind, module, segmenter, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    message = (
        f"--format {kind} needs {module}, which is not installed: "
        rf"pip install 'cirs-tf\[{kind}\]'"
    )
    with pytest.raises(ConfigError, match=message):
        write_format(segmenter, tmp_path / "m", kind, CARD)
    assert not list(tmp_path.iterdir())


def test_what_is_in_the_way_stays(segmenter, tmp_path):
    (tmp_path / "a.txt").write_text("old")
    for out in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(CheckpointError, match="is there already"):
            write_format(segmenter, out, "keras", CARD)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("kind", "quantize", "message"),
    [
        ("onnx", "int8", "--quantize int8: expected --format litert, got onnx"),
        ("litert", "int4", "--quantize: expected one of float16, int8, int8_full, got"),
        ("litert", "int8_full", "--quantize int8_full: expected images, got none"),
    ],
)
def test_weights_that_there_are_not(kind, quantize, message, segmenter, tmp_path):
    with pytest.raises(ConfigError, match=message):
        write_format(segmenter, tmp_path / "m", kind, CARD, quantize)


def test_a_keras_file_that_is_none_is_one_line(tmp_path):
    path = tmp_path / "segmenter.keras"
    inputs = keras.Input((None, None, 3))
    code = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    flat = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    for model, message in (
        (code, "cannot be loaded"),
        (flat, r"no segmenter: .*, got \(None, 3\) to \(None, 2\)"),
        (None, "cannot be loaded"),
    ):
        path.write_bytes(b"PK no archive") if model is None else model.save(path)
        with pytest.raises(DataError, match=message):
            load_keras_file(path)
