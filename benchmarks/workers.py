"""What do several workers cost? Weights, steps and all-reduces on loopback.

    python benchmarks/workers.py --data DIR --out DIR [--workers 1 2 4] [--model cirs]
        [--steps 20] [--set KEY=VALUE ...]

Trains the same run on one device and on N processes of one thread each, which reach one
another on loopback. *difference*: the norm of the difference of the segmenter's weights
from those of one device, over the norm of their change since the first mini-batch.
Noise and dropout are other draws on every worker: leave them out (`--set
cirs.gumbel_scale=0 segmenter.dropout=0`) to see rounding alone. *a step*: of the second
epoch, in which nothing is traced. *all-reduces* of a mini-batch are counted in the
graph of two replicas.

The model: t(n) = c s / n + r a, with c the step of one process, s the processes that
share a core (at least 1), r the all-reduces and a what one costs, taken from two
workers. It tells what a cluster would do, where s is 1: beyond n = c / (r a) more
workers gain less than the exchange costs.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
from measuring import ROOT, cpus, machine, write_json

ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def main() -> None:
    """Train with every number of workers and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--model", default="cirs")
    parser.add_argument("--steps", type=int, default=20, help="of each of two epochs")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    arguments = parser.parse_args()
    print(machine(), *arguments.set, end="\n\n")
    reduces = all_reduces(arguments)
    print(f"{arguments.model}: {reduces} all-reduces in a mini-batch", flush=True)
    print(f"\n{'workers':>7}{'a step':>12}{'model':>12}{'difference':>13}", flush=True)
    start, expected = weights(train(1, 0, arguments)), None
    rows, differences = {}, {}
    for count in dict.fromkeys([1, *arguments.workers]):
        run = train(count, arguments.steps, arguments)
        rows[count] = 1e3 * seconds_a_step(run)
        found = weights(run)
        expected = found if expected is None else expected
        difference = norm(found, expected) / norm(expected, start)
        differences[count] = float(difference)
        print(
            f"{count:>7}{rows[count]:>9.0f} ms{modeled(count, rows):>12}"
            f"{difference:>13.1e}",
            flush=True,
        )
    if 2 in rows and (exchange := rows[2] - rows[1] * sharing(2) / 2) > 0:
        print(
            f"\nan all-reduce costs {exchange / reduces:.2f} ms; with a core each, "
            f"{rows[1] / exchange:.1f} workers spend half of a step on exchange"
        )
    measured = {"ms_a_step": rows, "difference": differences, "all_reduces": reduces}
    write_json(arguments.json, {"machine": machine(), **measured})


def sharing(count: int) -> float:
    """Return how many processes share a core."""
    return max(1.0, count / cpus())


def modeled(count: int, rows: dict[int, float]) -> str:
    """Return what the model says, where it was not fitted."""
    if count < 3 or 2 not in rows:
        return "-"
    exchange = rows[2] - rows[1] * sharing(2) / 2
    return f"{rows[1] * sharing(count) / count + exchange:.0f} ms"


def train(count: int, steps: int, arguments: argparse.Namespace) -> Path:
    """Train with so many workers; return the run. No steps: one mini-batch."""
    run = arguments.out / f"{count}-workers-{steps}-steps"
    command = [sys.executable, "-m", "cirs_tf.train", "--model", arguments.model]
    command += ["--data", arguments.data, "--run", str(run)]
    command += ["--epochs", "2" if steps else "1"]
    command += ["--steps-per-epoch", str(steps or 1)]
    for setting in arguments.set:
        command += ["--set", setting]
    command += ["--strategy", "multi_worker" if count > 1 else "single"]
    ports = free_ports(count)
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    processes = []
    for index in range(count):
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}
        if count > 1:
            task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            environment["TF_CONFIG"] = json.dumps(task)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        processes.append(subprocess.Popen(command, env=environment, **pipes))
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("\n".join(outputs))
    return run


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def seconds_a_step(run: Path) -> float:
    """Return the duration of a mini-batch of the last epoch."""
    from cirs_tf.methods.registry import load_config
    from cirs_tf.training.run_folder import RunFolder

    batch_size = load_config(run / "config.yaml").training.batch_size
    return batch_size / RunFolder(run).read_metrics()[-1]["images_per_second"]


def weights(run: Path) -> list[np.ndarray]:
    """Return the weights of the segmenter in the last checkpoint."""
    import cirs_tf

    return cirs_tf.load(run, checkpoint="last").keras_model.get_weights()


def norm(some: list[np.ndarray], others: list[np.ndarray]) -> float:
    """Return the norm of the differences of all weights."""
    parts = [np.sum((a - b) ** 2) for a, b in zip(some, others, strict=True)]
    return float(np.sqrt(sum(parts)))


def all_reduces(arguments: argparse.Namespace) -> int:
    """Count the all-reduces of a mini-batch in the graph of two replicas."""
    code = f"from workers import print_count; print_count({arguments.model!r}, "
    code += f"{arguments.data!r}, {arguments.set!r})"
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1])


def print_count(model: str, data: str, settings: list[str]) -> None:
    """Print the all-reduces of a mini-batch, of one replica of two."""
    import tensorflow as tf

    from cirs_tf.data.manifest import Manifest
    from cirs_tf.methods.registry import build_method, load_config
    from cirs_tf.training.loop import TrainingLoop

    (device,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(device, two)
    manifest = Manifest.read(data)
    config = load_config(model, settings)
    strategy = tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"])
    with strategy.scope():
        method = build_method(config, manifest.height, manifest.width)
    loop = TrainingLoop(method.phases, strategy, config.training.batch_size)
    images = tf.zeros([config.training.batch_size, manifest.height, manifest.width, 3])
    batches = tf.data.Dataset.from_tensors({"image": images}).repeat()
    iterator = iter(strategy.experimental_distribute_dataset(batches))

    @tf.function(autograph=False)
    def step():
        return [loop._distributed_step(phase, next(iterator)) for phase in loop.phases]

    graph = step.get_concrete_function().graph.as_graph_def()
    nodes = list(graph.node)
    for function in graph.library.function:
        nodes += function.node_def
    kinds = [node.op for node in nodes]
    print(kinds.count("CollectiveReduceV2") // 2)


if __name__ == "__main__":
    main()
