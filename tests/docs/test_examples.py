"""README's ten lines and the blocks of the docs that are marked to run, run."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from markdown_blocks import ROOT, blocks, run_as_reader
from PIL import Image
from real_data import real_folder

DOCS = ROOT / "docs"
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if any(block.marked for block in blocks(page))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return one working directory for all pages.

    The tutorial trains what README's lines train: it finds the run finished there. In
    `nuclei` are photographs, of discs where there are no real ones.
    """
    made = tmp_path_factory.mktemp("reader")
    (made / "nuclei").mkdir()
    for name, content in nuclei(20):
        (made / "nuclei" / f"{name}.jpg").write_bytes(content)
    return made


def nuclei(count):
    """Yield names and JPEGs of microscope images."""
    archive = real_folder() / "nuclei.zip"
    if archive.is_file():
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.endswith(".jpg")]
            for name in names[:count]:
                yield Path(name).stem, opened.read(name)
        return
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:256, :256]
    for number in range(count):
        image = np.full((256, 256), 20)
        for row, column in rng.integers(20, 236, (9, 2)):
            image[(rows - row) ** 2 + (columns - column) ** 2 < 150] = 160
        file = io.BytesIO()
        Image.fromarray(np.uint8(image)).save(file, "JPEG")
        yield f"{number:02}", file.getvalue()


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


def test_the_tutorials_are_among_the_pages_that_run():
    assert {"tutorial", "your_photographs"} <= {page.stem for page in PAGES}


def test_the_tutorial_of_photographs_ends_in_masks_a_sheet_and_a_served_model(folder):
    mask = np.asarray(Image.open(folder / "mask.png"))
    first = sorted((folder / "nuclei").glob("*.jpg"))[0]
    written = np.asarray(Image.open(folder / "masks" / f"{first.stem}.png"))
    # TensorFlow decodes JPEGs a little differently from Pillow.
    assert mask.shape == written.shape and (mask != written).mean() < 0.01
    assert 0.01 < (mask == 1).mean() < 0.5
    for file in (folder / "nuclei").iterdir():
        for ending in (".png", "_overlay.png"):
            assert (folder / "masks" / f"{file.stem}{ending}").is_file()
    assert (folder / "sheet.png").is_file()
