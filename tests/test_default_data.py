import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cirs_tf
from cirs_tf import default_data
from cirs_tf.errors import DataError

ROOT = Path(cirs_tf.__file__).parent.parent

IMPORTS = """
from cirs_tf.default_data import import_data_gen
from cirs_tf.errors import DataError
try:
    print(import_data_gen("draw_dataset").__file__)
except DataError as error:
    print("DataError", error)
"""
STRANGER = "print('a stranger ran')\ndraw = None\n"


def run_in(folder):
    """Run Python in a folder, which then comes before all installed packages."""
    return subprocess.run(
        [sys.executable, "-c", IMPORTS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_ours_is_imported_beside_a_folder_of_data(tmp_path):
    """A folder without `__init__.py` hides no package."""
    (tmp_path / "data_gen").mkdir()
    (tmp_path / "data_gen" / "draw_dataset.py").write_text(STRANGER)
    ran = run_in(tmp_path)
    assert ran.stdout == f"{ROOT / 'data_gen' / 'draw_dataset.py'}\n"


@pytest.mark.parametrize(
    "files",
    [
        ("data_gen/__init__.py",),
        ("data_gen/__init__.py", "data_gen/draw_dataset.py"),
        ("data_gen.py",),
    ],
)
def test_a_strangers_data_gen_is_one_clear_line(tmp_path, files):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(STRANGER)
    ran = run_in(tmp_path)
    place = tmp_path / (files[0] if len(Path(files[0]).parts) == 1 else "data_gen")
    assert ran.stdout == (
        f"DataError data_gen: Python would import {place}, expected "
        f"{ROOT / 'data_gen'}, which comes with cirs_tf: rename the first, or run "
        "from another folder\n"
    )
    assert ran.stderr == ""


def test_no_data_gen_at_all_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(default_data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="install cirs-tf again"):
        default_data.import_data_gen("draw_dataset")


def test_the_default_set_is_drawn_once_into_the_cache(monkeypatch, tmp_path, capsys):
    options = default_data.import_data_gen("options")
    small = options.default_options(train=4, val=2, test=2, size=16, shards=1)
    monkeypatch.setattr(options, "default_options", lambda: small)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = default_data.default_data()
    assert folder == tmp_path / "cirs_tf" / "fruit"
    manifest = folder / "manifest.json"
    assert json.loads(manifest.read_text())["splits"]
    assert "drawing the fruit set once" in capsys.readouterr().out
    drawn = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert default_data.default_data() == folder
    assert "drawing" not in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == drawn
