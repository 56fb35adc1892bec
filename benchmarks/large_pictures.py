"""What do large pictures cost? Time and memory of `segment` and of a served model.

    python benchmarks/large_pictures.py [--megapixels 12 100] [--export EXPORT]
        [--segments 4] [--side 64]

Each measurement is a process of its own: the model is loaded, then one JPEG is
segmented, from a file to written masks by `segment`, from bytes to a PNG by the
signature `serve_bytes`. *Memory*: the most that the process held, less what it held
when the model had been loaded and called once (Linux); *in all*: with that. Without an
export: a U-Net of random weights and width 8, with so many segments, for training
images of so many pixels a side.
"""

import argparse
import math
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Measure both ways at every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--megapixels", nargs="+", type=float, default=[12, 100])
    parser.add_argument("--export", help="a folder written by export")
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "MODEL", "FILE"))
    arguments = parser.parse_args()
    if arguments.one:
        print(*_measure(*arguments.one))
        return
    from measuring import machine, write_json  # late: a test loads this file alone

    rows = []
    print(machine(), end="\n\n")
    print(f"{'':16}{'megapixels':>12}{'seconds':>10}{'memory':>12}{'in all':>12}")
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.export or str(_untrained(Path(folder) / "model", arguments))
        for megapixels in arguments.megapixels:
            picture = Path(folder) / "picture.jpg"
            draw(picture, megapixels)
            for way in ("segment", "serve_bytes"):
                command = [sys.executable, __file__, "--one", way, model, str(picture)]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(done.stderr)
                seconds, memory, total = map(float, done.stdout.split()[-3:])
                rows.append((way, megapixels, seconds, memory, total))
                print(
                    f"{way:16}{megapixels:>12.3g}{seconds:>10.1f}{memory:>9.0f} MB"
                    f"{total:>9.0f} MB"
                )
    columns = ("way", "megapixels", "seconds", "megabytes", "megabytes_in_all")
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    write_json(arguments.json, {"machine": machine(), "pictures": found})


def draw(path: Path, megapixels: float) -> None:
    """Write a square picture of smooth noise."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    side = round(math.sqrt(1e6 * megapixels))
    noise.resize((side, side), Image.Resampling.BICUBIC).save(path)


def _untrained(folder: Path, arguments: argparse.Namespace) -> Path:
    from cirs_tf.config.sections import SegmenterConfig
    from cirs_tf.models.unet import unet
    from cirs_tf.serving.model_card import ModelCard
    from cirs_tf.serving.savedmodel import write_savedmodel

    segments, side = arguments.segments, arguments.side
    segmenter = unet(SegmenterConfig(width=8), segments, seed=0)
    return write_savedmodel(segmenter, folder, ModelCard(side, side, segments))


def _measure(way: str, model: str, file: str) -> tuple[float, float, float]:
    """Return seconds; memory in MB above that of the loaded model, and in all."""
    import numpy as np
    import tensorflow as tf

    from cirs_tf import segment
    from cirs_tf.serving import exported_model, savedmodel

    small = np.zeros((64, 64, 3), np.uint8)
    loaded = exported_model.load_exported(model)
    loaded.predict(small)
    serve = tf.saved_model.load(str(savedmodel.newest_version(model)))
    serve = serve.signatures["serve_bytes"]
    serve(image_bytes=tf.constant([tf.io.encode_png(small).numpy()]))
    exported_model.load_exported = lambda path: loaded  # it is not what is measured
    # From here on the kernel counts anew what the process holds at most.
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_memory()
    begin = time.perf_counter()
    if way == "segment":
        out = Path(file).with_suffix("")
        if segment.main([model, file, "--out", str(out)]):
            sys.exit(1)
    else:
        content = tf.constant([Path(file).read_bytes()])
        outputs = serve(image_bytes=content)
        assert outputs["errors"].numpy()[0] == b"", outputs["errors"]
    seconds, total = time.perf_counter() - begin, _peak_memory()
    return seconds, total - before, total


def _peak_memory() -> float:
    """Return the most that this process has held, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


if __name__ == "__main__":
    main()
