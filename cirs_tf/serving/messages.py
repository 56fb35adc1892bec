"""Messages of TensorFlow Serving, without TensorFlow.

The package that has them all, tensorflow-serving-api, requires `tensorflow`, beside
which tensorflow-cpu must not be installed, and imports it, which takes seconds. The
messages needed are declared here with the field numbers of tensorflow_serving/apis
(predict, model, prediction_log) and tensorflow/core/framework (tensor, tensor_shape):
the bytes are the same. They have a pool of their own, so that both can be loaded.
"""

import functools

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

DT_STRING = 7  # of tensorflow.DataType, which `TensorProto.dtype` holds

_PACKAGE = "cirs_tf.serving"
_FIELD = descriptor_pb2.FieldDescriptorProto
_INT32, _INT64 = _FIELD.TYPE_INT32, _FIELD.TYPE_INT64
_STRING, _BYTES = _FIELD.TYPE_STRING, _FIELD.TYPE_BYTES
_REPEATED, _MAP = "repeated", "map"  # a map's keys are strings

# Message to its fields: name, number, type or message, and "repeated" or "map".
_MESSAGES = {
    "Dim": (("size", 1, _INT64),),
    "TensorShapeProto": (("dim", 2, "Dim", _REPEATED),),
    "TensorProto": (
        ("dtype", 1, _INT32),
        ("tensor_shape", 2, "TensorShapeProto"),
        ("tensor_content", 4, _BYTES),
        ("string_val", 8, _BYTES, _REPEATED),
    ),
    "Int64Value": (("value", 1, _INT64),),
    "ModelSpec": (
        ("name", 1, _STRING),
        ("version", 2, "Int64Value"),
        ("signature_name", 3, _STRING),
        ("version_label", 4, _STRING),
    ),
    "PredictRequest": (
        ("model_spec", 1, "ModelSpec"),
        ("inputs", 2, "TensorProto", _MAP),
    ),
    "PredictResponse": (("outputs", 1, "TensorProto", _MAP),),
    "PredictLog": (("request", 1, "PredictRequest"),),
    "PredictionLog": (("predict_log", 6, "PredictLog"),),
}


def message_class(name: str) -> type:
    r"""Return the class of a message.

    Args:
        name: `PredictRequest`, `PredictResponse`, `PredictionLog`, or one of those that
            they hold.

    Example:
        >>> request = message_class("PredictRequest")()
        >>> request.model_spec.name = "fruit"
        >>> request.SerializeToString()
        b'\n\x07\n\x05fruit'
    """
    return message_factory.GetMessageClass(
        _pool().FindMessageTypeByName(f"{_PACKAGE}.{name}")
    )


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    declared = descriptor_pb2.FileDescriptorProto(
        name="cirs_tf/serving/messages.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = declared.message_type.add(name=name)
        for field in fields:
            _add_field(message, *field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(declared)
    return pool


def _add_field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    kind: int | str,
    how: str = "",
) -> None:
    if how == _MAP:
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, _STRING)
        _add_field(entry, "value", 2, kind)
        kind = f"{message.name}.{entry.name}"
    many = how in (_REPEATED, _MAP)
    field = message.field.add(
        name=name,
        number=number,
        label=_FIELD.LABEL_REPEATED if many else _FIELD.LABEL_OPTIONAL,
    )
    if isinstance(kind, str):
        field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = kind
