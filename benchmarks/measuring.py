"""What the benchmarks have in common: the machine, turns, spreads, processes, JSON.

No benchmark of its own. Nothing here imports TensorFlow, so that a script that starts
others stays small.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import TypeVar

import cirs_tf  # noqa: F401  (before TensorFlow, whose operations it chooses)

ROOT = Path(__file__).parents[1]
Found = TypeVar("Found")
_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras")


def machine(*packages: str) -> str:
    """Return platform, number of CPUs and versions in one line.

    Args:
        *packages: Named beside TensorFlow and Keras, where they are installed.
    """
    found = {d.name.replace("_", "-"): d.version for d in distributions()}
    names = [name for name in (*_PACKAGES, *packages) if name in found]
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {found[name]}" for name in names]
    return ", ".join([platform.platform(), f"{cpus()} CPUs", *versions])


def cpus() -> int:
    """Return the number of processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def take_turns(
    measures: Mapping[str, Callable[[], Found]], rounds: int
) -> dict[str, list[Found]]:
    """Return what each function returned in every round, by name.

    Every other round runs in reverse order, so that no function always follows the
    same one. A first round is not counted: in it caches fill and graphs are traced.

    Args:
        measures: Functions by name.
        rounds: That are counted.
    """
    found: dict[str, list[Found]] = {name: [] for name in measures}
    names = list(measures)
    for number in range(rounds + 1):
        for name in names if number % 2 else names[::-1]:
            value = measures[name]()
            if number:
                found[name].append(value)
    return found


def ratios(some: Iterable[float], others: Iterable[float]) -> list[float]:
    """Return the quotients of two measures, round by round.

    Args:
        some: Of every round.
        others: Of the same rounds.
    """
    return [one / other for one, other in zip(some, others, strict=True)]


def spread(values: Iterable[float], digits: int = 1) -> str:
    """Return the median and, in brackets, the least and the largest.

    Args:
        values: One a round.
        digits: Behind the point.
    """
    values = list(values)
    shown = (statistics.median(values), min(values), max(values))
    middle, least, most = (f"{value:,.{digits}f}" for value in shown)
    return f"{middle} ({least} to {most})"


def start_process(
    script: Path | str,
    arguments: list[str],
    package: str | Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen:
    """Start a script that answers, one line of JSON for each line that it is sent.

    Args:
        script: A file.
        arguments: Of its command line.
        package: Folder of the `cirs_tf` that it imports.
        environment: Variables besides those of this process.
    """
    path = {"PYTHONPATH": str(Path(package).resolve())}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env={**os.environ, **path, **(environment or {})},
        stderr=subprocess.DEVNULL,
        **pipes,
    )


def answer(process: subprocess.Popen, request: str = "") -> dict:
    """Ask a process for something; return what it says, `stopped` if it died.

    Args:
        process: From `start_process`.
        request: A line; empty: none, it speaks first.
    """
    try:
        if request:
            process.stdin.write(request + "\n")
            process.stdin.flush()
        return json.loads(process.stdout.readline())
    except (BrokenPipeError, json.JSONDecodeError):
        return {"stopped": "failed"}


def write_json(file: str | None, content: Mapping[str, object]) -> None:
    """Write what was measured, if a file was named.

    Args:
        file: The argument `--json`, or None.
        content: Numbers, and what they were measured on.
    """
    if file:
        Path(file).write_text(json.dumps(content, indent=1) + "\n")
