"""Evaluate a run on a split: `python -m cirs_tf.evaluate RUN --split test`."""

import argparse
import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import LoadedSplit, load_split
from cirs_tf.errors import CheckpointError, DataError, command
from cirs_tf.methods.build import build_method
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.validation import Predictor
from cirs_tf.visualization import segmentation_grid

CHECKPOINTS = ("loss", "oracle", "last")
_HOW = {
    "loss": "lowest validation loss, no labels",
    "oracle": "highest validation mIoU, chosen by labels",
    "last": "last step, no labels",
}


@command
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, print a table, write the JSON and a picture."""
    arguments = _parser().parse_args(argv)
    run = RunFolder.open(arguments.run)
    config = run.load_config()
    chosen = arguments.checkpoint or config.training.selection
    data = arguments.data or config.data
    manifest = Manifest.read(data)
    split = load_split(data, arguments.split, manifest.split(arguments.split).masks)
    height, width = split.images.shape[1:3]
    segmenter = build_method(config, height, width).networks["segmenter"]
    store = CheckpointStore(run.checkpoints)
    predict = Predictor(segmenter, config.training.batch_size)
    classes = len(manifest.classes)

    def evaluate(name: str) -> tuple[int, np.ndarray]:
        step = store.restore(name, {"segmenter": segmenter})["step"]
        return step, predict(split.images)

    step, labels = evaluate(chosen)
    result = _result(labels, split, config.segments, classes)
    result |= {"checkpoint": chosen, "step": step, "images": len(labels)}
    if split.masks is not None:
        result["by_checkpoint"] = {chosen: {"step": step, "miou": result["miou"]}}
        for name in CHECKPOINTS:
            if name == chosen:
                continue
            try:
                other_step, other = evaluate(name)
            except CheckpointError:
                continue
            miou = _result(other, split, config.segments, classes)["miou"]
            result["by_checkpoint"][name] = {"step": other_step, "miou": miou}

    file = Path(arguments.json or run.evaluation / f"{arguments.split}.json")
    picture = run.evaluation / f"{arguments.split}.png"
    _write(file, json.dumps(result, indent=2) + "\n")
    grid = segmentation_grid(
        split.images[:12],
        labels[:12],
        None if split.masks is None else split.masks[:12],
        result.get("assignment"),
    )
    picture.parent.mkdir(parents=True, exist_ok=True)
    grid.save(picture)
    print(
        f"run       {run.path}, checkpoint {chosen!r} of step {step} ({_HOW[chosen]})"
    )
    print(f"split     {arguments.split} of {data}, {len(labels):,} images")
    print()
    if split.masks is None:
        print("no masks: nothing to compare with")
    else:
        _print_scores(result, manifest.classes, split.masks)
    share = "  ".join(f"{k}: {v:.1%}" for k, v in enumerate(result["segment_share"]))
    print(f"share of pixels in each segment   {share}")
    print()
    print(f"numbers   {file}")
    print(f"picture   {picture}")


def _result(
    labels: np.ndarray, split: LoadedSplit, segments: int, classes: int
) -> dict:
    """Return scores as JSON; only shares where there are no masks."""
    if split.masks is None:
        counts = np.bincount(labels.ravel(), minlength=segments)
        return {"segment_share": list(map(float, counts / counts.sum()))}
    metric = SegmentationMetric(segments, classes)
    metric.update(labels, split.masks)
    return dataclasses.asdict(metric.result())


def _print_scores(result: dict, classes: tuple[str, ...], masks: np.ndarray) -> None:
    rows = [
        ("mIoU", "miou", "one assignment for the whole split"),
        ("mIoU, thesis", "miou_thesis", "best assignment in each image, thesis 5.1.2"),
        ("pixel accuracy", "pixel_accuracy", "assignment of mIoU"),
        ("ARI", "ari", "adjusted Rand index, mean over images"),
        ("foreground ARI", "fg_ari", f"without {classes[0]}"),
    ]
    for title, key, meaning in rows:
        if result[key] is not None:
            print(f"{title:16}{result[key]:6.3f}   {meaning}")
    trivial = _everything_in_one_segment(masks, len(classes)).miou
    print(f"{'':16}{trivial:6.3f}   for scale: the mIoU of one segment everywhere")
    print()
    print(f"{'class':16}{'IoU':>6}   segment")
    for name, iou, segment in zip(
        classes, result["per_class_iou"], result["assignment"], strict=True
    ):
        shown = "-" if iou is None else f"{iou:.3f}"
        print(f"{name:16}{shown:>6}   {segment if segment >= 0 else 'none'}")
    print()
    print(f"{'checkpoint':16}{'mIoU':>6}   {'step':>7}")
    for name, entry in result["by_checkpoint"].items():
        print(f"{name:16}{entry['miou']:6.3f}   {entry['step']:7}   {_HOW[name]}")
    found = result["by_checkpoint"]
    if {"loss", "oracle"} <= found.keys():
        gap = found["oracle"]["miou"] - found["loss"]["miou"]
        print(f"{'oracle - loss':16}{gap:+6.3f}   what choosing by labels would add")
    print()


def _everything_in_one_segment(masks: np.ndarray, classes: int) -> SegmentationScores:
    metric = SegmentationMetric(segments=1, classes=classes)
    metric.update(np.zeros_like(masks), masks)
    return metric.result()


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text)
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.evaluate",
        description="Print how a run's segments compare with the truth of a split.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder")
    add("--split", default="test", help="train, val or test (default)")
    add("--checkpoint", choices=CHECKPOINTS, help="default: training.selection")
    add("--data", metavar="DIR", help="another data set than the run's own")
    add("--json", metavar="FILE", help="default: RUN/eval/SPLIT.json")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
