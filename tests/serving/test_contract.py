"""An exported model by two loaders that share no code with this package.

No model server is in a package registry; what TensorFlow Serving does first, loading
the SavedModel by its C++ code, is what the first of them does.
"""

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from absl import flags
from PIL import Image
from tensorflow.python.tools import saved_model_cli

from cirs_tf.serving.savedmodel import load_savedmodel


@pytest.fixture(scope="module")
def images():
    """Return `[2, 13, 21, 3]` uint8, of a size that the export was not made with."""
    return np.random.default_rng(0).integers(0, 256, (2, 13, 21, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def labels(exported, images):
    return load_savedmodel(exported).predict(images)


def run(program, *arguments):
    """Run a Python program that can import neither this package nor the tests."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**environment, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Feeds `serving_default` and `serve_bytes` by the names that the SavedModel says.
C_API = """
import ctypes, sys
import numpy as np
library, folder, images, file, out, *names = sys.argv[1:]
tf = ctypes.CDLL(library)
pointer, size, integer = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
text = ctypes.c_char_p
for name, result, *arguments in (
    ("TF_NewStatus", pointer),
    ("TF_NewGraph", pointer),
    ("TF_NewSessionOptions", pointer),
    ("TF_GetCode", integer, pointer),
    ("TF_Message", text, pointer),
    ("TF_LoadSessionFromSavedModel", pointer, pointer, pointer, text, pointer, integer,
     pointer, pointer, pointer),
    ("TF_GraphOperationByName", pointer, pointer, text),
    ("TF_AllocateTensor", pointer, integer, pointer, integer, size),
    ("TF_TensorData", pointer, pointer),
    ("TF_TensorType", integer, pointer),
    ("TF_NumDims", integer, pointer),
    ("TF_Dim", ctypes.c_int64, pointer, integer),
    ("TF_SessionRun", None, pointer, pointer, pointer, pointer, integer, pointer,
     pointer, integer, pointer, integer, pointer, pointer),
    ("TF_StringInit", None, pointer),
    ("TF_StringCopy", None, pointer, text, size),
    ("TF_StringGetDataPointer", pointer, pointer),
    ("TF_StringGetSize", size, pointer),
):
    function = getattr(tf, name)
    function.restype, function.argtypes = result, arguments
INT32, UINT8, STRING, STRING_BYTES = 3, 4, 7, 24

class Output(ctypes.Structure):
    _fields_ = [("operation", pointer), ("index", integer)]

status, graph = tf.TF_NewStatus(), tf.TF_NewGraph()

def check():
    assert tf.TF_GetCode(status) == 0, tf.TF_Message(status)

tags = (text * 1)(b"serve")
session = tf.TF_LoadSessionFromSavedModel(
    tf.TF_NewSessionOptions(), None, folder.encode(), tags, 1, graph, None, status)
check()

def place(name):
    operation, _, index = name.partition(":")
    found = tf.TF_GraphOperationByName(graph, operation.encode())
    assert found, name
    return Output(found, int(index))

def fed(dtype, shape, count):
    dims = (ctypes.c_int64 * len(shape))(*shape)
    return tf.TF_AllocateTensor(dtype, dims, len(shape), count)

def run(feed, tensor, fetch):
    result = pointer()
    tf.TF_SessionRun(session, None, ctypes.byref(place(feed)),
                     ctypes.byref(pointer(tensor)), 1, ctypes.byref(place(fetch)),
                     ctypes.byref(result), 1, None, 0, None, status)
    check()
    return result.value

values = np.load(images)
tensor = fed(UINT8, values.shape, values.nbytes)
ctypes.memmove(tf.TF_TensorData(tensor), values.ctypes.data, values.nbytes)
answer = run(names[0], tensor, names[1])
assert tf.TF_TensorType(answer) == INT32
shape = [tf.TF_Dim(answer, axis) for axis in range(tf.TF_NumDims(answer))]
buffer = ctypes.string_at(tf.TF_TensorData(answer), 4 * int(np.prod(shape)))
np.save(out + "/labels.npy", np.frombuffer(buffer, np.int32).reshape(shape))

content = open(file, "rb").read()
tensor = fed(STRING, [1], STRING_BYTES)
string = tf.TF_TensorData(tensor)
tf.TF_StringInit(string)
tf.TF_StringCopy(string, content, len(content))
answer = run(names[2], tensor, names[3])
assert tf.TF_TensorType(answer) == STRING
string = tf.TF_TensorData(answer)
mask = ctypes.string_at(tf.TF_StringGetDataPointer(string), tf.TF_StringGetSize(string))
open(out + "/mask.png", "wb").write(mask)
assert not [name for name in sys.modules if name.startswith(("tensorflow", "keras"))]
"""


def tensor_names(folder):
    """Return the names of both signatures' tensors, from saved_model.pb itself."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    )
    (graph,) = model.meta_graphs
    assert list(graph.meta_info_def.tags) == ["serve"]
    images, files = (
        graph.signature_def[name] for name in ("serving_default", "serve_bytes")
    )
    return [
        images.inputs["images"].name,
        images.outputs["labels"].name,
        files.inputs["image_bytes"].name,
        files.outputs["mask_png_bytes"].name,
    ]


def test_tensorflows_c_api(exported, images, labels, tmp_path):
    library = Path(importlib.util.find_spec("tensorflow").origin).parent
    library /= "libtensorflow_cc.so.2"
    if not library.exists():
        pytest.skip("this TensorFlow has no libtensorflow_cc.so.2")
    np.save(tmp_path / "images.npy", images)
    Image.fromarray(images[1]).save(tmp_path / "image.png")
    version = exported / "1"
    run(
        C_API,
        library,
        version,
        tmp_path / "images.npy",
        tmp_path / "image.png",
        tmp_path,
        *tensor_names(version),
    )
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), labels)
    with Image.open(tmp_path / "mask.png") as mask:
        assert (mask.format, mask.mode) == ("PNG", "L")
        np.testing.assert_array_equal(np.asarray(mask), labels[1])


