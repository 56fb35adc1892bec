"""Does a run that is killed again and again end bit-identical to one that was not?

    python benchmarks/kill_and_resume.py --data DIR --out DIR [--kills 20] [--seed 0]

Trains `cirs_aligned`, pretraining included, once undisturbed; then the same command in
another folder, killed with SIGKILL (`kill -9`) at random moments and given again after
each. A quarter of the kills falls at a random second after the start (imports,
building, taking parts from the images), the others at random steps over the whole run.
In the end all tensors of the last checkpoint (weights and optimizer slots), what was
taken from the images, and `metrics.jsonl` but for the speed are compared. Exit status 1
where anything differs.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SETTINGS = (
    "training.checkpoint_minutes=0.03",
    "training.strategy=single",
    "pretraining.steps=60",
    "cirs_aligned.pose_pretraining_steps=100",
    "cirs_aligned.template_freeze_steps=40",
)


def command(data: Path, run: Path, seed: int) -> list[str]:
    """Return the command line of the run.

    Args:
        data: The data set.
        run: The run folder.
        seed: Seed of the run.
    """
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    return [
        *(sys.executable, "-m", "cirs_tf.train", "--model", "cirs_aligned"),
        *("--data", str(data), "--run", str(run), "--seed", str(seed)),
        *("--epochs", "3", "--steps-per-epoch", "60", *settings),
    ]


def last_step(run: Path) -> int:
    """Return the step of a run's newest checkpoint, 0 before the first."""
    try:
        index = json.loads((run / "checkpoints" / "checkpoints.json").read_text())
        return index["last"][-1]
    except (OSError, ValueError, KeyError, IndexError):
        return 0


def start(argv: list[str]) -> subprocess.Popen:
    """Start the command without its output."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(argv, **quiet)


def kill(argv: list[str], run: Path, target: int | None, delay: float) -> str | None:
    """Start the command and kill it; return what was killed, None: it had finished.

    Args:
        argv: The command.
        run: Its run folder.
        target: Kill after the checkpoint of this step; None: after the start.
        delay: Seconds to wait from then on.
    """
    began = time.monotonic()
    process = start(argv)
    while target is not None and last_step(run) < target and process.poll() is None:
        time.sleep(0.01)
    until = time.monotonic() + delay
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.005)
    if process.poll() is not None:
        return None
    process.send_signal(signal.SIGKILL)
    process.wait()
    seconds = time.monotonic() - began
    return f"after {seconds:5.1f} s, newest checkpoint of step {last_step(run)}"


def differences(run: Path, reference: Path) -> list[str]:
    """Return what differs between two finished runs."""
    import tensorflow as tf

    import cirs_tf  # noqa: F401  (so that TensorFlow imports quietly)

    found = []
    tensors = []
    for folder in (run, reference):
        step = folder / "checkpoints" / f"step-{last_step(folder):08d}" / "variables"
        reader = tf.train.load_checkpoint(str(step))
        names = set(reader.get_variable_to_shape_map())
        # It holds the layers' names, which count on within a process.
        names.discard("_CHECKPOINTABLE_OBJECT_GRAPH")
        tensors.append({name: reader.get_tensor(name) for name in names})
    ours, theirs = tensors
    if ours.keys() != theirs.keys():
        found.append("names of tensors")
    found += [n for n in ours if not np.array_equal(ours[n], theirs.get(n))]
    print(f"compared  {len(ours)} tensors, step {last_step(run)}")
    arrays = [dict(np.load(f / "initialization.npz")) for f in (run, reference)]
    found += [n for n in arrays[0] if not np.array_equal(arrays[0][n], arrays[1][n])]
    print(f"compared  {len(arrays[0])} arrays taken from the images")
    rows = []
    for folder in (run, reference):
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        rows.append([json.loads(line) for line in lines])
        for row in rows[-1]:
            del row["images_per_second"]
    if rows[0] != rows[1]:
        found.append("metrics.jsonl")
    print(f"compared  {len(rows[0])} lines of metrics.jsonl")
    return found


def main() -> int:
    """Train, kill, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    reference, run = arguments.out / "undisturbed", arguments.out / "killed"
    began = time.monotonic()
    argv = command(arguments.data, reference, arguments.seed)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    total = last_step(reference)
    print(f"undisturbed run: {total} steps, {time.monotonic() - began:.1f} s")
    rng = random.Random(arguments.seed)
    early = arguments.kills // 4
    steps = sorted(rng.randrange(total) for _ in range(arguments.kills - early))
    plan = [(None, rng.uniform(0, 12)) for _ in range(early)]
    plan += [(step, rng.uniform(0, 1)) for step in steps]
    argv = command(arguments.data, run, arguments.seed)
    for position, (target, delay) in enumerate(plan, start=1):
        killed = kill(argv, run, target, delay)
        print(f"kill {position:2}: {killed or 'it had finished'}", flush=True)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    found = differences(run, reference)
    print(f"different: {', '.join(found)}" if found else "bit-identical")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
