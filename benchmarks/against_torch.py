"""Is a training step as quick as the same networks and losses in plain PyTorch?

    python benchmarks/against_torch.py [METHOD ...] [--torch DIR] [--side 64]
        [--segments 4] [--fused]

The peers are those of torch_peers. Same batch, same number of threads, processes in
turns; *ratio*: PyTorch's median time of a step divided by ours. PyTorch is no
dependency of the package: --torch names a folder that it was installed in with
`pip install --target`. Its Adam is by default a dozen operations per weight tensor, and
with --fused one, as the package's is.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from measuring import ROOT, answer, machine, start_process, write_json
from step_cost import METHODS

# Where a peer is not that of `configs/`: W-Net without its changes for `fruit`.
SETTINGS = {
    "wnet": (
        "segmenter.dropout=0.1",
        "segmenter.logit_scale=null",
        "wnet.color_space=rgb",
        "wnet.hard_segments=false",
        "wnet.gumbel_scale=0",
        "pretraining.pseudo_labels=none",
    )
}


def main() -> None:
    """Compare every method."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("methods", nargs="*", default=METHODS, metavar="METHOD")
    parser.add_argument("--torch", metavar="DIR")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=4, help="of a round")
    parser.add_argument("--fused", action="store_true", help="Adam of PyTorch")
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    parser.add_argument("--one", action="store_true", help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        _serve_rounds(arguments)
        return
    print(f"{machine()}\n")
    found = {method: _compare(method, arguments) for method in arguments.methods}
    write_json(arguments.json, {"machine": machine(), "methods": found})


def _compare(method: str, arguments: argparse.Namespace) -> dict:
    """Let both take turns, print their medians and the ratio; return all rounds."""
    case = f"{arguments.side}:{arguments.segments}:{arguments.batch}"
    shared = ["--threads", str(arguments.threads), "--steps", str(arguments.steps)]
    size = ["--side", str(arguments.side), "--segments", str(arguments.segments)]
    theirs = [method, "--one", *size, "--batch", str(arguments.batch), *shared]
    theirs += ["--fused"] * arguments.fused
    settings = ["--set", *SETTINGS.get(method, ())]
    step_cost = Path(__file__).with_name("step_cost.py")
    processes = [
        start_process(step_cost, ["--one", method, case, *shared, *settings]),
        start_process(__file__, theirs, arguments.torch or ROOT),
    ]
    starts = [answer(process) for process in processes]
    if stopped := [start for start in starts if "stopped" in start]:
        sys.exit(f"{method} {case}: {stopped[0]['stopped']}")
    rounds: list[list[dict]] = [[], []]
    for _ in range(arguments.rounds):
        for process, times in zip(processes, rounds, strict=True):
            times.append(answer(process, "step"))
    for process in processes:
        process.communicate()
    medians = [
        {name: statistics.median(time[name] for time in times) for name in times[0]}
        for times in rounds
    ]
    print(
        f"{method} {case}, {arguments.threads} threads, PyTorch {starts[1]['torch']}, "
        f"parameters {starts[0]['parameters']:,} and {starts[1]['parameters']:,}"
    )
    for name, times, median in zip(("ours", "PyTorch"), rounds, medians, strict=True):
        spread = [round(time["ms"], 1) for time in times]
        print(
            f"{name:8} {median['ms']:8.1f} ms a step ({min(spread)} to {max(spread)}), "
            f"processor {median['cpu_ms']:.1f} ms, "
            f"{1e3 * arguments.batch / median['ms']:.1f} images/s"
        )
    ratios = [medians[1][name] / medians[0][name] for name in ("ms", "cpu_ms")]
    print(f"ratio    {ratios[0]:.2f}, of processor time {ratios[1]:.2f}")
    return dict(zip(("ours", "pytorch"), rounds, strict=True)) | {"start": starts}


def _serve_rounds(arguments: argparse.Namespace) -> None:
    """Run a round of PyTorch's steps for every line of standard input."""
    import torch
    from torch_peers import build, images_of

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    images = images_of(arguments.batch, arguments.side)
    (method,) = arguments.methods
    step, parameters = build(method, images, arguments.segments, arguments.fused)
    for _ in range(2):
        step()
    start = {"torch": torch.__version__, "parameters": parameters}
    print(json.dumps(start), flush=True)
    for _ in sys.stdin:
        start, start_cpu = time.perf_counter(), time.process_time()
        for _ in range(arguments.steps):
            step()
        spent = {
            "ms": 1e3 * (time.perf_counter() - start) / arguments.steps,
            "cpu_ms": 1e3 * (time.process_time() - start_cpu) / arguments.steps,
        }
        print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main()