def test_saved_model_cli(exported, images, labels, tmp_path, capsys):
    """TensorFlow's command; its `main` would end this process."""
    np.save(tmp_path / "images.npy", images)
    Image.fromarray(images[1]).save(tmp_path / "image.png")
    # A Python literal, without the signs by which the command divides it.
    file = "".join(f"\\x{byte:02x}" for byte in (tmp_path / "image.png").read_bytes())
    version = ["--dir", str(exported / "1")]
    run_it = ["run", *version, "--tag_set", "serve", "--outdir", str(tmp_path)]
    for line in (
        ["show", *version, "--all"],
        [*run_it, "--signature_def=serving_default"]
        + [f"--inputs=images={tmp_path / 'images.npy'}", "--input_exprs="],
        [*run_it, "--signature_def=serve_bytes"]
        + ["--inputs=", f"--input_exprs=image_bytes=[b'{file}']"],
    ):
        flags.FLAGS(["saved_model_cli", *line])
        saved_model_cli.create_parser().parse_args(line).func()
    shown = " ".join(capsys.readouterr().out.split())
    inputs = "The given SavedModel SignatureDef contains the following input(s):"
    for expected in (
        f"signature_def['serve_bytes']: {inputs} inputs['image_bytes'] tensor_info: "
        "dtype: DT_STRING shape: (-1)",
        "outputs['mask_png_bytes'] tensor_info: dtype: DT_STRING shape: (-1)",
        f"signature_def['serving_default']: {inputs} inputs['images'] tensor_info: "
        "dtype: DT_UINT8 shape: (-1, -1, -1, 3)",
        "outputs['labels'] tensor_info: dtype: DT_INT32 shape: (-1, -1, -1)",
        "outputs['probabilities'] tensor_info: dtype: DT_FLOAT shape: (-1, -1, -1, 4)",
    ):
        assert expected in shown
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), labels)
    shares = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_array_equal(shares.argmax(-1), labels)
    (mask,) = np.load(tmp_path / "mask_png_bytes.npy", allow_pickle=True)
    with Image.open(io.BytesIO(mask)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), labels[1])
