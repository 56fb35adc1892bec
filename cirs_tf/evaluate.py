"""Evaluate a run on a split: `python -m cirs_tf.evaluate RUN --split test`."""

import argparse
import functools
from pathlib import Path

from cirs_tf.errors import ConfigError, command
from cirs_tf.metrics.annotators import AnnotatorScores
from cirs_tf.postprocessing.postprocess import postprocess
from cirs_tf.runs.evaluation import (
    Evaluation,
    evaluate_run,
    everywhere,
    write_json,
)
from cirs_tf.training.run_folder import RunFolder

_HOW = {
    "loss": "lowest validation loss, no labels",
    "oracle": "highest validation mIoU, chosen by labels",
    "last": "last step, no labels",
}
_NAMED = "the step that was named"


@command
def main(argv: list[str] | None = None) -> None:
    """Parse the command line, print a table, write the JSON and a picture."""
    arguments = _parser().parse_args(argv)
    run = RunFolder.open(arguments.run)
    crf, merge = arguments.crf, arguments.merge_regions
    if merge < 0:
        raise ConfigError(f"--merge-regions: expected at least 0, got {merge}")
    steps = None
    if crf or merge:
        steps = functools.partial(postprocess, crf=crf, min_region_size=merge)
    found = evaluate_run(
        run, arguments.split, arguments.data, arguments.checkpoint, steps
    )
    name = arguments.split
    if steps is not None:
        name += "_postprocessed"
    file = Path(arguments.json or run.evaluation / f"{name}.json")
    picture = run.evaluation / f"{name}.png"
    numbers = found.as_json()
    if steps is not None:
        numbers["postprocessing"] = {"crf": crf, "merge_regions": merge}
    write_json(file, numbers)
    picture.parent.mkdir(parents=True, exist_ok=True)
    found.picture().save(picture)

    chosen, step = found.checkpoint, found.chosen.step
    data = arguments.data or run.load_config().data
    how = _HOW.get(chosen, _NAMED)
    print(f"run       {run.path}, checkpoint {chosen!r} of step {step} ({how})")
    print(f"split     {arguments.split} of {data}, {len(found.labels):,} images")
    if steps is not None:
        parts = ["dense CRF"] if crf else []
        if merge:
            parts.append(f"regions below {merge} pixels merged")
        print(f"then      {', '.join(parts)}")
    print()
    if found.chosen.scores is not None:
        _print_scores(found)
    if found.chosen.annotators is not None:
        _print_annotators(found.chosen.annotators)
    if found.chosen.scores is None and found.chosen.annotators is None:
        print("no masks: nothing to compare with")
    shares = enumerate(found.chosen.segment_share)
    share = "  ".join(f"{k}: {v:.1%}" for k, v in shares)
    print(f"share of pixels in each segment   {share}")
    print()
    print(f"numbers   {file}")
    print(f"picture   {picture}")


def _print_scores(found: Evaluation) -> None:
    scores, classes = found.chosen.scores, found.classes
    rows = [
        ("mIoU", scores.miou, "one assignment for the whole split"),
        (
            "mIoU, thesis",
            scores.miou_thesis,
            "best assignment in each image, thesis 5.1.2",
        ),
        ("pixel accuracy", scores.pixel_accuracy, "assignment of mIoU"),
        ("ARI", scores.ari, "adjusted Rand index, mean over images"),
        ("foreground ARI", scores.fg_ari, f"without {classes[0]}"),
    ]
    for title, value, meaning in rows:
        if value is not None:
            print(f"{title:16}{value:6.3f}   {meaning}")
    trivial = everywhere(found.split, len(classes)).miou
    print(f"{'':16}{trivial:6.3f}   for scale: the mIoU of one segment everywhere")
    print()
    print(f"{'class':16}{'IoU':>6}   segment")
    for name, iou, segment in zip(
        classes, scores.per_class_iou, scores.assignment, strict=True
    ):
        shown = "-" if iou is None else f"{iou:.3f}"
        print(f"{name:16}{shown:>6}   {segment if segment >= 0 else 'none'}")
    print()
    print(f"{'checkpoint':16}{'mIoU':>6}   {'step':>7}")
    mious = {name: outcome.scores.miou for name, outcome in found.outcomes.items()}
    for name, miou in mious.items():
        how = _HOW.get(name, _NAMED)
        print(f"{name:16}{miou:6.3f}   {found.outcomes[name].step:7}   {how}")
    if {"loss", "oracle"} <= mious.keys():
        gap = mious["oracle"] - mious["loss"]
        print(f"{'oracle - loss':16}{gap:+6.3f}   what choosing by labels would add")
    print()


def _print_annotators(scores: dict[str, AnnotatorScores]) -> None:
    print(f"{'':22}{'segments':>9}{'regions':>9}")
    for title, key, meaning in (
        ("segmentation covering", "covering", "1 is best"),
        ("probabilistic Rand", "probabilistic_rand", "1 is best"),
        ("variation of inform.", "variation_of_information", "bits, 0 is best"),
    ):
        values = "".join(f"{getattr(one, key):9.3f}" for one in scores.values())
        print(f"{title:22}{values}   {meaning}")
    print("against all annotators of each image; regions: connected parts of segments")
    print()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.evaluate",
        description="Print how a run's segments compare with the truth of a split.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder")
    add("--split", default="test", help="train, val or test (default)")
    add(
        "--checkpoint",
        metavar="NAME",
        help="loss, oracle, last, or the step of one that is kept; default: "
        "training.selection",
    )
    add("--data", metavar="DIR", help="another data set than the run's own")
    add("--json", metavar="FILE", help="default: RUN/eval/SPLIT.json")
    add("--crf", action="store_true", help="sharpen edges by a dense CRF (extra crf)")
    add(
        "--merge-regions",
        type=int,
        default=0,
        metavar="N",
        help="merge connected regions below N pixels into their neighbors",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
