"""Examples in docstrings and blocks of the docs marked to run, run."""

import doctest
import importlib
from pathlib import Path

import pytest
from markdown_blocks import blocks, run_blocks

DOCS = Path(__file__).parents[2] / "docs"
# The public API and every module that docs/api shows.
SHOWN = sorted(
    line.removeprefix("::: ").strip()
    for page in (DOCS / "api").glob("*.md")
    for line in page.read_text().splitlines()
    if line.startswith("::: ")
)
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if any(block.marked for block in blocks(page))
)


def module_of(name: str) -> str:
    """Return the module of a dotted name: the part before the function or class."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("module", sorted({module_of(name) for name in SHOWN}))
def test_docstring_examples_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.ELLIPSIS
    )
    assert outcome.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_marked_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_blocks([block for block in blocks(page) if block.marked])


def test_the_tutorial_is_among_the_pages_that_run():
    assert "tutorial" in [page.stem for page in PAGES]
