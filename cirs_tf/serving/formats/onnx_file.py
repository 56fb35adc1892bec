"""A segmenter as an ONNX file, by tf2onnx."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import keras

from cirs_tf.serving.formats.converters import fails, lacks, require
from cirs_tf.serving.formats.inference import inference_function

OPSET = 17
_OPTION = "--format onnx"
_AXES = ("batch", "height", "width")


def write_onnx(segmenter: keras.Model, path: Path, facts: Mapping[str, str]) -> None:
    """Write the function of `inference_function` as an ONNX model of opset 17.

    The axes `batch`, `height` and `width` are free where the segmenter leaves them so.
    The facts stand in the model's `metadata_props` as strings.

    Args:
        segmenter: `[batch, height, width, 3]` float in [0, 1] to K logits.
        path: The file.
        facts: What the model is.

    Raises:
        ConfigError: The extra `onnx` is not installed, or ONNX lacks an operation.
        OSError: The file cannot be written.
    """
    tf2onnx = require("tf2onnx", _OPTION, "tf2onnx", "onnx")
    onnx = require("onnx", _OPTION, "onnx", "onnx")
    function = inference_function(segmenter)
    with _quiet():
        try:
            model, _ = tf2onnx.convert.from_function(
                function, function.input_signature, opset=OPSET
            )
        except Exception as error:  # of no class of their own
            raise fails("onnx", error) from None
    known = {"", "ai.onnx", "ai.onnx.ml"}
    foreign = [node.op_type for node in _nodes(model.graph) if node.domain not in known]
    if foreign:
        raise lacks("onnx", foreign)
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=False):
            if not axis.HasField("dim_value"):
                axis.dim_param = name
    onnx.helper.set_model_props(model, dict(facts))
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _nodes(graph) -> Iterator:
    """Yield the nodes of a graph and of those in its nodes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from _nodes(attribute.g)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tf2onnx's log, which says all again, off the screen."""
    logger = logging.getLogger("tf2onnx")
    names = [logger, *map(logging.getLogger, _loggers("tf2onnx."))]
    levels = [logger.level for logger in names]
    for logger in names:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(names, levels, strict=True):
            logger.setLevel(level)


def _loggers(prefix: str) -> list[str]:
    names = logging.Logger.manager.loggerDict
    return [name for name in names if name.startswith(prefix)]
