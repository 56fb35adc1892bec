"""Code blocks of Markdown files, and how to run them as a reader would."""

import importlib
import re
import shlex
from pathlib import Path
from typing import NamedTuple

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


def run_blocks(chosen: list[Block]) -> dict:
    """Run blocks in the working directory, in one process; Python shares its names.

    Commands are called as `python -m` would, without the start of another process.
    """
    names: dict = {"__name__": "__main__"}
    for block in chosen:
        if block.language == "python":
            exec(compile(block.code, "<block>", "exec"), names)
            continue
        for line in block.code.replace("\\\n", " ").splitlines():
            python, flag, module, *arguments = shlex.split(line, comments=True)
            assert (python, flag) == ("python", "-m"), line
            assert command(module)(arguments) in (0, None), line
    return names


def command(module: str):
    """Return the `main` that `python -m module` runs."""
    if (spec := importlib.util.find_spec(module)) and spec.submodule_search_locations:
        module += ".__main__"
    return importlib.import_module(module).main
