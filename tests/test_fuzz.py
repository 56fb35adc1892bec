"""Damaged files of every kind end in one line, not in a traceback."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

from cirs_tf.errors import CirsError

_PIECES = st.sampled_from(
    [b"", b"\0", b"\xff" * 4, b"\0" * 4, b"-1", b"null", b"[]", b"{}", b"1e999", b"'"]
)


_JSON = ("manifest", "checkpoints", "checkpoint state", "metrics")


@st.composite
def damaged(draw, files):
    """Return one of the files, with parts cut out, replaced or repeated."""
    content = draw(st.sampled_from(files))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 16)))
        piece = draw(st.one_of(_PIECES, st.binary(max_size=8)))
        kind = draw(st.sampled_from(["replaced", "cut off", "repeated"]))
        if kind == "cut off":
            content = content[:start]
        else:
            middle = piece if kind == "replaced" else content[start:end] * 2
            content = content[:start] + middle + content[end:]
    return content


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=1)
    ),
    max_leaves=3,
)


@st.composite
def changed_json(draw, files):
    """Return a JSON file in which another value, or none, stands at one place."""
    lines = draw(st.sampled_from(files)).decode().splitlines()
    index = draw(st.integers(0, len(lines) - 1))
    document = node = json.loads(lines[index])
    while True:
        key = draw(st.sampled_from(list(_keys(node))))
        if draw(st.booleans()) or not list(_keys(node[key])):
            break
        node = node[key]
    if draw(st.booleans()):
        node[key] = draw(_VALUES)
    else:
        del node[key]
    lines[index] = json.dumps(document)
    return "\n".join(lines).encode()


def _keys(node):
    if isinstance(node, dict):
        return node.keys()
    return range(len(node)) if isinstance(node, list) else ()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_valid_files_are_read(name, tmp_path):
    target, files = TARGETS[name]
    for content in files:
        target(content, tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_one_line(name):
    target, files = TARGETS[name]

    @settings(
        max_examples=int(os.environ.get("CIRS_FUZZ_EXAMPLES", "60")),
        derandomize=True,
        database=None,
    )
    @given(damaged(files) | changed_json(files) if name in _JSON else damaged(files))
    def check(content):
        with tempfile.TemporaryDirectory() as folder:
            with contextlib.suppress(CirsError):  # one line, always
                target(content, Path(folder))

    check()


def test_a_zip_whose_names_are_no_text_is_one_line(tmp_path):
    target, (_, content) = TARGETS["zip"]
    with pytest.raises(CirsError, match=r"expected a folder or a \.zip"):
        target(content.replace("\u00e4".encode(), b"\xf7\xff"), tmp_path)
