"""How long does one wait before anything is done? Start-up of package and commands.

    python benchmarks/start_up.py [--rounds 15] [--json FILE]

Processes take turns: Python alone, `import tensorflow`, `import cirs_tf`, and the help
of commands, each from its start to its end. *Of TensorFlow*: the time over that of
`import tensorflow` in the same round. *Loads it*: whether the process imports
TensorFlow, seen in a run of its own. If one does that should not, the script ends with
an error.
"""

import argparse
import functools
import os
import re
import subprocess
import sys
import time

from measuring import ROOT, machine, ratios, spread, take_turns, write_json

TENSORFLOW = "import tensorflow"
PROGRAMS = {
    "python": ["-c", "pass"],
    TENSORFLOW: ["-c", TENSORFLOW],
    "import cirs_tf": ["-c", "import cirs_tf"],
    "cirs_tf.train --help": ["-m", "cirs_tf.train", "--help"],
    "cirs_tf.evaluate --help": ["-m", "cirs_tf.evaluate", "--help"],
    "cirs_tf.segment --help": ["-m", "cirs_tf.segment", "--help"],
    "data_gen --help": ["-m", "data_gen", "--help"],
}


def main() -> None:
    """Start every program in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    loads = {name: loads_tensorflow(argv) for name, argv in PROGRAMS.items()}
    measures = {
        name: functools.partial(seconds_of, argv) for name, argv in PROGRAMS.items()
    }
    seconds = take_turns(measures, arguments.rounds)
    print(f"\n{'':26}{'seconds':>24}{'of TensorFlow':>26}{'loads it':>11}")
    for name, times in seconds.items():
        share = spread(ratios(times, seconds[TENSORFLOW]), 3)
        loaded = "yes" if loads[name] else "no"
        print(f"{name:26}{spread(times, 3):>24}{share:>26}{loaded:>11}")
    write_json(
        arguments.json,
        {"machine": machine(), "seconds": seconds, "loads_tensorflow": loads},
    )
    heavy = [name for name in PROGRAMS if loads[name] and name != TENSORFLOW]
    if heavy:
        sys.exit(f"imports TensorFlow, and should not: {', '.join(heavy)}")


def seconds_of(argv: list[str]) -> float:
    """Return how long a Python process takes.

    Args:
        argv: Arguments of Python.
    """
    began = time.perf_counter()
    _run(argv)
    return time.perf_counter() - began


def loads_tensorflow(argv: list[str]) -> bool:
    """Return whether a Python process imports TensorFlow.

    Args:
        argv: Arguments of Python.
    """
    # A line of the list ends with the name of a module.
    listed = _run(["-X", "importtime", *argv]).stderr
    return re.search(r"\|\s+tensorflow$", listed, re.MULTILINE) is not None


def _run(argv: list[str]) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *argv], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done


if __name__ == "__main__":
    main()
