"""README's ten lines, blocks of the docs marked to run, and docstring examples run."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
from markdown_blocks import blocks, run_blocks

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Every module, class and function that docs/api shows.
SHOWN = sorted(
    line.removeprefix("::: ").strip()
    for page in (DOCS / "api").glob("*.md")
    for line in page.read_text().splitlines()
    if line.startswith("::: ")
)
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if any(block.marked for block in blocks(page))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return one working directory for all pages.

    The tutorial trains what README's lines train: it finds the run finished there.
    """
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    """Work there."""
    monkeypatch.chdir(folder)


def test_readmes_ten_lines_run(folder):
    text = (ROOT / "README.md").read_text().split("\n## From Python\n")[1]
    text = text.split("\n## ")[0]
    chosen = [block for block in blocks(ROOT / "README.md") if block.code in text]
    assert [block.language for block in chosen] == ["bash", "python"]
    lines = [line for line in chosen[1].code.splitlines() if line.strip()]
    assert len(lines) <= 10

    names = run_blocks(chosen)

    labels = names["labels"]
    assert labels.ndim == 2 and labels.dtype == np.uint8
    assert names["probabilities"].shape == (*labels.shape, 4)
    # Far above one segment everywhere, 0.2: the lines teach something.
    assert names["cirs_tf"].evaluate(names["run"]).chosen.scores.miou > 0.6
    image = np.full((1, 32, 32, 3), 0.5, np.float32)
    saved, trained = names["model"], names["segmenter"].keras_model
    np.testing.assert_array_equal(saved(image), trained(image))
    assert (folder / "exported" / "fruit" / "1" / "saved_model.pb").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_marked_blocks_run(page):
    run_blocks([block for block in blocks(page) if block.marked])


def test_the_tutorial_is_among_the_pages_that_run():
    assert "tutorial" in [page.stem for page in PAGES]


def module_of(name: str) -> str:
    """Return the module of a dotted name: the part before the function or class."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("module", sorted({module_of(name) for name in SHOWN}))
def test_docstring_examples_run(module):
    outcome = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.ELLIPSIS
    )
    assert outcome.failed == 0
