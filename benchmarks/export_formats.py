"""What do other formats and fewer bits of the weights cost a run's segmenter?

    python benchmarks/export_formats.py RUN [--split test] [--images 500]

The run is exported in every format, and the images of the split are segmented by the
runtime of each: onnxruntime, ai-edge-litert, OpenVINO. *Differing*: share of the pixels
whose label is not that of the Keras model. A runtime that is not installed is named.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measuring import machine

FORMATS = (
    ("keras", None),
    ("onnx", None),
    ("openvino", None),
    ("litert", None),
    ("litert", "float16"),
    ("litert", "int8"),
    ("litert", "int8_full"),
)
PACKAGES = ("tf2onnx", "onnxruntime", "openvino", "ai-edge-litert")
BATCH = 20

Predict = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Export, segment and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--split", default="test")
    parser.add_argument("--images", type=int, default=500)
    arguments = parser.parse_args()
    from cirs_tf.data.manifest import Manifest
    from cirs_tf.data.splits import load_split
    from cirs_tf.errors import ConfigError
    from cirs_tf.runs.exporting import export_run
    from cirs_tf.runs.restore import open_run, read_config

    run = open_run(arguments.run)
    config = read_config(run)
    split = load_split(config.data, arguments.split, True, arguments.images)
    sizes = config.segments, len(Manifest.read(config.data).classes)
    print(machine(*PACKAGES))
    print(f"{len(split.images)} images of {arguments.split} of {config.data}\n")
    print(f"{'':20}{'KB':>8}{'differing':>12}{'mIoU':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for export_format, quantize in FORMATS:
            name = f"{export_format} {quantize or ''}".strip()
            out = Path(folder) / name.replace(" ", "_")
            try:
                path, _ = export_run(run, out, None, export_format, quantize)
                predict = PREDICTORS[export_format](path)
            except ConfigError as error:  # the converter is not installed
                print(f"{name:20}{error}")
                continue
            except ImportError as error:
                print(f"{name:20}{error.name} is not installed")
                continue
            labels = _in_batches(predict, split.images)
            if export_format == "keras":
                expected = labels
            files = [file for file in out.iterdir() if file.suffix != ".json"]
            kilobytes = sum(file.stat().st_size for file in files) / 1000
            differing = np.mean(labels != expected)
            miou = _miou(split.masks, labels, *sizes)
            print(f"{name:20}{kilobytes:8.0f}{differing:12.6f}{miou:9.4f}", flush=True)


def _in_batches(predict: Predict, images: np.ndarray) -> np.ndarray:
    starts = range(0, len(images), BATCH)
    return np.concatenate([predict(images[start : start + BATCH]) for start in starts])


def _miou(masks: np.ndarray, labels: np.ndarray, segments: int, classes: int) -> float:
    from cirs_tf.metrics.segmentation import SegmentationMetric

    metric = SegmentationMetric(segments, classes)
    metric.update_state(masks, labels)
    return metric.result().miou


def _keras(path: Path) -> Predict:
    from cirs_tf.serving.formats.keras_file import load_keras_file

    return load_keras_file(path).predict


def _onnx(path: Path) -> Predict:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["labels"], {"images": images})[0]


def _litert(path: Path) -> Predict:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner("serving_default")
    # The runner's tensors live as long as the interpreter, which the closure keeps.
    return lambda images: (interpreter, runner(images=images)["labels"])[1]


def _openvino(path: Path) -> Predict:
    import openvino

    # Not bfloat16, which some processors would compute in.
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(path, "CPU", settings)
    return lambda images: model(images)["labels"]


PREDICTORS = {
    "keras": _keras,
    "onnx": _onnx,
    "litert": _litert,
    "openvino": _openvino,
}


if __name__ == "__main__":
    main()
