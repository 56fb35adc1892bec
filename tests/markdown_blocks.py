"""Code blocks of Markdown files, and how to run them as a reader would."""

import importlib.util
import json
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from forked_python import ForkedPython

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"(?P<mark><!-- run -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S
)


class Block(NamedTuple):
    """A fenced block: its language, its text, and whether `<!-- run -->` precedes."""

    language: str
    code: str
    marked: bool


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a file in order."""
    return [
        Block(match["language"], match["code"], bool(match["mark"]))
        for match in _BLOCK.finditer(path.read_text())
    ]


def run_as_reader(chosen: list[Block], folder: Path) -> str:
    """Run blocks in a process of their own, with one device; return what they print."""
    process = ForkedPython("-m", "markdown_blocks", json.dumps(chosen), cwd=folder)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed[-4000:]
    return printed


def run_here(chosen: list[Block]) -> None:
    """Run blocks in the working directory; Python blocks share their names.

    Commands are called as `python -m` would, without the start of another process.
    """
    names: dict = {"__name__": "block"}
    for block in chosen:
        if block.language == "python":
            exec(compile(block.code, "<block>", "exec"), names)
            continue
        for line in block.code.replace("\\\n", " ").splitlines():
            python, flag, module, *arguments = shlex.split(line, comments=True)
            assert (python, flag) == ("python", "-m"), line
            assert command(module)(arguments) in (0, None), line


def command(module: str):
    """Return the `main` that `python -m module` runs."""
    if importlib.util.find_spec(module).submodule_search_locations:
        module += ".__main__"
    return importlib.import_module(module).main


if __name__ == "__main__":
    run_here([Block(*fields) for fields in json.loads(sys.argv[1])])
