"""Reads a PyTorch state dict without PyTorch; runs no code from the file."""

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from cirs_tf.errors import DataError

# What may stand in the file; anything else is refused before it is called.
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_state(path: str | Path) -> dict[str, np.ndarray]:
    """Read a state dict that `torch.save` wrote before version 1.6.

    The format: four pickles (a magic number, the version, facts of the machine, the
    dict with its storages named), the list of the storages, and their bytes.

    Args:
        path: A `.pth` of float32 and int64 tensors.

    Returns:
        Arrays by name.

    Raises:
        DataError: The file is no such dict, is cut off, or names any class or function
            but those that a dict of tensors needs; none is ever called.
    """
    try:
        with open(path, "rb") as file:
            return _read(file)
    except (
        pickle.UnpicklingError, EOFError, OSError, ValueError, TypeError, KeyError,
        AttributeError, IndexError, struct.error,
    ) as error:  # fmt: skip
        raise DataError(
            f"{path}: {error}; expected a state dict of PyTorch's older format"
        ) from None


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("not PyTorch's magic number")
    for _ in range(2):  # version, machine
        _Unpickler(file).load()
    tensors = _Unpickler(file).load()
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {}
    for key in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        content = file.read(count * dtypes[key].itemsize)
        storages[key] = np.frombuffer(content, dtypes[key], count)
    return {name: _array(tensor, storages) for name, tensor in tensors.items()}


def _array(tensor: _Tensor, storages: dict[str, np.ndarray]) -> np.ndarray:
    values = storages[tensor.storage.key][tensor.offset :]
    last = sum(
        (size - 1) * step
        for size, step in zip(tensor.shape, tensor.strides, strict=True)
    )
    if min(tensor.shape, default=1) < 1 or min(tensor.strides, default=0) < 0:
        raise ValueError(f"a tensor of shape {tensor.shape}")
    if last >= len(values):
        raise ValueError("a tensor reaches beyond its storage")
    steps = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(values, tensor.shape, steps).copy()


class _Unpickler(pickle.Unpickler):
    """Knows the few names that a dict of tensors needs."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in weights")

    def persistent_load(self, pid: tuple) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"{kind!r} is not allowed in weights")
        return _Storage(str(key), dtype)


def _rebuild_tensor(storage, offset, shape, strides, *_) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))
