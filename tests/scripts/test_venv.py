"""`scripts/venv` with stand-ins for Python, which print a version and note calls."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STAND_IN = """#!/bin/sh
echo "$0 $*" >> {calls}
case "$*" in
    *python_version*) echo {version} ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


class Checkout:
    """A folder with a copy of `scripts/venv`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.calls = folder / "calls.txt"
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "venv", folder / "scripts")

    def write_python(self, place: str, version: str) -> Path:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN.format(calls=self.calls, version=version))
        path.chmod(0o755)
        return path

    def run(self, python: Path | str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.folder / "scripts" / "venv", "cpu,dev"],
            env={"PATH": "/usr/bin:/bin", "PYTHON": str(python)},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.mark.parametrize("version", ["3.11.0", "3.12.13", "3.13.0rc1"])
def test_a_python_that_will_do_makes_the_environment(checkout, version):
    ran = checkout.run(checkout.write_python("bin/python", version))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    *_, made, installed = checkout.calls.read_text().splitlines()
    assert made.endswith("-m venv .venv")
    assert installed.startswith(".venv/bin/python -m pip install")
    assert installed.endswith("--editable .[cpu,dev]")


@pytest.mark.parametrize("version", ["2.7.18", "3.1.1", "3.10.13", "3.14.0", "4.11.1"])
def test_another_python_is_refused_in_one_line(checkout, version):
    python = checkout.write_python("bin/python", version)
    ran = checkout.run(python)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        f"scripts/venv: Python 3.11 to 3.13 is needed, {python} is {version}: "
        "set PYTHON, as in PYTHON=python3.12 scripts/venv cpu,dev\n"
    )
    assert not (checkout.folder / ".venv").exists()


def test_no_python_is_one_line(checkout):
    ran = checkout.run("python-that-is-nowhere")
    assert ran.returncode == 1
    assert "python-that-is-nowhere is no Python that runs" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_an_environment_of_another_python_is_refused_and_kept(checkout):
    inside = checkout.write_python(".venv/bin/python", "3.10.13")
    ran = checkout.run(checkout.write_python("bin/python", "3.12.1"))
    assert ran.returncode == 1
    assert ran.stderr == (
        "scripts/venv: Python 3.11 to 3.13 is needed, .venv/bin/python is 3.10.13: "
        "remove .venv and run this again\n"
    )
    assert inside.exists()


def test_an_environment_whose_python_was_removed_is_one_line(checkout):
    (checkout.folder / ".venv" / "bin").mkdir(parents=True)
    (checkout.folder / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    ran = checkout.run(checkout.write_python("bin/python", "3.12.1"))
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "remove .venv" in ran.stderr


def test_an_environment_that_will_do_is_used_whatever_python_is_named(checkout):
    checkout.write_python(".venv/bin/python", "3.13.1")
    ran = checkout.run(checkout.write_python("bin/python", "3.10.13"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "-m venv" not in checkout.calls.read_text()
