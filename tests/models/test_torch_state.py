"""Files in PyTorch's older format, written here without PyTorch; poisoned ones."""

import pickle
import struct
import sys
import tracemalloc
import types
from collections import OrderedDict

import numpy as np
import pytest

from cirs_tf.errors import DataError
from cirs_tf.models.backbones import torch_state
from cirs_tf.models.backbones.torch_state import read_torch_state

MAGIC = 0x1950A86A20F9469CFC6C


class Storage:
    """What a pickler writes as a persistent id."""

    def __init__(self, kind, key, size):
        self.id = ("storage", kind, key, "cpu", size, None)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


class Tensor:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (*self.arguments, False, OrderedDict())


@pytest.fixture
def torch(monkeypatch):
    """Return stand-ins for the names that PyTorch's pickles mention."""
    module, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*_):
        raise AssertionError("called")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(module, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return module


def write(path, tensors, storages, magic=MAGIC):
    with open(path, "wb") as file:
        for value in (magic, 1001, {"little_endian": True}):
            pickle.dump(value, file, 2)
        Pickler(file, 2).dump(tensors)
        pickle.dump(list(storages), file, 2)
        for values in storages.values():
            file.write(struct.pack("<q", len(values)) + values.tobytes())
    return path


def test_shapes_offsets_strides_and_types(torch, tmp_path):
    floats, longs = np.arange(12, dtype="<f4"), np.array([7], "<i8")
    a = Storage(torch.FloatStorage, "a", 12)
    tensors = OrderedDict(
        whole=Tensor(a, 0, (3, 4), (4, 1)),
        turned=Tensor(a, 4, (4, 2), (1, 4)),
        count=Tensor(Storage(torch.LongStorage, "b", 1), 0, (), ()),
    )
    found = read_torch_state(write(tmp_path / "w", tensors, {"a": floats, "b": longs}))
    matrix = floats.reshape(3, 4)
    np.testing.assert_array_equal(found["whole"], matrix)
    np.testing.assert_array_equal(found["turned"], matrix[1:].T)
    assert found["count"] == 7 and found["count"].dtype == np.int64


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((3, 5), (5, 1), 0),
        ((3, 4), (4, 1), 1),
        ((2,), (-1,), 3),
        ((0,), (1,), 0),
        ((2,), (1,), -2),
        ((2**44,), (0,), 0),
        ((1,), (2**63,), 0),
    ],
)
def test_no_tensor_reaches_beyond_its_storage(torch, tmp_path, shape, strides, offset):
    tensor = Tensor(Storage(torch.FloatStorage, "a", 12), offset, shape, strides)
    path = write(tmp_path / "w", {"w": tensor}, {"a": np.zeros(12, "<f4")})
    with pytest.raises(DataError, match="expected a state dict of PyTorch's older"):
        read_torch_state(path)


class Poison:
    """Writes a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def test_nothing_of_the_file_is_run(torch, tmp_path):
    mark = tmp_path / "executed"
    path = write(tmp_path / "w", {"w": Poison(mark)}, {})
    with pytest.raises(DataError, match=r"io\.open is not allowed in weights"):
        read_torch_state(path)
    assert not mark.exists()


@pytest.mark.parametrize("count", [2**61, 2**58, -1, 13])
def test_a_storage_that_the_file_does_not_hold(torch, tmp_path, count):
    tensor = Tensor(Storage(torch.FloatStorage, "a", 12), 0, (3,), (1,))
    path = write(tmp_path / "w", {"w": tensor}, {"a": np.zeros(12, "<f4")})
    content = path.read_bytes()
    path.write_bytes(content[: -48 - 8] + struct.pack("<q", count) + content[-48:])
    with pytest.raises(DataError, match="and the file ends before"):
        read_torch_state(path)


def test_a_file_changes_nothing_in_this_process(torch, tmp_path):
    """A pickle can set attributes on what it names."""
    setting = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
    setting += b"N}X\x04\x00\x00\x00markK\x07s\x86b."
    path = tmp_path / "w"
    with open(path, "wb") as file:
        for value in (MAGIC, 1001, {}):
            pickle.dump(value, file, 2)
        file.write(setting)
    before = {name: dict(vars(value)) for name, value in things().items()}
    with pytest.raises(DataError):
        read_torch_state(path)
    assert {name: dict(vars(value)) for name, value in things().items()} == before


def things():
    """Return the classes and functions of the reader."""
    return {
        name: value
        for name, value in vars(torch_state).items()
        if callable(value) and getattr(value, "__module__", "") == torch_state.__name__
    }


def test_other_files_are_one_line(torch, tmp_path):
    half = Tensor(Storage(torch.HalfStorage, "a", 2), 0, (2,), (1,))
    files = [
        write(tmp_path / "magic", {}, {}, magic=1),
        write(tmp_path / "half", {"w": half}, {"a": np.zeros(2, "<f2")}),
        tmp_path / "missing",
    ]
    good = Tensor(Storage(torch.FloatStorage, "a", 2), 0, (2,), (1,))
    whole = write(tmp_path / "whole", {"w": good}, {"a": np.zeros(2, "<f4")})
    content = whole.read_bytes()
    for end in (0, 5, 40, len(content) - 1):
        cut = tmp_path / f"cut-{end}"
        cut.write_bytes(content[:end])
        files.append(cut)
    for file in files:
        with pytest.raises(DataError):
            read_torch_state(file)


def test_a_number_in_a_small_file_makes_no_large_memo(tmp_path):
    """27 bytes that name entry 773 million of the pickle's memo, found by fuzzing."""
    path = tmp_path / "weights.pth"
    content = "80028a0a6cfc9c46f9206a730a4f72a850192e80024de9032e6aa8"
    path.write_bytes(bytes.fromhex(content))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="expected a state dict"):
            read_torch_state(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10 << 20
