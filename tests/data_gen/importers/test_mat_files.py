"""Sizes that a MATLAB file promises, at any depth, packed or not."""

import io
import struct
import zlib

import numpy as np
import pytest
import scipy.io

from data_gen.importers.mat_files import check_mat_file


def mat_file(packed, **variables):
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=packed)
    return file.getvalue()


def annotators():
    cells = np.empty((1, 2), object)
    for number in range(2):
        cells[0, number] = {"Segmentation": np.ones((5, 7), np.uint16)}
    return cells


def promising(content, shape, others):
    """Change the dimensions of the first array of this shape."""
    found = content.index(struct.pack("<2i", *shape))
    return content[:found] + struct.pack("<2i", *others) + content[found + 8 :]


def repacked(content):
    packed = zlib.compress(content[128:])
    return content[:128] + struct.pack("<2I", 15, len(packed)) + packed


@pytest.mark.parametrize("packed", [False, True])
def test_what_matlab_writes_passes(packed):
    check_mat_file(mat_file(packed, groundTruth=annotators(), more=np.eye(90)))


@pytest.mark.parametrize("pack", [lambda content: content, repacked])
@pytest.mark.parametrize("shape", [(1, 2), (1, 1), (5, 7)])
def test_more_cells_than_bytes_are_refused(pack, shape):
    """Of the cells, of a struct in one of them, and of its numbers."""
    content = mat_file(False, groundTruth=annotators())
    check_mat_file(pack(content))
    damaged = pack(promising(content, shape, (1 << 14, 1 << 14)))
    with pytest.raises(ValueError, match="268,435,456 cells in "):
        check_mat_file(damaged)


def test_big_endian_files_are_read_alike():
    """By hand: a matrix of 2 x 70,000 numbers, of which there are none."""
    flags = struct.pack(">4I", 6, 8, 6, 0)
    sizes = struct.pack(">2I2i", 5, 8, 2, 70_000)
    matrix = flags + sizes + struct.pack(">2I", 1, 0)
    content = bytes(124) + b"\1\0MI" + struct.pack(">2I", 14, len(matrix)) + matrix
    with pytest.raises(ValueError, match="140,000 cells in 40 bytes"):
        check_mat_file(content)


@pytest.mark.parametrize("kind", [0, 8, 14, 15, 99])
def test_numbers_of_an_unknown_kind_are_refused(kind):
    """SciPy ends the process where it meets them."""
    content = mat_file(False, numbers=np.ones((3, 4), np.uint16))
    check_mat_file(content)
    found = content.rindex(struct.pack("<2I", 4, 24))
    damaged = content[:found] + struct.pack("<2I", kind, 24) + content[found + 8 :]
    with pytest.raises(ValueError, match="without its numbers or its text"):
        check_mat_file(damaged)


def test_numbers_that_are_missing_are_refused():
    content = mat_file(False, numbers=np.ones((3, 4), np.uint16))
    found = content.rindex(struct.pack("<2I", 4, 24))
    size = struct.pack("<I", found - 128 - 8)
    with pytest.raises(ValueError, match="without its numbers or its text"):
        check_mat_file(content[:132] + size + content[136:found])
    with pytest.raises(ValueError, match="cut off"):
        check_mat_file(content[:-8])


def test_complex_numbers_and_texts_pass():
    check_mat_file(mat_file(True, numbers=np.array([1 + 2j]), text="any", none=[]))


def test_another_file_is_none():
    with pytest.raises(ValueError, match="not a MATLAB 5 file"):
        check_mat_file(bytes(200))
