"""What does a GPU bring, and what would it? Measured with one, estimated without.

    python benchmarks/gpu.py [METHOD ...] [--cases 64:4 256:12:8] [--json FILE]
        [--tflops 19.5 --gigabytes 1555 --launch 5]

With a GPU: training steps on the CPU, on the GPU, and there with bfloat16, in turns, as
step_cost.py does it. Always: an *estimate* for this processor, which stands beside the
measured step and says how far to trust it, and one for a GPU of the given data sheet,
by default that of an A100 with float32: operations of 10^12 a second, GB a second
between memory and processor, and microseconds to launch a kernel.

The estimate counts the operations of one step, which is run eagerly: *GFLOP* of
convolutions and matrix products, *GB* that all of them read and write, and their
number. *Least*: the larger of GFLOP and GB at full rate, as if all else were fused.
*Most*: their sum, with a launch for every operation, as if nothing were.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from measuring import ROOT, machine, write_json
from step_cost import METHODS, Variant, compare, print_header, training_steps


class Device(NamedTuple):
    """What a device does in a second, at best.

    Attributes:
        flops: Floating-point operations of a matrix product.
        bytes: Read or written in memory.
        launch: Seconds for an operation on next to nothing.
    """

    flops: float
    bytes: float
    launch: float


class Work(NamedTuple):
    """What a training step does: `flops`, `bytes`, and the number of operations."""

    flops: float
    bytes: float
    operations: float

    def seconds(self, device: Device) -> tuple[float, float]:
        """Return least and most seconds on a device."""
        parts = self.flops / device.flops, self.bytes / device.bytes
        return max(parts), sum(parts) + self.operations * device.launch


def main() -> None:
    """Estimate every case, and measure it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("methods", nargs="*", default=METHODS, metavar="METHOD")
    parser.add_argument("--cases", nargs="+", default=["64:4"])
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="of a round")
    parser.add_argument("--limit", type=float, default=12.0, help="memory, GB")
    parser.add_argument("--tflops", type=float, default=19.5)
    parser.add_argument("--gigabytes", type=float, default=1555.0, help="a second")
    parser.add_argument("--launch", type=float, default=5.0, help="microseconds")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--count", nargs=2, help="internal")
    arguments = parser.parse_args()
    if arguments.count:
        _print_count(*arguments.count, arguments.threads)
        return
    print_header(arguments.threads)
    sheet = Device(
        1e12 * arguments.tflops, 1e9 * arguments.gigabytes, 1e-6 * arguments.launch
    )
    rows = []
    for case in arguments.cases:
        for method in arguments.methods:
            rows.append(_one(method, case, sheet, arguments))
    write_json(arguments.json, {"machine": machine(), "rows": rows})


def _one(method: str, case: str, sheet: Device, arguments) -> dict:
    """Count, estimate and measure one case; print and return it."""
    command = [sys.executable, __file__, "--count", method, case]
    command += ["--threads", str(arguments.threads)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip() or "failed").splitlines()[-1]
        sys.exit(f"{method} {case}: {reason}")
    counted = json.loads(done.stdout)
    work, here = Work(*counted["work"]), Device(*counted["here"])
    variants = [Variant("CPU", str(ROOT), "cpu", ())]
    if counted["gpus"]:
        bfloat16 = ("training.precision=bfloat16",)
        variants += [
            Variant("GPU", str(ROOT), "gpu", ()),
            Variant("GPU bfloat16", str(ROOT), "gpu", bfloat16),
        ]
    measured = compare(method, case, variants, arguments)
    print(
        f"    {work.flops / 1e9:.1f} GFLOP, {work.bytes / 1e9:.2f} GB, "
        f"{work.operations:,.0f} operations a step"
    )
    named = ("this CPU", here), ("a GPU as given", sheet)
    estimates = {name: work.seconds(device) for name, device in named}
    for name, (least, most) in estimates.items():
        print(f"    estimate, {name}: {1e3 * least:.1f} to {1e3 * most:.1f} ms")
    return {**counted, "sheet": sheet, "estimates": estimates, "measured": measured}


