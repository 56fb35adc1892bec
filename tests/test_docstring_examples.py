"""Every `>>>` example in a docstring of the package gives what it says."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import cirs_tf
from cirs_tf import api

ROOT = Path(cirs_tf.__file__).parent
FILES = [
    file
    for file in sorted(ROOT.rglob("*.py"))
    if ">>> " in file.read_text() and file.name != "api.py"
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_give_what_they_say(file):
    name = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
    module = importlib.import_module(name.removesuffix(".__init__"))
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_examples_of_the_api_give_what_they_say(
    finished, fruit, tiny, tmp_path, monkeypatch
):
    """With the names that their texts introduce."""
    monkeypatch.chdir(tmp_path)
    short = dict(override.split("=") for override in tiny)
    names = {
        "data": fruit,
        "images": np.zeros((3, 16, 16, 3), np.uint8),
        "run": finished,
        "short": {**short, "training.steps_per_epoch": 2},
    }
    result = doctest.testmod(api, extraglobs=names)
    assert result.attempted == 7
    assert result.failed == 0
