"""Does any setting of what the thesis leaves open make CIRS work?

    python benchmarks/cirs_search.py --data DIR --out DIR [--rungs 150,450,1350]
        [--only NAME ...] [--limit-minutes M] [--seed 0] [--table docs/cirs_search.md]

Successive halving: every setting is trained for the first number of mini-batches, the
best third goes on to the second, the best third of these to the third (those that start
from `proposals.object_proposals` compete among themselves). What is best is decided as
in the thesis: `miou_thesis` on the validation split, at the epoch where that is
highest. Runs go on where their last rung left them, exactly as if they had been longer
from the start. After every run a line goes to `OUT/search.jsonl` and the table is
written anew; what stands there is not run again, so that the command can be stopped,
with Ctrl-C or SIGTERM, and given again.
"""

import argparse
import gc
import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np

from cirs_tf import train
from cirs_tf.config_files import load_config
from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import LoadedSplit, load_split
from cirs_tf.errors import ConfigError, command
from cirs_tf.metrics.segmentation import SegmentationMetric
from cirs_tf.proposals.color_kmeans import kmeans_labels
from cirs_tf.runs.evaluation import everywhere
from cirs_tf.training.run_folder import RunFolder

KEPT = 3  # one in so many goes on
_ENDS_AT_ONCE = {"parts-held"}  # nothing in it changes
BASE = ("segmenter.width=8", "training.checkpoints_kept=1", "training.strategy=one")

_TURNED = ("cirs.augmentation=shift_flip_turn",)
_MASKS = ("cirs.usage_weight=20", "cirs.usage_of=masks")
_BOTH = (*_TURNED, *_MASKS)
_CONV = ("feature_net.kind=conv", "feature_net.hidden=[16,32,64]")
_IN_TURNS = (
    "cirs.schedule=alternating",
    "cirs.segmenter_steps=5",
    "cirs.feature_net_steps=100",
)
_AREA = ("feature_net.input=area_normalized",)
_PARTS = ("cirs.start=components",)

# Dense g with the segment number appended, as in the thesis, unless a line says other.
SETTINGS: dict[str, tuple[str, ...]] = {
    "balanced": (),
    "imbalanced": _IN_TURNS,
    "augmentation": _TURNED,
    "floor": _MASKS,
    "both": _BOTH,
    "both-soft-floor": (*_TURNED, "cirs.usage_weight=20"),
    "both-weak-floor": (*_TURNED, "cirs.usage_weight=2", "cirs.usage_of=masks"),
    "both-imbalanced": (*_BOTH, *_IN_TURNS),
    "both-alpha-30": (*_BOTH, "cirs.alpha_1=30"),
    "both-alpha-5": (*_BOTH, "cirs.alpha_1=5"),
    "both-alpha-0.2": (*_BOTH, "cirs.alpha_1=0.2"),
    "both-pooled": (*_BOTH, "feature_net.input=pooled"),
    "both-area": (*_BOTH, *_AREA),
    "both-area-alpha-5": (*_BOTH, *_AREA, "cirs.alpha_1=5"),
    "both-mean-color": (*_BOTH, *_AREA, "feature_net.cells=1"),
    "both-mean-color-no-number": (
        *(*_BOTH, *_AREA, "feature_net.cells=1"),
        "feature_net.segment_number='off'",
    ),
    "both-no-number": (*_BOTH, "feature_net.segment_number='off'"),
    "both-slow-g": (*_BOTH, "cirs.feature_learning_rate=1e-5"),
    "both-quick-s": (
        *_BOTH,
        *("training.learning_rate=1e-2", "cirs.feature_learning_rate=1e-4"),
    ),
    "both-reset-100": (*_BOTH, "cirs.reset_every=100"),
    "both-reset-10": (*_BOTH, "cirs.reset_every=10"),
    "both-new-g-each-step": (*_BOTH, "cirs.reset_every=1"),
    "both-frozen": (*_BOTH, "cirs.freeze_feature_net=true"),
    "both-frozen-encoder": (
        *(*_BOTH, "cirs.freeze_feature_net=true"),
        *("cirs.feature_start_steps=200", "feature_net.dropout=0"),
    ),
    "both-dropout-in-s": (*_BOTH, "segmenter.dropout=0.4"),
    "both-l2": (*_BOTH, "feature_net.output=l2"),
    "both-conv": (*_BOTH, *_CONV),
    "both-conv-no-number": (*_BOTH, *_CONV, "feature_net.segment_number='off'"),
    # What the start alone is worth, and whether the objective keeps or destroys it.
    "parts-held": (*_PARTS, "training.learning_rate=1e-12"),
    "parts": _PARTS,
    "parts-both": (*_PARTS, *_BOTH),
    "parts-imbalanced": (*_PARTS, *_IN_TURNS),
    "colors-both": ("cirs.start=colors", *_BOTH),
}


