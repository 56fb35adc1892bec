"""Masks of a model server by gRPC."""

import json
import re

from google.protobuf.message import DecodeError

from cirs_tf.errors import ConfigError, ServerError, UnusableServerError
from cirs_tf.serving.messages import DT_STRING, message_class
from cirs_tf.serving.served_model import (
    ERRORS,
    INPUT,
    OUTPUT,
    SIGNATURE,
    ServedModel,
)

try:
    import grpc
except ModuleNotFoundError:
    raise ConfigError(
        "grpc:// needs grpcio, which is not installed: pip install 'cirs-tf[serving]'"
    ) from None

_METHOD = "/tensorflow.serving.PredictionService/Predict"
_MORE = 65_536  # bytes of an answer beside the mask
_LONGEST_REASON = 300  # characters
# gRPC itself says UNAVAILABLE, and so does a server whose queue is full.
_AWAY = re.compile("connect|resol|socket", re.IGNORECASE)
_FOR_ALL = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
)


class GrpcPredictor:
    """Sends files to a model's `serve_bytes`; safe to share between threads.

    Args:
        model: Where it is.
        timeout: Seconds for an image, with all that is sent again.
        retries: How often a request is sent again where the server is not available or
            its queue is full: after about 0.5 seconds, 1, 2, ... at most 8. In [0, 4]:
            gRPC makes at most five attempts.
        max_bytes: Largest mask that is received.
    """

    def __init__(
        self, model: ServedModel, timeout: float, retries: int, max_bytes: int
    ):
        self._model = model
        self._timeout = timeout
        self._max_bytes = max_bytes
        options = [
            ("grpc.max_send_message_length", -1),  # the files are measured before
            ("grpc.max_receive_message_length", max_bytes + _MORE),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.service_config", json.dumps(_service_config(retries))),
        ]
        if model.protocol == "grpcs":
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(model.host, credentials, options)
        else:
            self._channel = grpc.insecure_channel(model.host, options)
        self._call = self._channel.unary_unary(_METHOD)

    def predict(self, file: bytes) -> tuple[bytes, str]:
        """Return the mask of an image file; as `RestPredictor.predict`.

        Args:
            file: A PNG or JPEG.

        Returns:
            The mask, a PNG, and what the model says is wrong with the file: in general
            an empty string.

        Raises:
            ServerError: The server answers with an error, too late, too much, or
                something else than a mask.
            UnusableServerError: It cannot be reached, or has no such model.
        """
        request = message_class("PredictRequest")()
        request.model_spec.name = self._model.name
        request.model_spec.signature_name = SIGNATURE
        if self._model.version is not None:
            request.model_spec.version.value = self._model.version
        elif self._model.label is not None:
            request.model_spec.version_label = self._model.label
        tensor = request.inputs[INPUT]
        tensor.dtype = DT_STRING
        tensor.tensor_shape.dim.add(size=1)
        tensor.string_val.append(file)
        try:
            content = self._call(request.SerializeToString(), timeout=self._timeout)
        except grpc.RpcError as error:
            raise self._error(error.code(), error.details() or "") from None
        return _mask(content)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _error(self, code: grpc.StatusCode, details: str) -> ServerError:
        reason = " ".join(details.split())[:_LONGEST_REASON]
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return ServerError(f"no answer within {self._timeout:g} s")
        if code is grpc.StatusCode.UNAVAILABLE and _AWAY.search(reason):
            return UnusableServerError(f"{self._model}: cannot be reached: {reason}")
        if code in _FOR_ALL:
            return UnusableServerError(f"{self._model}: {code.name}: {reason}")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "CLIENT" in reason:
            return ServerError(
                f"the answer has more than {self._max_bytes + _MORE:,} bytes; see "
                "--max-bytes"
            )
        return ServerError(f"the server answers {code.name}: {reason}")


def _service_config(retries: int) -> dict:
    """Return gRPC's own settings of what is sent again."""
    if not retries:
        return {}
    policy = {
        "maxAttempts": retries + 1,
        "initialBackoff": "0.5s",
        "maxBackoff": "8s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
    }
    return {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}


def _mask(content: bytes) -> tuple[bytes, str]:
    try:
        outputs = message_class("PredictResponse").FromString(content).outputs
        (mask,) = outputs[OUTPUT].string_val
        (error,) = outputs[ERRORS].string_val or [b""]
    except (DecodeError, ValueError):
        raise ServerError(
            f"the answer is not one of {SIGNATURE}: expected one {OUTPUT}"
        ) from None
    return mask, error.decode(errors="replace")
