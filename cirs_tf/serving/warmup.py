"""Warm-up requests, which TensorFlow Serving runs before it lets traffic in.

They are `PredictionLog` messages of tensorflow-serving-api, a package that pulls a
second TensorFlow beside tensorflow-cpu. The four messages needed are declared here
with the same field numbers, so the bytes are the same.
"""

from pathlib import Path

import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2

_FILE = "cirs_tf/serving/warmup.proto"
_PACKAGE = "cirs_tf.serving"
_FIELD = descriptor_pb2.FieldDescriptorProto


def write_warmup(version_folder: str | Path, requests: list[tuple[str, dict]]) -> None:
    """Write `assets.extra/tf_serving_warmup_requests` in a SavedModel.

    Args:
        version_folder: The folder with `saved_model.pb`.
        requests: For each request the signature's name and its inputs, name to tensor.
    """
    folder = Path(version_folder) / "assets.extra"
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for signature, inputs in requests:
            log = prediction_log_class()()
            request = log.predict_log.request
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())


def prediction_log_class() -> type:
    """Return the message class of one warm-up record."""
    pool = descriptor_pool.Default()
    try:
        found = pool.FindMessageTypeByName(f"{_PACKAGE}.PredictionLog")
    except KeyError:
        pool.Add(_declaration())
        found = pool.FindMessageTypeByName(f"{_PACKAGE}.PredictionLog")
    return message_factory.GetMessageClass(found)


def _declaration() -> descriptor_pb2.FileDescriptorProto:
    tensor = tensor_pb2.TensorProto.DESCRIPTOR
    declared = descriptor_pb2.FileDescriptorProto(
        name=_FILE, package=_PACKAGE, syntax="proto3", dependency=[tensor.file.name]
    )
    string, message = _FIELD.TYPE_STRING, _FIELD.TYPE_MESSAGE

    spec = declared.message_type.add(name="ModelSpec")
    spec.field.add(name="signature_name", number=3, type=string, label=1)

    request = declared.message_type.add(name="PredictRequest")
    entry = request.nested_type.add(name="InputsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=string, label=1)
    value = f".{tensor.full_name}"
    entry.field.add(name="value", number=2, type=message, label=1, type_name=value)
    spec_name = f".{_PACKAGE}.ModelSpec"
    request.field.add(
        name="model_spec", number=1, type=message, label=1, type_name=spec_name
    )
    entry_name = f".{_PACKAGE}.PredictRequest.InputsEntry"
    request.field.add(
        name="inputs", number=2, type=message, label=3, type_name=entry_name
    )

    for name, field, number, inner in (
        ("PredictLog", "request", 1, "PredictRequest"),
        ("PredictionLog", "predict_log", 6, "PredictLog"),
    ):
        outer = declared.message_type.add(name=name)
        inner_name = f".{_PACKAGE}.{inner}"
        outer.field.add(
            name=field, number=number, type=message, label=1, type_name=inner_name
        )
    return declared
