"""What reads files of others, and a small valid file for each to be damaged.

A target takes the bytes of a file. It returns, or raises the error that a user sees in
one line; anything else is a fault.
"""

import collections
import io
import json
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
import tensorflow as tf
from PIL import Image

from cirs_tf.config.files import read_yaml, resolve
from cirs_tf.data.image_files import decode_image
from cirs_tf.data.manifest import MANIFEST, Manifest
from cirs_tf.data.record_index import RecordIndex
from cirs_tf.errors import CirsError
from cirs_tf.hierarchy.region_tree import RegionTree
from cirs_tf.methods.registry import load_config
from cirs_tf.models.backbones.torch_state import read_torch_state
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from data_gen.importers.bsds import read_segmentations
from data_gen.importers.sources import FileSource

_PIXELS = 1_000_000
_RNG = np.random.default_rng(0)
_PICTURE = Image.fromarray(_RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8))


def _encoded(picture: Image.Image, format_: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=format_, **options)
    return buffer.getvalue()


def _zip(content: bytes, name: str = "1") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"cats/{name}.png", content)
        archive.writestr("cats/2.png", content)
    return buffer.getvalue()


def _arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, centers=np.eye(3), name=np.array("text"))
    return buffer.getvalue()


def _segmentations() -> bytes:
    buffer, cells = io.BytesIO(), np.empty((1, 2), object)
    for annotator in range(2):
        cells[0, annotator] = {"Segmentation": np.ones((5, 7), np.uint16)}
    scipy.io.savemat(buffer, {"groundTruth": cells})
    return buffer.getvalue()


def _manifest() -> bytes:
    shard = {"file": "train-0.tfrecord", "examples": 2, "bytes": 9, "sha256": "0" * 64}
    split = {"shards": [shard], "masks": True, "segmentations": False}
    content = {
        "format_version": 1,
        "name": "drawn",
        "generator": {"name": "fruit", "version": "1", "seed": 0, "arguments": []},
        "height": 8,
        "width": 8,
        "classes": ["background", "object"],
        "splits": {"train": split},
    }
    return json.dumps(content).encode()


def _records() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records"
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(b"first")
            writer.write(b"a second")
        return path.read_bytes()


def _tree() -> bytes:
    tree = RegionTree(
        np.array([[0, 0, 1], [2, 2, 1]], np.int32),
        np.array([[0, 1], [0, 2]], np.int32),
        np.array([0.5, 2.0]),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tree.npz"
        tree.save(path, image="1.jpg")
        return path.read_bytes()


def _weights() -> bytes:
    """Return a state dict without tensors in PyTorch's older format."""
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    return b"".join(
        pickle.dumps(part, 2) for part in (*parts, collections.OrderedDict(), [])
    )


def read_image(content: bytes, folder: Path) -> None:
    pixels = decode_image(io.BytesIO(content), "file", _PIXELS)
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[-1] == 3


def read_zip(content: bytes, folder: Path) -> None:
    path = folder / "images.zip"
    path.write_bytes(content)
    source = FileSource(path)
    for name in source.names:
        try:
            source.read_image(name)
        except CirsError:  # one member's, not the archive's
            continue


def read_segmentation_file(content: bytes, folder: Path) -> None:
    read_segmentations(content, "file.mat")


def read_manifest(content: bytes, folder: Path) -> None:
    (folder / MANIFEST).write_bytes(content)
    Manifest.read(folder)


def read_records(content: bytes, folder: Path) -> None:
    (folder / MANIFEST).write_bytes(_manifest())
    split = Manifest.read(folder).splits["train"]
    (folder / split.shards[0].file).write_bytes(content)
    index = RecordIndex.of_split(folder, split)
    assert len(index.read(range(len(index)))) == split.shards[0].examples


def read_config(content: bytes, folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_bytes(content)
    resolve(load_config("air"), read_yaml(path), where=str(path))


def read_initialization(content: bytes, folder: Path) -> None:
    run = RunFolder(folder)
    run.initialization_file.write_bytes(content)
    run.load_initialization()


def read_checkpoints(content: bytes, folder: Path) -> None:
    (folder / "checkpoints.json").write_bytes(content)
    (folder / "step-00000004").mkdir(exist_ok=True)
    (folder / "step-00000004" / "state.json").write_bytes(_STATE)
    store = CheckpointStore(folder)
    store.steps(label_free=True)
    for name in ("last", "loss", "oracle", "4"):
        try:
            store.read_state(name)
        except CirsError:  # there is no such checkpoint
            continue


def read_checkpoint_state(content: bytes, folder: Path) -> None:
    (folder / "checkpoints.json").write_bytes(_INDEX)
    (folder / "step-00000004").mkdir(exist_ok=True)
    (folder / "step-00000004" / "state.json").write_bytes(content)
    CheckpointStore(folder).read_state("last")


def read_metrics(content: bytes, folder: Path) -> None:
    run = RunFolder(folder)
    run.metrics_file.write_bytes(content)
    for row in run.read_metrics():
        assert {"step", "validation"} <= row.keys()


def read_region_tree(content: bytes, folder: Path) -> None:
    path = folder / "tree.npz"
    path.write_bytes(content)
    tree, _ = RegionTree.load(path)
    tree.cut(1.0)
    tree.boundary_levels()


def read_weights(content: bytes, folder: Path) -> None:
    path = folder / "weights.pth"
    path.write_bytes(content)
    read_torch_state(path)


_PNG = _encoded(_PICTURE, "PNG")
_INDEX = b'{"last": [4], "loss": {"step": 4, "value": 0.5}}'
_STATE = b'{"step": 4, "variables": {"segmenter": [["kernel", [3, 3]]]}, "row": null}'
_YAML = b"method: air\nsegments: 4\nsegmenter: {width: 8}\ntraining:\n  epochs: 3\n"
_METRICS = b'{"epoch": 1, "step": 2, "train": {"loss": 1}, "validation": {"loss": 2}}\n'

# Name to the target and its valid files.
TARGETS = {
    "image": (
        read_image,
        [
            _PNG,
            _encoded(_PICTURE.convert("P"), "PNG", transparency=0),
            _encoded(_PICTURE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
            _encoded(_PICTURE, "BMP"),
            _encoded(_PICTURE, "GIF"),
            _encoded(_PICTURE, "TIFF", compression="tiff_lzw"),
            _encoded(_PICTURE, "WEBP"),
        ],
    ),
    # The second one has a name in UTF-8.
    "zip": (read_zip, [_zip(_PNG), _zip(_PNG, "\u00e4")]),
    "segmentations": (read_segmentation_file, [_segmentations()]),
    "manifest": (read_manifest, [_manifest()]),
    "records": (read_records, [_records()]),
    "config": (read_config, [_YAML]),
    "initialization": (read_initialization, [_arrays()]),
    "checkpoints": (read_checkpoints, [_INDEX]),
    "checkpoint state": (read_checkpoint_state, [_STATE]),
    "metrics": (read_metrics, [2 * _METRICS]),
    "region tree": (read_region_tree, [_tree()]),
    "weights": (read_weights, [_weights()]),
}
