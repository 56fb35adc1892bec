"""Every notebook runs from top to bottom, on a tiny budget."""

import os
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
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


@pytest.fixture(scope="module")
def kernel():
    """Return a running kernel: TensorFlow is imported once, not seven times."""
    environment = {**os.environ, **BUDGET, "PYTHONPATH": str(FOLDER.parent)}
    manager, client = start_new_kernel(env=environment)
    client.stop_channels()
    yield manager
    manager.shutdown_kernel(now=True)


def from_nothing(folder):
    """Return a cell after which a kernel knows no name, and works in a folder."""
    lines = [
        "%reset -f",
        "import os, tempfile",
        f"os.chdir({str(folder)!r})",
        f"tempfile.tempdir = {str(folder)!r}",
        "del os, tempfile",
    ]
    return nbformat.v4.new_code_cell("\n".join(lines))


# pyzmq and Jupyter leave the closing of sockets and loops to the interpreter's end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, kernel, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, from_nothing(tmp_path))
    client = NotebookClient(notebook, km=kernel, timeout=240)
    try:
        client.execute()
    except Exception:
        kernel.restart_kernel(now=True)  # the next notebook finds one that answers
        raise
    finally:
        client.kc.stop_channels()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_defines_no_model(path):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    assert "cirs_tf" in code
    assert "keras.layers" not in code
    assert "keras.Model" not in code
