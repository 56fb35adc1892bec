"""Is a training step as quick as in PyTorch? CIRS's default, written plainly in both.

    python benchmarks/against_torch.py [--torch DIR] [--side 64] [--segments 4]

The networks, the loss and Adam of `configs/cirs.yaml`: a U-Net of width 8 and depth 2
with four heads, normalized logits, Gumbel noise, argmax-in-place, the frozen g of color
words, the CIRS loss of each head. In PyTorch images are `channels_last`, the rest as
one writes it. Same batch, same number of threads, processes in turns; *ratio*:
PyTorch's median time of a step divided by ours. PyTorch is no dependency of the
package: --torch names a folder that it was installed in with `pip install --target`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
_WORDS, _LEVELS = 128, 32


def main() -> None:
    """Let both take turns and print their medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--torch", metavar="DIR")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=5, help="of a round")
    parser.add_argument("--one", action="store_true", help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        _serve_rounds(arguments)
        return
    case = f"{arguments.side}:{arguments.segments}:{arguments.batch}"
    shared = ["--threads", str(arguments.threads), "--steps", str(arguments.steps)]
    ours = [str(ROOT / "benchmarks" / "step_cost.py"), "--one", "cirs", case]
    size = ["--side", str(arguments.side), "--segments", str(arguments.segments)]
    theirs = [__file__, "--one", *size, "--batch", str(arguments.batch)]
    paths = [str(ROOT)], [arguments.torch] if arguments.torch else []
    processes = [
        subprocess.Popen(
            [sys.executable, *command, *shared],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for command, path in zip((ours, theirs), paths, strict=True)
    ]
    versions = [json.loads(process.stdout.readline()) for process in processes]
    rounds: list[list[dict]] = [[], []]
    for _ in range(arguments.rounds):
        for process, times in zip(processes, rounds, strict=True):
            process.stdin.write("step\n")
            process.stdin.flush()
            times.append(json.loads(process.stdout.readline()))
    for process in processes:
        process.communicate()
    medians = [
        {name: statistics.median(time[name] for time in times) for name in times[0]}
        for times in rounds
    ]
    print(f"cirs {case}, {arguments.threads} threads, PyTorch {versions[1]['torch']}")
    for name, times, median in zip(("ours", "PyTorch"), rounds, medians, strict=True):
        spread = [round(time["ms"], 1) for time in times]
        print(
            f"{name:8} {median['ms']:8.1f} ms a step ({min(spread)} to {max(spread)}), "
            f"processor {median['cpu_ms']:.1f} ms, "
            f"{1e3 * arguments.batch / median['ms']:.1f} images/s"
        )
    ratios = [medians[1][name] / medians[0][name] for name in ("ms", "cpu_ms")]
    print(f"ratio    {ratios[0]:.2f}, of processor time {ratios[1]:.2f}")


def _serve_rounds(arguments: argparse.Namespace) -> None:
    """Run a round of PyTorch's steps for every line of standard input."""
    import torch

    torch.set_num_threads(arguments.threads)
    step = _torch_step(arguments.side, arguments.segments, arguments.batch)
    step()
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start, start_cpu = time.perf_counter(), time.process_time()
        for _ in range(arguments.steps):
            step()
        spent = {
            "ms": 1e3 * (time.perf_counter() - start) / arguments.steps,
            "cpu_ms": 1e3 * (time.process_time() - start_cpu) / arguments.steps,
        }
        print(json.dumps(spent), flush=True)


def _torch_step(side: int, segments: int, batch: int):
    """Return a function that trains on one mini-batch."""
    import torch
    from torch import nn
    from torch.nn import functional

    heads, scale, dimensions = 4, 8.0, segments - 1
    torch.manual_seed(0)

    def block(inputs: int, outputs: int) -> nn.Sequential:
        layers = []
        for channels in (inputs, outputs):
            layers += [
                nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs, eps=1e-3),
                nn.ReLU(),
            ]
        return nn.Sequential(*layers)

    class UNet(nn.Module):
        def __init__(self, width: int = 8):
            super().__init__()
            self.down = nn.ModuleList([block(3, width), block(width, 2 * width)])
            self.bottom = block(2 * width, 4 * width)
            self.narrow = nn.ModuleList(
                [nn.Conv2d(4 * width, 2 * width, 1), nn.Conv2d(2 * width, width, 1)]
            )
            self.up = nn.ModuleList(
                [block(4 * width, 2 * width), block(2 * width, width)]
            )
            self.logits = nn.Conv2d(width, heads * segments, 1)
            self.norm = nn.BatchNorm2d(heads * segments, eps=1e-3, affine=False)

        def forward(self, x):
            skips = []
            for down in self.down:
                x = down(x)
                skips.append(x)
                x = functional.max_pool2d(x, 2)
            x = self.bottom(x)
            for narrow, up in zip(self.narrow, self.up, strict=True):
                x = functional.interpolate(
                    x, scale_factor=2, mode="bilinear", align_corners=False
                )
                x = up(torch.cat([narrow(x), skips.pop()], dim=1))
            return scale * self.norm(self.logits(x))

    table = torch.randint(0, _WORDS, (_LEVELS**3,))
    vectors = torch.randn(_WORDS, dimensions)

    def pixel_vectors(images):
        levels = ((images * 255).round().long() * _LEVELS // 256).clamp(0, _LEVELS - 1)
        red, green, blue = levels.unbind(1)
        found = vectors[table[(red * _LEVELS + green) * _LEVELS + blue]]
        found = found.permute(0, 3, 1, 2)
        mean = functional.avg_pool2d(found, 3, 1, 1, count_include_pad=False)
        return ((found + mean) / 2).flatten(2).transpose(1, 2)  # (B, HW, D)

    def loss_of(logits, pixels):
        soft = logits.softmax(dim=1)
        hard = functional.one_hot(soft.argmax(dim=1), segments).permute(0, 3, 1, 2)
        masks = (hard + soft - soft.detach()).flatten(2)  # (B, K, HW)
        pooled = masks @ pixels / masks.shape[2]
        features = pooled / masks.mean(dim=2, keepdim=True).clamp(min=0.01) ** 0.5
        features = features / (features.square().sum(-1, keepdim=True) + 1).sqrt()
        mean = features.mean(dim=0)
        within = (features - mean).square().sum(-1).mean()
        return within - (mean - mean.mean(dim=0)).square().sum()

    network = UNet().to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(network.parameters(), lr=4e-3)
    small = torch.rand(batch, 3, side // 8, side // 8)
    images = functional.interpolate(small, scale_factor=8)
    images = images.to(memory_format=torch.channels_last)

    def step() -> None:
        logits = network(images)
        noise = -torch.log(-torch.log(torch.rand_like(logits).clamp(min=1e-7)))
        pixels = pixel_vectors(images)
        parts = (logits + noise).split(segments, dim=1)
        loss = sum(loss_of(part, pixels) for part in parts)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


if __name__ == "__main__":
    main()
