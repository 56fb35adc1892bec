"""What importing says when the backend is missing, and who may import whom."""

import ast
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import cirs_tf

ROOT = Path(cirs_tf.__file__).parent.parent

# Rooms of cirs_tf by level; each may import only itself and the levels above it.
LEVELS = [
    {"errors", "atomic_write", "backend", "cache", "callable_module", "file_hash"}
    | {"file_lock"},
    {"config", "visualization", "oned", "beam_options"},
    {"layers", "losses", "metrics", "postprocessing", "proposals", "words"}
    | {"hierarchy"},
    {"models", "data"},
    {"serving"},
    {"training"},
    {"methods"},
    {"runs", "advice"},
    {"default_data", "pages"},
    {"api"},
    {
        "train",
        "sweep",
        "evaluate",
        "report",
        "baselines",
        "export",
        "segment",
        "generate",
    }
    | {"regions", "advise", "demo"},
    {"reproduce"},
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


@pytest.mark.parametrize("chosen", [None, "false"])
def test_memory_of_a_gpu_is_left_to_others_unless_chosen(chosen):
    name = "TF_FORCE_GPU_ALLOW_GROWTH"
    shown = after_import(f"os.environ[{name!r}]", {name: chosen})
    assert shown == (chosen or "true")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="set on x86 only")
@pytest.mark.parametrize("chosen", [None, "0"])
def test_onednn_is_on_unless_chosen(chosen):
    """By itself TensorFlow has it on processors with AVX-512 only."""
    module = "importlib.import_module('tensorflow.python.util._pywrap_util_port')"
    shown = after_import(f"{module}.IsMklEnabled()", {"TF_ENABLE_ONEDNN_OPTS": chosen})
    assert shown == str(chosen is None)


def after_import(expression: str, choice: dict[str, str | None]) -> str:
    """Return what an expression is where variables are set, or not, at the start."""
    program = "import importlib, os\n"
    for name, value in choice.items():
        program += f"os.environ.pop({name!r}, None)\n"
        program += f"os.environ[{name!r}] = {value!r}\n" if value else ""
    program += f"import cirs_tf\nprint({expression})"
    return run(program).stdout.strip()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backend_that_the_environment_names(backend):
    message = last_line(run("import cirs_tf", KERAS_BACKEND=backend))
    assert message.startswith("ImportError: cirs_tf runs on the TensorFlow backend")
    assert f"but {backend!r} was chosen" in message
    assert "set KERAS_BACKEND=tensorflow" in message


def test_backend_that_is_imported_already_but_not_ours():
    other = """
import sys, types
keras = sys.modules["keras"] = types.ModuleType("keras")
keras.backend = types.SimpleNamespace(backend=lambda: "jax")
import cirs_tf
"""
    message = last_line(run(other))
    assert message == (
        "ImportError: cirs_tf runs on the TensorFlow backend of Keras, but 'jax' was "
        'chosen: set KERAS_BACKEND=tensorflow, or "backend": "tensorflow" in '
        "~/.keras/keras.json"
    )


def test_backend_in_the_settings_of_keras(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    message = last_line(run("import cirs_tf", KERAS_HOME=str(tmp_path)))
    assert "but 'jax' was chosen" in message


def test_import_is_light_and_silent():
    process = run(
        "import sys, cirs_tf\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    assert (process.returncode, process.stdout) == (0, "[]\n")
    assert process.stderr == ""


def test_keras_is_imported_silently_and_knows_our_layers():
    process = run(
        "import cirs_tf, keras\n"
        "print('cirs_tf>ArgmaxInPlace' in keras.saving.get_custom_objects())"
    )
    assert (process.returncode, process.stdout) == (0, "True\n")
    assert process.stderr == ""


def test_layers_are_registered_where_keras_came_first():
    process = run(
        "import keras, cirs_tf\n"
        "print('cirs_tf>ArgmaxInPlace' in keras.saving.get_custom_objects())"
    )
    assert (process.returncode, process.stdout) == (0, "True\n")


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
    allowed |= {"postprocessing", "beam_options"}
    if path.exists():
        assert rooms_imported(path) <= allowed


def test_data_gen_knows_files_of_data_and_errors_alone():
    files = ("records", "manifest", "image_files", "video_files")
    allowed = (
        "cirs_tf.errors",
        "cirs_tf.file_lock",
        "cirs_tf.atomic_write",
        "cirs_tf.beam_options",
        *(f"cirs_tf.data.{name}" for name in files),
    )
    for path in modules("data_gen"):
        for name in imports(path):
            if room(name) is not None:
                assert name.startswith(allowed), f"{path}: imports {name}"


def test_only_default_sets_are_drawn():
    allowed = {"default_data.py", "data_sets.py", "__main__.py"}
    for path in modules("cirs_tf"):
        if any(name.startswith("data_gen") for name in imports(path)):
            assert path.name in allowed, path


def test_losses_and_models_do_not_know_each_other():
    for room_name, other in (("losses", "models"), ("models", "losses")):
        for path in modules(f"cirs_tf/{room_name}"):
            assert other not in rooms_imported(path), path


def test_no_module_but_the_entry_point_calls_a_command():
    """`anything.main(...)`, and `main` imported from a command."""
    for package in ("cirs_tf", "data_gen"):
        for path in modules(package):
            if path == ROOT / "cirs_tf" / "__main__.py":
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    called = ast.unparse(node.func)
                    assert not called.endswith(".main"), f"{path}: {called}"
                elif isinstance(node, ast.ImportFrom):
                    names = {alias.name for alias in node.names}
                    assert "main" not in names, path


def test_no_file_is_longer_than_300_lines():
    folders = ("cirs_tf", "data_gen", "benchmarks", "scripts")
    for path in [path for folder in folders for path in modules(folder)]:
        assert len(path.read_text().splitlines()) <= 300, path


def test_names_say_something():
    vague = {"utils", "util", "common", "helpers", "helper", "misc"}
    for package in ("cirs_tf", "data_gen"):
        for path in modules(package):
            assert path.stem not in vague, path


def test_the_reader_of_imports_sees_every_form(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(
        "import cirs_tf.training.loop as loop\n"
        "from cirs_tf import methods\n"
        "def f():\n    from cirs_tf.models.unet import unet\n"
    )
    found = {room(name) for name in imports(path)}
    assert found - {None} == {"training", "methods", "models"}
