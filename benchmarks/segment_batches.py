"""What do batches bring `segment`? Images per second of CPU, one thread.

    TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1 \
        python benchmarks/segment_batches.py EXPORT --data DIR

Some hundred test images of a data set, as PNGs of each size, are segmented from files
to written masks and overlays; the model is loaded before. Batch sizes take turns, and
the best of the rounds counts.
"""

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import machine, write_json
from PIL import Image

from cirs_tf import segment
from cirs_tf.data.splits import load_split
from cirs_tf.serving import exported_model


def main() -> None:
    """Measure every batch size at every image size, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("export", help="a folder written by export")
    parser.add_argument("--data", required=True, help="a folder written by data_gen")
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 160])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 32, 128])
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    arguments = parser.parse_args()
    images = load_split(arguments.data, "test", with_masks=False).images
    images = images[: arguments.images]
    loaded = exported_model.load_exported(arguments.export)
    exported_model.load_exported = lambda path: loaded  # it is not what is measured
    print(machine())
    rows = []
    print(f"{'pixels':>8}{'batch':>8}{'images/s':>10}{'differing labels':>18}")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "images"
            source.mkdir()
            for number, image in enumerate(images):
                resized = Image.fromarray(image).resize((size, size))
                resized.save(source / f"{number:04}.png")
            seconds = {batch: [] for batch in arguments.batches}
            for _ in range(arguments.rounds):
                for batch, times in seconds.items():
                    out = Path(folder) / str(batch)
                    times.append(_seconds(arguments.export, source, out, batch))
            first = _masks(Path(folder) / str(arguments.batches[0]), len(images))
            for batch, times in seconds.items():
                masks = _masks(Path(folder) / str(batch), len(images))
                rate, differing = len(images) / min(times), np.sum(masks != first)
                rows.append((size, batch, rate, int(differing)))
                print(f"{size:>8}{batch:>8}{rate:>10.0f}{differing:>18}", flush=True)
    columns = ("pixels", "batch", "images_per_second", "differing_labels")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    write_json(arguments.json, {"machine": machine(), "batches": found})


def _seconds(export: str, source: Path, out: Path, batch: int) -> float:
    argv = [export, str(source), "--out", str(out), "--batch-size", str(batch)]
    begin = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        if segment.main(argv):
            raise SystemExit(1)
    return time.process_time() - begin


def _masks(folder: Path, count: int) -> np.ndarray:
    masks = (folder / f"{number:04}.png" for number in range(count))
    return np.stack([np.asarray(Image.open(mask)) for mask in masks])


if __name__ == "__main__":
    main()
