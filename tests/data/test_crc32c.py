"""The checksum of TFRecords, against TensorFlow's own writer and known values."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.data.crc32c import crc32c, masked_crc32c, masked_crc32c_of_rows


def test_values_of_rfc_3720():
    """Appendix B.4 of the RFC, and the usual check value."""
    messages = [b"\0" * 32, b"\xff" * 32, bytes(range(32)), bytes(range(31, -1, -1))]
    expected = [0x8A9136AA, 0x62A8AB43, 0x46DD794E, 0x113FDB5C]
    assert crc32c([*messages, b"123456789"]).tolist() == [*expected, 0xE3069283]


def written(folder, messages):
    """Return what TensorFlow stores beside each length and each message."""
    path = folder / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for message in messages:
            writer.write(message)
    content, position, found = path.read_bytes(), 0, []
    for message in messages:
        header = content[position : position + 12]
        position += 12 + len(message)
        checksum = content[position : position + 4]
        position += 4
        found.append((header[:8], header[8:], checksum))
    return found


# Around the ends of blocks of 256 bytes, and of 1024 blocks.
SIZES = [0, 1, 3, 4, 251, 252, 253, 256, 257, 508, 509, 4400, 256 * 1024 - 4, 300_000]


def test_as_tensorflow_writes_them(tmp_path):
    rng = np.random.default_rng(0)
    messages = [rng.bytes(size) for size in SIZES]
    found = written(tmp_path, messages)
    stored = [int.from_bytes(checksum, "little") for *_, checksum in found]
    assert masked_crc32c(messages).tolist() == stored
    assert [int(masked_crc32c([one])[0]) for one in messages] == stored
    lengths = np.stack([np.frombuffer(length, np.uint8) for length, *_ in found])
    stored = [int.from_bytes(checksum, "little") for _, checksum, _ in found]
    assert masked_crc32c_of_rows(lengths).tolist() == stored


@settings(max_examples=30)
@given(
    messages=st.lists(st.binary(max_size=600), min_size=1, max_size=4),
    data=st.data(),
)
def test_a_flipped_bit_changes_the_checksum_of_its_message_alone(messages, data):
    before = crc32c(messages)
    chosen = data.draw(st.integers(0, len(messages) - 1))
    if not messages[chosen]:
        return
    bit = data.draw(st.integers(0, 8 * len(messages[chosen]) - 1))
    changed = bytearray(messages[chosen])
    changed[bit // 8] ^= 1 << bit % 8
    after = crc32c([*messages[:chosen], bytes(changed), *messages[chosen + 1 :]])
    assert ((before != after) == (np.arange(len(messages)) == chosen)).all()


def test_no_message():
    assert crc32c([]).shape == masked_crc32c([]).shape == (0,)
