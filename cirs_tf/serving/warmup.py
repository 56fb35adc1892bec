"""Warm-up requests, which TensorFlow Serving runs before it lets traffic in."""

from pathlib import Path

import tensorflow as tf

from cirs_tf.serving.messages import message_class


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
            log = message_class("PredictionLog")()
            request = log.predict_log.request
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                tensor = tf.make_tensor_proto(value)
                request.inputs[name].ParseFromString(tensor.SerializeToString())
            writer.write(log.SerializeToString())
