"""Every notebook runs from top to bottom, on a tiny budget."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
BUDGET = {
    "CIRS_NOTEBOOK_IMAGES": "64",
    "CIRS_NOTEBOOK_STEPS": "4",
    "CIRS_NOTEBOOK_EPOCHS": "1",
}


def test_the_notebooks_are_there():
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert numbers == ["01", "02", "03", "04", "05", "06", "07"]


# pyzmq and Jupyter leave the closing of sockets and loops to the interpreter's end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    root = str(FOLDER.parent)
    environment = {**os.environ, **BUDGET, "PYTHONPATH": root, "TMPDIR": str(tmp_path)}
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {}}
    )
    client.execute(env=environment, cwd=str(tmp_path))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_defines_no_model(path):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    assert "cirs_tf" in code
    assert "keras.layers" not in code
    assert "keras.Model" not in code
