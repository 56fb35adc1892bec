"""CRC-32C (Castagnoli), the checksum of TFRecords, with NumPy alone.

A CRC is linear: that of a message is the exclusive or of what each of its bytes adds,
which depends on the byte and its distance from the end alone. So blocks of bytes are
looked up in one table, those of many messages at once, and then joined in pairs, pairs
of pairs and so on.
"""

import functools
from collections.abc import Sequence

import numpy as np

_POLYNOMIAL = 0x82F63B78  # bits reversed
_BLOCK = 256  # bytes; the table of a block stays in the cache of a CPU
_BLOCKS = 1024  # looked up at once: 2 MB of indices
_ONES = np.uint32(0xFFFFFFFF)


def crc32c(messages: Sequence[bytes]) -> np.ndarray:
    """Return the CRC-32C of each message.

    Args:
        messages: Any bytes.

    Returns:
        `[messages]` uint32.

    Example:
        >>> [hex(value) for value in crc32c([b"123456789", b""])]
        ['0xe3069283', '0x0']
    """
    if not len(messages):
        return np.zeros(0, np.uint32)
    lengths = np.array([len(message) for message in messages])
    counts = -(-(lengths + 4) // _BLOCK)  # blocks of each; zeros before add nothing
    ends = np.cumsum(counts)
    padded = np.zeros(ends[-1] * _BLOCK, np.uint8)
    for message, end, length in zip(messages, ends * _BLOCK, lengths, strict=True):
        padded[end - length : end] = np.frombuffer(message, np.uint8)
        # The register begins with ones: as if these four bytes had led to it.
        padded[end - length - 4 : end - length] = _leading_bytes()
    parts = _block_parts(padded.reshape(-1, _BLOCK))
    # One row a message, its last block in the last column.
    width = 1 << int(counts.max() - 1).bit_length()
    rows = np.zeros((len(messages), width), np.uint32)
    row_of = np.repeat(np.arange(len(messages)), counts)
    rows[row_of, width - ends[row_of] + np.arange(len(parts))] = parts
    level = 0
    while rows.shape[1] > 1:
        rows = _advanced(rows[:, ::2], _advance_table(level)) ^ rows[:, 1::2]
        level += 1
    return rows[:, 0] ^ _ONES


def masked_crc32c(messages: Sequence[bytes]) -> np.ndarray:
    """Return the CRC-32C of each message as TFRecords store it.

        masked = rotated right by 15 bits + 0xA282EAD8

    Args:
        messages: Any bytes.

    Returns:
        `[messages]` uint32.
    """
    return _masked(crc32c(messages))


def masked_crc32c_of_rows(rows: np.ndarray) -> np.ndarray:
    """Return the masked CRC-32C of many short messages of one length.

    Args:
        rows: `[messages, bytes]` uint8.

    Returns:
        `[messages]` uint32.
    """
    table = _byte_table()
    value = np.full(len(rows), _ONES)
    for column in rows.T:
        value = (value >> np.uint32(8)) ^ table[(value ^ column) & np.uint32(0xFF)]
    return _masked(value ^ _ONES)


def _masked(value: np.ndarray) -> np.ndarray:
    rotated = (value >> np.uint32(15)) | (value << np.uint32(17))
    return rotated + np.uint32(0xA282EAD8)


def _block_parts(blocks: np.ndarray) -> np.ndarray:
    """Return the register after each block `[blocks, _BLOCK]`, from 0: `[blocks]`."""
    table, places = _block_table().ravel(), 256 * np.arange(_BLOCK)
    parts = np.empty(len(blocks), np.uint32)
    for start in range(0, len(blocks), _BLOCKS):
        chosen = slice(start, start + _BLOCKS)
        found = np.take(table, blocks[chosen] + places)
        np.bitwise_xor.reduce(found, axis=1, out=parts[chosen])
    return parts


@functools.cache
def _byte_table() -> np.ndarray:
    """Return `[256]` uint32: what a byte adds that is the last one."""
    value = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        value = (value >> 1) ^ np.where(value & 1, np.uint32(_POLYNOMIAL), 0)
    return value.astype(np.uint32)


@functools.cache
def _block_table() -> np.ndarray:
    """Return `[_BLOCK, 256]` uint32: what a byte adds at each place of a block."""
    last = _byte_table()
    rows = [last]
    for _ in range(_BLOCK - 1):  # one byte farther from the end
        rows.append((rows[-1] >> np.uint32(8)) ^ last[rows[-1] & np.uint32(0xFF)])
    return np.stack(rows[::-1])


@functools.cache
def _leading_bytes() -> np.ndarray:
    """Return `[4]` uint8, the bytes after which a register of zeros holds ones."""
    last, value, found = _byte_table(), int(_ONES), []
    top = {int(entry) >> 24: number for number, entry in enumerate(last)}
    numbers = []
    for _ in range(4):  # backward: the table's entries differ in their top bytes
        number = top[value >> 24]
        numbers.append(number)
        value = ((value ^ int(last[number])) << 8) & 0xFFFFFFFF
    value = 0
    for number in reversed(numbers):
        found.append((value ^ number) & 0xFF)
        value = (value >> 8) ^ int(last[number])
    return np.array(found, np.uint8)


@functools.cache
def _advance_table(level: int) -> np.ndarray:
    """Return `[4, 256]` uint32: each byte of a register after 2^level blocks of 0."""
    if level:
        half = _advance_table(level - 1)
        return _advanced(half, half)
    last = _byte_table()
    value = np.arange(256, dtype=np.uint32) << np.uint32([[0], [8], [16], [24]])
    for _ in range(_BLOCK):
        value = (value >> np.uint32(8)) ^ last[value & np.uint32(0xFF)]
    return value


def _advanced(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return registers after the zeros that a table of `_advance_table` stands for."""
    low = np.uint32(0xFF)
    result = table[0][values & low]
    for byte in range(1, 4):
        result = result ^ table[byte][(values >> np.uint32(8 * byte)) & low]
    return result
