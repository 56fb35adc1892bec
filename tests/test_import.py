"""What importing says when the backend is missing, and who may import whom."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cirs_tf

ROOT = Path(cirs_tf.__file__).parent.parent

# Rooms of cirs_tf by level; each may import only itself and the levels above it.
LEVELS = [
    {"atomic_write", "errors"},
    {"config_folder"},
    {"config", "visualization", "oned"},
    {"config_files"},
    {"layers", "losses", "metrics", "postprocessing", "proposals"},
    {"models", "data"},
    {"serving", "default_data"},
    {"training"},
    {"methods"},
    {"runs"},
    {"train", "evaluate", "baselines", "export", "segment", "generate"},
    {"reproduce", "sweep"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


# Finders that see everything but the named package, as if it were not installed.
HIDE = """
import sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
import cirs_tf
"""


def last_line(process: subprocess.CompletedProcess) -> str:
    assert process.returncode == 1
    return process.stderr.strip().splitlines()[-1]


def test_without_tensorflow_the_extra_to_install_is_named():
    message = last_line(run(HIDE.replace("{hidden!r}", "{'tensorflow'}")))
    assert message == (
        "ImportError: cirs_tf needs TensorFlow, which is not installed: "
        "pip install 'cirs-tf[cpu]' (or 'cirs-tf[gpu]')"
    )


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backend_that_is_not_installed(backend):
    hide = HIDE.replace("{hidden!r}", "{'jax', 'jaxlib', 'torch'}")
    message = last_line(run(hide, KERAS_BACKEND=backend))
    assert message.startswith("ImportError: cirs_tf runs on the TensorFlow backend")
    assert backend in message
    assert "set KERAS_BACKEND=tensorflow" in message


# Stands in for a Keras whose other backend is installed, which ours is not.
OTHER_KERAS = """
import sys, types
keras = sys.modules["keras"] = types.ModuleType("keras")
keras.backend = types.SimpleNamespace(backend=lambda: "jax")
import cirs_tf
"""


def test_backend_that_is_installed_but_not_ours():
    message = last_line(run(OTHER_KERAS))
    assert message == (
        "ImportError: cirs_tf runs on the TensorFlow backend of Keras, but 'jax' was "
        'chosen: set KERAS_BACKEND=tensorflow, or "backend": "tensorflow" in '
        "~/.keras/keras.json"
    )


def test_import_is_silent():
    process = run("import cirs_tf, keras; print(keras.backend.backend())")
    assert (process.returncode, process.stdout) == (0, "tensorflow\n")
    assert process.stderr == ""


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            # `from cirs_tf import config` names a room, too.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(name: str) -> str | None:
    """Return the room of a dotted name in cirs_tf, None for the outside."""
    parts = name.split(".")
    return parts[1] if parts[0] == "cirs_tf" and len(parts) > 1 else None


def room_of_file(path: Path) -> str:
    return path.relative_to(ROOT / "cirs_tf").parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    found = {room(name) for name in imports(path)} - {None}
    unknown = {name for name in found if not (ROOT / "cirs_tf" / name).is_dir()}
    return {n for n in found if n not in unknown or (ROOT / f"cirs_tf/{n}.py").exists()}


ROOMS = sorted({room_of_file(path) for path in modules("cirs_tf")} - {"__init__"})


@pytest.mark.parametrize("name", ROOMS)
def test_arrows_between_rooms_point_one_way(name):
    files = [path for path in modules("cirs_tf") if room_of_file(path) == name]
    for path in files:
        others = rooms_imported(path) - {name}
        if name == "oned":
            assert others <= {"errors"}, f"{path}: imports nothing of ours but errors"
            continue
        assert name in LEVEL, f"{path}: say in LEVELS where {name} belongs"
        wrong = {other for other in others if LEVEL[other] >= LEVEL[name]}
        assert not wrong, f"{path}: imports {sorted(wrong)}"


def test_segmenting_needs_no_training_code():
    path = ROOT / "cirs_tf" / "segment.py"
    allowed = {"serving", "visualization", "config", "errors", "data"}
    if path.exists():
        assert rooms_imported(path) <= allowed


def test_data_gen_knows_files_of_data_and_errors_alone():
    files = ("records", "manifest", "image_files")
    allowed = (
        "cirs_tf.errors",
        "cirs_tf.atomic_write",
        *(f"cirs_tf.data.{name}" for name in files),
    )
    for path in modules("data_gen"):
        for name in imports(path):
            if room(name) is not None:
                assert name.startswith(allowed), f"{path}: imports {name}"


def test_only_commands_draw_data():
    for path in modules("cirs_tf"):
        if any(name.startswith("data_gen") for name in imports(path)):
            assert path.parent.name in ("cirs_tf", "reproduce"), path


def test_the_reader_of_imports_sees_every_form(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(
        "import cirs_tf.training.loop as loop\n"
        "from cirs_tf import methods\n"
        "def f():\n    from cirs_tf.models.unet import unet\n"
    )
    found = {room(name) for name in imports(path)}
    assert found - {None} == {"training", "methods", "models"}
