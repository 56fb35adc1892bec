"""The declared messages against the official ones, and against bytes by hand."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.serving.messages import message_class


def test_warmup_bytes_have_the_field_numbers_of_tensorflow_serving():
    """By hand, from prediction_log.proto, predict.proto and model.proto.

    PredictionLog.predict_log = 6, PredictLog.request = 1, PredictRequest.model_spec = 1
    and .inputs = 2 (a map: key = 1, value = 2), ModelSpec.signature_name = 3.
    """

    def field(number, payload):
        return bytes([number << 3 | 2, len(payload)]) + payload

    log = message_class("PredictionLog")()
    log.predict_log.request.model_spec.signature_name = "s"
    tensor = tf.make_tensor_proto(np.uint8(3)).SerializeToString()
    log.predict_log.request.inputs["x"].ParseFromString(tensor)
    entry = field(1, b"x") + field(2, tensor)
    request = field(1, field(3, b"s")) + field(2, entry)
    assert log.SerializeToString() == field(6, field(1, request))


@pytest.fixture(scope="module")
def apis():
    """Return the official modules, or skip."""
    pytest.importorskip(
        "tensorflow_serving",
        reason="needs `pip install --no-deps tensorflow-serving-api`",
    )
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    return predict_pb2, prediction_log_pb2


def filled(request):
    """Fill a PredictRequest, ours or the official one."""
    request.model_spec.name = "fruit"
    request.model_spec.signature_name = "serve_bytes"
    for name, value in (
        ("image_bytes", [b"\x00\xff", b"two"]),
        ("images", np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)),
    ):
        tensor = tf.make_tensor_proto(value)
        request.inputs[name].ParseFromString(tensor.SerializeToString())
    return request


@pytest.mark.parametrize("which", ["newest", "version", "label"])
def test_requests_are_the_official_bytes(apis, which):
    ours = filled(message_class("PredictRequest")())
    official = filled(apis[0].PredictRequest())
    for request in (ours, official):
        if which == "version":
            request.model_spec.version.value = 3
        elif which == "label":
            request.model_spec.version_label = "canary"
    # Deterministic: the entries of a map in the order of their keys.
    expected = official.SerializeToString(deterministic=True)
    assert ours.SerializeToString(deterministic=True) == expected
    again = apis[0].PredictRequest.FromString(ours.SerializeToString())
    assert again == official
    assert again.model_spec.WhichOneof("version_choice") == {
        "newest": None,
        "version": "version",
        "label": "version_label",
    }.get(which)


def test_warmup_records_are_the_official_bytes(apis, exported):
    file = exported / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(file))]
    names = []
    for record in records:
        log = apis[1].PredictionLog.FromString(record)
        assert log.SerializeToString() == record
        assert not log.predict_log.HasField("response")
        names.append(log.predict_log.request.model_spec.signature_name)
        for tensor in log.predict_log.request.inputs.values():
            assert tf.make_ndarray(tensor).size
    assert {"serving_default", "serve_bytes"} <= set(names)


def test_an_official_answer_is_read(apis):
    official = apis[0].PredictResponse()
    official.model_spec.name = "fruit"
    mask = tf.make_tensor_proto([b"\x89PNG"])
    official.outputs["mask_png_bytes"].CopyFrom(mask)
    ours = message_class("PredictResponse").FromString(official.SerializeToString())
    assert list(ours.outputs["mask_png_bytes"].string_val) == [b"\x89PNG"]