class SearchLog:
    """Lines of JSON, one a finished run or baseline; the file is replaced whole.

    Args:
        path: The file; it need not exist.
    """

    def __init__(self, path: Path):
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.rows = [json.loads(line) for line in lines]

    def append(self, row: dict) -> None:
        """Add a line."""
        self.rows.append(row)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(one) + "\n" for one in self.rows))
        os.replace(temporary, self.path)

    def find(self, name: str, steps: int, seed: int) -> dict | None:
        """Return a line, None where there is none."""
        key = (name, steps, seed)
        found = (r for r in self.rows if (r["name"], r["steps"], r["seed"]) == key)
        return next(found, None)


@command
def main(argv: list[str] | None = None) -> int:
    """Parse the command line, run what is missing, write the table."""
    arguments = _parser().parse_args(argv)
    rungs = _rungs(arguments.rungs, arguments.every)
    unknown = set(arguments.only or ()) - SETTINGS.keys()
    if unknown:
        raise ConfigError(f"--only: no setting {sorted(unknown)[0]!r}")
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    log = SearchLog(out / "search.jsonl")
    _check_data(log, arguments)
    if not any(row["baseline"] for row in log.rows):
        for row in baselines(arguments):
            log.append(row)
    deadline = time.monotonic() + 60 * arguments.limit_minutes
    names, status = list(arguments.only or SETTINGS), 0
    for steps in rungs:
        for name in names:
            if log.find(name, steps, arguments.seed):
                continue
            if time.monotonic() > deadline:
                print(f"--limit-minutes: stopped before {name}, {steps} mini-batches")
                status = -1
                break
            print(f"\n== {name}, {steps} mini-batches", flush=True)
            seconds = time.monotonic()
            status = train_to(name, steps, arguments)
            if status >= 128:
                break
            row = scores(name, steps, arguments, failed=status != 0)
            log.append({**row, "seconds": round(time.monotonic() - seconds)})
            write_table(log, arguments)
            status = 0
        if status:
            break
        if not arguments.only:
            names = best(log, names, steps, arguments.seed)
    write_table(log, arguments)
    return max(status, 0)


def overrides(name: str, arguments: argparse.Namespace) -> list[str]:
    """Return a setting, whole: as `--set` takes it, but for the number of epochs."""
    return [
        *BASE,
        f"training.steps_per_epoch={arguments.every}",
        f"training.validation_images={arguments.validation_images}",
        f"training.log_every={min(arguments.every, 25)}",
        f"seed={arguments.seed}",
        *arguments.overrides,
        *SETTINGS[name],
    ]


