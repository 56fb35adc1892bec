"""Reads a PyTorch state dict without PyTorch; runs no code from the file."""

import math
import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import numpy as np

from cirs_tf.errors import DataError

# What may stand in the file; anything else is refused before it is called.
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_MAGIC = 0x1950A86A20F9469CFC6C
# What reading damaged bytes can raise.
_DAMAGED = (
    pickle.UnpicklingError,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    MemoryError,
    AssertionError,
    RecursionError,
    struct.error,
)


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


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
    except _DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path}: {reason}; expected a state dict of PyTorch's older format"
        ) from None


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("not PyTorch's magic number")
    for _ in range(2):  # version, machine
        _Unpickler(file).load()
    unpickler = _Unpickler(file)
    tensors = unpickler.load()
    for name, tensor in tensors.items():
        if not isinstance(tensor, unpickler.tensor_class):
            raise ValueError(f"{name!r} is no tensor")
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    size = os.fstat(file.fileno()).st_size
    storages = {}
    for key in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        if not 0 <= count * dtypes[key].itemsize <= size - file.tell():
            raise ValueError(f"a storage of {count} values, and the file ends before")
        content = file.read(count * dtypes[key].itemsize)
        storages[key] = np.frombuffer(content, dtypes[key], count)
    return {
        name: _array(storages[tensor.storage.key], tensor)
        for name, tensor in tensors.items()
    }


def _array(values: np.ndarray, tensor: Any) -> np.ndarray:
    """Return the tensor's values, after a check that they lie in its storage."""
    shape, strides = tensor.shape, tensor.strides
    last = tensor.offset + sum(
        (size - 1) * step for size, step in zip(shape, strides, strict=True)
    )
    if (
        min((tensor.offset, *strides)) < 0
        or min(shape, default=1) < 1
        or math.prod(shape) > len(values)
        or last >= len(values)
    ):
        raise ValueError(f"a tensor of shape {shape} reaches beyond its storage")
    steps = [step * values.itemsize for step in strides]
    start = values[tensor.offset :]
    return np.lib.stride_tricks.as_strided(start, shape, steps).copy()


class _Unpickler(pickle._Unpickler):
    """Knows the few names that a dict of tensors needs.

    Written in Python, whose memo is a dict: that in C makes room for as many entries as
    a number in the file says (of 27 damaged bytes, 2.5 GB).
    """

    dispatch: ClassVar[dict] = {
        code: function
        for code, function in pickle._Unpickler.dispatch.items()
        if code != pickle.BYTEARRAY8[0]  # makes room before it reads
    }

    def __init__(self, file: BinaryIO):
        super().__init__(file)

        # A class of this file alone: what a pickle may set on it ends with the file.
        class Tensor:
            def __init__(self, storage, offset, shape, strides, *_):
                if not isinstance(storage, _Storage):
                    raise ValueError("a tensor without a storage")
                self.storage, self.offset = storage, int(offset)
                self.shape = tuple(map(int, shape))
                self.strides = tuple(map(int, strides))

        self.tensor_class = Tensor

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return name
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.tensor_class
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in weights")

    def persistent_load(self, pid: tuple) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in _DTYPES:
            raise pickle.UnpicklingError(f"{kind!r} is not allowed in weights")
        return _Storage(str(key), _DTYPES[dtype])