def _print_count(method: str, case: str, threads: int) -> None:
    """Print, as JSON, the work of a step and what this processor does in a second."""
    import tensorflow as tf

    gpus = len(tf.config.list_physical_devices("GPU"))
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    here = _measured_device()
    side, segments, *batch = map(int, case.split(":"))
    settings = [f"training.batch_size={size}" for size in batch]
    step, _, per_cycle = training_steps(method, side, segments, settings)
    total = _counted(lambda: step(1))
    work = Work(*(part / per_cycle for part in total))
    counted = {"method": method, "case": case, "gpus": gpus, "work": work, "here": here}
    print(json.dumps(counted))


def _measured_device() -> Device:
    """Return the rates of this processor, the best of ten trials each."""
    import tensorflow as tf

    side, values = 1024, 2**24
    matrix, vector = tf.ones([side, side]), tf.ones(values)
    small = tf.ones([])

    @tf.function
    def chain(x):
        for _ in range(1000):
            x = tf.sin(x)
        return x

    product = _fastest(lambda: tf.matmul(matrix, matrix))
    copy = _fastest(lambda: tf.negative(vector))
    launch = _fastest(lambda: chain(small)) / 1000
    return Device(2 * side**3 / product, 2 * 4 * values / copy, launch)


def _fastest(run: Callable) -> float:
    times = []
    for _ in range(10):
        start = time.perf_counter()
        run()  # at once, on a CPU
        times.append(time.perf_counter() - start)
    return min(times)


def _counted(run: Callable[[], None]) -> Work:
    """Run something eagerly and count what it does."""
    import tensorflow as tf
    from tensorflow.python.framework import op_callbacks

    counts = [0, 0, 0]

    def count(op_type, inputs, attributes, outputs, *_) -> None:
        op_type = tf.compat.as_str(op_type)
        tensors = [x for x in (*inputs, *outputs) if hasattr(x, "shape")]
        counts[0] += _flops(op_type, inputs, attributes, outputs)
        counts[1] += _traffic(op_type, tensors)
        counts[2] += op_type not in _FREE

    tf.config.run_functions_eagerly(True)
    op_callbacks.add_op_callback(count)
    try:
        run()
    finally:
        op_callbacks.remove_op_callback(count)
        tf.config.run_functions_eagerly(False)
    return Work(*counts)


# Operations that move nothing.
_FREE = {"Reshape", "ExpandDims", "Squeeze", "Identity", "StopGradient", "Const"}
_FREE |= {"Shape", "ShapeN", "ReadVariableOp", "VarHandleOp", "PreventGradient"}


def _traffic(op_type: str, tensors: list) -> int:
    """Return the bytes that an operation reads and writes."""
    if op_type in _FREE:
        return 0
    if op_type == "ResourceApplyAdam":  # weight and moments: handles, read and written
        return 7 * _bytes(tensors[-1])
    return sum(map(_bytes, tensors))


def _bytes(tensor) -> int:
    try:
        return math.prod(tensor.shape) * tensor.dtype.size
    except (TypeError, ValueError):  # no array: a handle of a variable or a data set
        return 0


def _flops(op_type: str, inputs, attributes, outputs) -> int:
    """Return twice the products of a convolution or matrix product, else 0."""
    if op_type.startswith(("Conv2D", "DepthwiseConv2d")):
        # Every value of the output, or of its gradient, is a sum over the kernel.
        values = outputs[0] if "Backprop" not in op_type else inputs[2]
        kernel = outputs[0] if op_type.endswith("BackpropFilter") else inputs[1]
        height, width, depth, _ = kernel.shape
        depth = 1 if "Depthwise" in op_type else depth
        return 2 * math.prod(values.shape) * height * width * depth
    if "MatMul" in op_type and len(inputs) > 1:
        names = ("transpose_a", "adj_x")
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        transposed = any(value for name, value in pairs if name in names)
        inner = inputs[0].shape[-2 if transposed else -1]
        return 2 * inner * math.prod(outputs[0].shape)
    return 0


if __name__ == "__main__":
    main()
