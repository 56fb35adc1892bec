"""Every method's segmenter in every other format; minutes, so only where asked for."""

import os

import numpy as np
import pytest
from tiny_methods import build_tiny, tiny_config

from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS
from cirs_tf.serving.formats.export_format import write_format
from cirs_tf.serving.model_card import ModelCard

pytestmark = pytest.mark.skipif(
    not os.environ.get("CIRS_FORMATS"),
    reason="takes minutes; asked for: CIRS_FORMATS=1",
)
SETTINGS = {
    "threshold": ("segments=2",),
    "iic": ("iic.width=1",),
    "cut_and_paste": ("cut_and_paste.patches_per_class=2",),
    "fixed_camera": ("segments=2", "fixed_camera.cleaning=1"),
}
CASES = {method: (method, SETTINGS.get(method, ())) for method in METHODS}
del CASES["autoencoder"]  # it has no segmenter
CASES |= {
    "cirs, heads": ("cirs", ("cirs.heads=3",)),
    "cirs, transposed": ("cirs", ("segmenter.upsampling=transposed",)),
    "cirs of the thesis": ("thesis/cirs_balanced", ()),
    "fixed_camera, sorted": (
        "fixed_camera",
        ("segments=3", "fixed_camera.cleaning=1"),
    ),
} | {
    f"fixed_camera, {kind}": (
        "fixed_camera",
        (*SETTINGS["fixed_camera"], f"fixed_camera.segmenter={kind}"),
    )
    for kind in ("difference", "frame_and_background")
}
# What docs/formats.md says is missing.
LACKING = {("threshold", "litert"), ("threshold", "openvino")}
SIZES = [(8, 8), (9, 14)]


def onnx(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(["labels"], {"images": batch})[0]


def litert(path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    kept = interpreter.Interpreter(str(path))
    runner = kept.get_signature_runner("serving_default")
    return lambda batch: (kept, runner(images=batch)["labels"])[1]


def openvino(path):
    module = pytest.importorskip("openvino")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = module.Core().compile_model(path, "CPU", settings)
    return lambda batch: compiled(batch)["labels"]


@pytest.fixture(scope="module", params=CASES)
def case(request, tiny):
    """Return the name of a case and its segmenter, with large random weights."""
    source, settings = CASES[request.param]
    model = build_tiny(tiny_config(tiny, source, *settings)).networks["segmenter"]
    rng = np.random.default_rng(5)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return request.param, model


@pytest.mark.parametrize("read", [onnx, litert, openvino])
def test_labels_are_those_of_the_keras_model(case, read, tmp_path):
    name, model = case
    card = ModelCard(8, 8, num_segments=model.output_shape[-1], method=name)
    kind = read.__name__
    if (name, kind) in LACKING:
        with pytest.raises(ConfigError, match="lacks "):
            write_format(model, tmp_path / "m", kind, card)
        return
    predict = read(write_format(model, tmp_path / "m", kind, card))
    rng = np.random.default_rng(6)
    for size in SIZES:
        batch = rng.integers(0, 256, (3, *size, 3), dtype=np.uint8)
        logits = model(batch.astype(np.float32) / 255, training=False).numpy()
        np.testing.assert_array_equal(predict(batch), logits.argmax(-1))
