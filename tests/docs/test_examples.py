"""README's ten lines and the blocks of the docs that are marked to run, run."""

import pytest
from markdown_blocks import ROOT, blocks, run_as_reader

DOCS = ROOT / "docs"
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if any(block.marked for block in blocks(page))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return one working directory for all pages.

    The tutorial trains what README's lines train: it finds the run finished there.
    """
    return tmp_path_factory.mktemp("reader")


def test_readmes_ten_lines_run(folder):
    text = (ROOT / "README.md").read_text().split("\n## From Python\n")[1]
    text = text.split("\n## ")[0]
    chosen = [block for block in blocks(ROOT / "README.md") if block.code in text]
    assert [block.language for block in chosen] == ["bash", "python"]
    lines = [line for line in chosen[1].code.splitlines() if line.strip()]
    assert len(lines) <= 10

    printed = run_as_reader(chosen, folder).splitlines()

    # Far above one segment everywhere, 0.2: the lines teach something.
    assert float(printed[-1]) > 0.6
    assert (folder / "fruit.keras").is_file()
    assert (folder / "exported" / "fruit" / "1" / "saved_model.pb").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_marked_blocks_run(page, folder):
    run_as_reader([block for block in blocks(page) if block.marked], folder)


def test_the_tutorial_is_among_the_pages_that_run():
    assert "tutorial" in [page.stem for page in PAGES]
