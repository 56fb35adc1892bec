"""Every `>>>` example in a docstring of the package gives what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

import cirs_tf

ROOT = Path(cirs_tf.__file__).parent
FILES = [file for file in sorted(ROOT.rglob("*.py")) if ">>> " in file.read_text()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_give_what_they_say(file):
    name = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
    module = importlib.import_module(name.removesuffix(".__init__"))
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