def train_to(name: str, steps: int, arguments: argparse.Namespace) -> int:
    """Start a run, or go on with it; return the exit status of the command."""
    folder = RunFolder(_folder(name, arguments))
    epochs = ["--epochs", str(steps // arguments.every)]
    settings = overrides(name, arguments)
    if (folder.checkpoints / "checkpoints.json").exists():
        found = folder.load_config()
        if load_config(overrides=settings, base=found) != found:
            raise ConfigError(
                f"{folder.path}: holds a run of other settings; remove it"
            )
        argv = ["--resume", str(folder.path), *epochs]
    else:
        if folder.path.exists():
            shutil.rmtree(folder.path)  # it stopped before its first checkpoint
        argv = ["--model", "cirs", "--data", arguments.data, *epochs]
        argv += ["--run", str(folder.path)]
        argv += [flag for one in settings for flag in ("--set", one)]
    status = train.main(argv)
    keras.backend.clear_session()
    gc.collect()
    return status


def scores(
    name: str, steps: int, arguments: argparse.Namespace, failed: bool = False
) -> dict:
    """Return what a run reached in its first mini-batches, as a line of the log."""
    folder = RunFolder(_folder(name, arguments))
    rows = [row for row in folder.read_metrics() if row["step"] <= steps]
    row = {
        "name": name,
        "steps": steps,
        "seed": arguments.seed,
        "baseline": False,
        "failed": failed,
        "settings": list(SETTINGS[name]),
        "epochs": len(rows),
    }
    if not rows:
        return row
    values = [one["validation"] for one in rows]
    oracle = max(values, key=lambda one: one["miou_thesis"])
    # A loss that is not a number is none to choose by.
    finite = [one for one in values if math.isfinite(one["loss"])] or values
    label_free = min(finite, key=lambda one: one["loss"])
    return row | {
        "oracle_miou_thesis": oracle["miou_thesis"],
        "oracle_miou": max(one["miou"] for one in values),
        "oracle_step": rows[values.index(oracle)]["step"],
        "oracle_shares": oracle["segment_share"],
        "label_free_miou_thesis": label_free["miou_thesis"],
        "label_free_miou": label_free["miou"],
        "label_free_step": rows[values.index(label_free)]["step"],
        "first_miou_thesis": values[0]["miou_thesis"],
        "last_miou_thesis": values[-1]["miou_thesis"],
        "versions": json.loads((folder.path / "versions.json").read_text()),
    }


def best(log: SearchLog, names: Sequence[str], steps: int, seed: int) -> list[str]:
    """Return the best third of a rung, best first.

    Settings that start from parts are far ahead at first; they compete among
    themselves, and so do all others.
    """
    rows = [log.find(name, steps, seed) for name in names]
    rows = [row for row in rows if row["name"] not in _ENDS_AT_ONCE]
    kept = []
    for started in (False, True):
        group = [r for r in rows if (_PARTS[0] in r["settings"]) == started]
        count = math.ceil(len(group) / KEPT)
        group = [r for r in group if not r["failed"] and "oracle_miou_thesis" in r]
        group.sort(key=lambda row: -row["oracle_miou_thesis"])
        kept += [row["name"] for row in group[:count]]
    return kept


def baselines(arguments: argparse.Namespace) -> Iterable[dict]:
    """Yield a line for one segment everywhere, and for k-means on colors."""
    classes = len(Manifest.read(arguments.data).classes)
    train_split = load_split(arguments.data, "train", with_masks=False)
    limit = arguments.validation_images
    split = load_split(arguments.data, "val", with_masks=True, limit=limit)
    segments = load_config(overrides=arguments.overrides).segments
    found = {"one segment everywhere": everywhere(split, classes)}
    labels = kmeans_labels(train_split.images, split.images, segments, arguments.seed)
    found[f"k-means on RGB, K={segments}"] = _scores_of(
        labels, split, segments, classes
    )
    for name, values in found.items():
        yield {
            "name": name,
            "steps": 0,
            "seed": arguments.seed,
            "baseline": True,
            "data": _fingerprint(arguments),
            "miou": values.miou,
            "miou_thesis": values.miou_thesis,
        }


def _scores_of(labels: np.ndarray, split: LoadedSplit, segments: int, classes: int):
    metric = SegmentationMetric(segments, classes)
    metric.update_state(split.masks, labels)
    return metric.result()


def write_table(log: SearchLog, arguments: argparse.Namespace) -> None:
    """Write the log as Markdown, in one step."""
    path = Path(arguments.table)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(table(log, arguments))
    os.replace(temporary, path)


def table(log: SearchLog, arguments: argparse.Namespace) -> str:
    """Return the log as Markdown, the best setting of each rung first."""
    runs = [row for row in log.rows if not row["baseline"]]
    versions = next((row["versions"] for row in runs if "versions" in row), {})
    named = ", ".join(
        f"{name} {value}" for name, value in versions.items() if name != "platform"
    )
    common = " ".join(f"`{one}`" for one in (*BASE, *arguments.overrides))
    lines = [
        "# Settings of what the thesis leaves open of CIRS",
        "",
        "Written by `python benchmarks/cirs_search.py --data DIR --out DIR --rungs "
        f"{arguments.rungs}`, DIR being `data_gen fruit`. One run a line.",
        "",
        f"Common to all: `--model cirs`, {common}, batches of 40; an epoch is "
        f"{arguments.every} mini-batches; scores are of {arguments.validation_images} "
        "validation images. *Oracle*: at the epoch where labels say that it is highest "
        "(the thesis's protocol). *Label-free*: at the epoch of the lowest validation "
        "loss. The longer the run, the more epochs there are to choose from. The best "
        "third by the first score goes on. Thesis: 0.4581 balanced, 0.6407 imbalanced.",
        "",
        f"{named}.",
        "",
        "| baseline | `miou_thesis` | `miou` |",
        "|---|---|---|",
    ]
    for row in log.rows:
        if row["baseline"]:
            score = f"{row['miou_thesis']:.3f} | {row['miou']:.3f}"
            lines.append(f"| {row['name']} | {score} |")
    for steps, seed in sorted({(row["steps"], row["seed"]) for row in runs}):
        lines += [
            "",
            f"## {steps} mini-batches, seed {seed}",
            "",
            "| setting | | oracle `miou_thesis` | oracle `miou` | label-free "
            "`miou_thesis` | label-free `miou` | last `miou_thesis` | shares at the "
            "oracle's epoch | seconds of this rung |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        rung = [row for row in runs if (row["steps"], row["seed"]) == (steps, seed)]
        rung.sort(key=lambda row: -row.get("oracle_miou_thesis", -1))
        lines += map(_line, rung)
    return "\n".join(lines) + "\n"


def _line(row: dict) -> str:
    changed = " ".join(f"`{one}`" for one in row["settings"])
    cells = [row["name"], changed]
    if "oracle_miou_thesis" in row:
        for key in (
            "oracle_miou_thesis",
            "oracle_miou",
            "label_free_miou_thesis",
            "label_free_miou",
            "last_miou_thesis",
        ):
            cells.append(f"{row[key]:.3f}")
        cells.append(" ".join(f"{share:.2f}" for share in row["oracle_shares"]))
    else:
        cells += [""] * 6
    cells.append(f"{row['seconds']}{' (failed)' if row['failed'] else ''}")
    return "| " + " | ".join(cells) + " |"


def _folder(name: str, arguments: argparse.Namespace) -> Path:
    return Path(arguments.out) / "runs" / f"{name}-seed{arguments.seed}"


def _fingerprint(arguments: argparse.Namespace) -> list:
    """Return what scores of one log must have in common."""
    manifest = Manifest.read(arguments.data)
    shards = (*manifest.split("train").shards, *manifest.split("val").shards)
    return [
        *(shard.sha256 for shard in shards),
        arguments.validation_images,
        arguments.every,
        *arguments.overrides,
    ]


def _check_data(log: SearchLog, arguments: argparse.Namespace) -> None:
    for row in log.rows:
        if row["baseline"] and row["data"] != _fingerprint(arguments):
            raise ConfigError(
                f"--out {arguments.out}: holds scores of other data, "
                "--validation-images, --every or --set; name another folder"
            )


def _rungs(text: str, every: int) -> list[int]:
    try:
        rungs = [int(one) for one in text.split(",")]
    except ValueError:
        rungs = []
    rising = all(a < b for a, b in zip(rungs, rungs[1:], strict=False))
    if not rungs or not rising or any(one < 1 or one % every for one in rungs):
        raise ConfigError(
            f"--rungs: expected rising multiples of --every ({every}) such as "
            f"{every},{3 * every}, got {text!r}"
        )
    return rungs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", required=True, metavar="DIR", help="from data_gen")
    add("--out", required=True, metavar="DIR", help="runs and search.jsonl")
    add("--rungs", default="150,450,1350", help="mini-batches; default: 150,450,1350")
    add("--every", type=int, default=30, metavar="N", help="mini-batches an epoch")
    add("--only", nargs="+", metavar="NAME", help="these settings, on every rung")
    add("--limit-minutes", type=float, default=math.inf, metavar="M")
    add("--seed", type=int, default=0)
    add("--validation-images", type=int, default=300, metavar="N")
    add("--table", default="docs/cirs_search.md", metavar="FILE")
    add(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="for all settings",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
