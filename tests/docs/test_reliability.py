"""The tests that docs/RELIABILITY.md names are there."""

import re

import pytest
from markdown_blocks import ROOT

PAGE = (ROOT / "docs" / "RELIABILITY.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_row_names_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert len(NAMED) == len(rows) - 1 > 10  # but for the names of the columns


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_it_is_there(file, name):
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.M)
