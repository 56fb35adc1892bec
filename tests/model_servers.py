"""Model servers in this process, which speak what TensorFlow Serving documents.

gRPC on the official stubs of tensorflow-serving-api; REST by tensorflow/serving's
api_rest.md. Behind both are the signatures of SavedModels.
"""

import base64
import collections
import contextlib
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import tensorflow as tf


class Served:
    """Versions of a model called `fruit`, and what happens to the next requests.

    Attributes:
        versions: Number to function: signature's name to function of tensors.
        labels: Label to number.
        faults: Functions called, one for each of the next requests, in place of
            answering.
        calls: Requests so far.
        connections: Connections so far, of REST.
        during: Called with the number of each request.
    """

    def __init__(self, versions, labels=()):
        self.versions, self.labels = versions, dict(labels)
        self.faults = collections.deque()
        self.calls = self.connections = 0
        self.during = lambda number: None
        self._lock = threading.Lock()

    def next_fault(self):
        with self._lock:
            self.calls += 1
            number = self.calls
            fault = self.faults.popleft() if self.faults else None
        self.during(number)
        return fault

    def run(self, name, version, label, signature, inputs):
        """Return outputs by name; LookupError or ValueError as the server has them."""
        if label:
            version = self.labels.get(label, -1)
        number = version or max(self.versions)
        if name != "fruit" or number not in self.versions:
            which = f"Specific({name}, {version})" if version else f"Latest({name})"
            raise LookupError(f"Servable not found for request: {which}")
        try:
            function = self.versions[number][signature]
        except KeyError:
            raise ValueError(
                f'Serving signature key "{signature}" not found.'
            ) from None
        try:
            outputs = function(**{k: tf.constant(v) for k, v in inputs.items()})
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(error.message) from None
        return {name: value.numpy() for name, value in outputs.items()}


@contextlib.contextmanager
def grpc_server(served):
    """Yield the client's URL of a gRPC server."""
    pytest.importorskip(
        "tensorflow_serving",
        reason="needs `pip install --no-deps tensorflow-serving-api`",
    )
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802
            if fault := served.next_fault():
                return fault(context)
            spec = request.model_spec
            inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
            try:
                outputs = served.run(
                    spec.name,
                    spec.version.value,
                    spec.version_label,
                    spec.signature_name,
                    inputs,
                )
            except LookupError as error:
                context.abort(grpc.StatusCode.NOT_FOUND, error.args[0])
            except ValueError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            response = predict_pb2.PredictResponse(model_spec=spec)
            for name, value in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(
        ThreadPoolExecutor(4),
        options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        Servicer(), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}/fruit"
    finally:
        server.stop(None).wait()


PREDICT = re.compile(
    r"/v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?:predict"
)


@contextlib.contextmanager
def rest_server(served):
    """Yield the client's URL of a REST server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or an answer waits 40 ms

        def setup(self):
            super().setup()
            served.connections += 1

        def log_message(self, *_):
            pass

        def answer(self, status, value):
            self.send(status, json.dumps(value).encode())

        def send(self, status, content, length=None):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(length or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if fault := served.next_fault():
                return fault(self)
            match = PREDICT.fullmatch(self.path)
            if not match:
                error = f"Malformed request: POST {self.path}"
                return self.answer(400, {"error": error})
            name, version, label = match.groups()
            request = json.loads(body)
            signature = request.get("signature_name", "serving_default")
            try:
                outputs = served.run(
                    name, int(version or 0), label, signature, tensors(request)
                )
            except LookupError as error:
                return self.answer(404, {"error": error.args[0]})
            except ValueError as error:
                return self.answer(400, {"error": str(error)})
            return self.answer(200, response(outputs, "instances" in request))

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # connections that wait to be accepted

        def handle_error(self, request, client_address):
            """Print nothing: the client has seen enough."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/models/fruit"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tensors(request):
    """Return `image_bytes` of a request in row or columnar format."""
    rows = request["instances"] if "instances" in request else request["inputs"]
    if isinstance(rows, dict):  # columnar, by name
        rows = rows["image_bytes"]
    rows = [row.get("image_bytes", row) for row in rows]
    return {"image_bytes": np.array([base64.b64decode(r["b64"]) for r in rows], object)}


def response(outputs, is_row_format):
    """Return the JSON of an answer: names are left out where there is one output."""
    columns = {
        name: [
            {"b64": base64.b64encode(v).decode()}
            if name.endswith("_bytes")
            else (v.decode() if isinstance(v, bytes) else v)
            for v in values.tolist()
        ]
        for name, values in outputs.items()
    }
    if len(columns) == 1:
        (values,) = columns.values()
        return {"predictions" if is_row_format else "outputs": values}
    if not is_row_format:
        return {"outputs": columns}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


SERVERS = {"rest": rest_server, "grpc": grpc_server}
