"""What a report says of one run."""

import base64
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from cirs_tf.config.settings import flatten
from cirs_tf.data.image_split import row_slices
from cirs_tf.errors import CheckpointError, CirsError
from cirs_tf.metrics.confusion import confusion_matrices
from cirs_tf.runs.cost import training_seconds
from cirs_tf.runs.evaluation import Evaluation, evaluate_run
from cirs_tf.runs.restore import open_run, read_config
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.visualization import palette

_AT_ONCE = 16  # images whose pixels are counted at a time
_STRIP = 10  # epochs shown at most
_WIDTH = 1_300  # of the picture in pixels, about


@dataclasses.dataclass(frozen=True)
class SegmentFacts:
    """A row of the legend and of the confusion matrix.

    Attributes:
        number: The segment, in [0, K).
        color: As `#rrggbb`.
        share: Of the pixels of the split, in [0, 1].
        matched: Name of the class that is matched to it; empty: none, or no masks.
        iou: With that class; None where there is none.
        of_class: For each class, the share of its pixels that are in this segment;
            None for a class without a pixel. Empty without masks.
    """

    number: int
    color: str
    share: float
    matched: str
    iou: float | None
    of_class: tuple[float | None, ...]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The chosen checkpoint on a split.

    Attributes:
        checkpoint: Its name, step and meaning.
        images: Number of images.
        scores: Title to value; empty where there are no masks.
        classes: Names of the true classes; empty where there are no masks.
        segments: One for each.
        picture: A data URI of images, segments, truth, overlay.
    """

    checkpoint: str
    images: int
    scores: dict[str, float]
    classes: tuple[str, ...]
    segments: tuple[SegmentFacts, ...]
    picture: str


@dataclasses.dataclass(frozen=True)
class RunFacts:
    """One run.

    Attributes:
        name: Its folder, as short as tells it from the others.
        method: Its method.
        seed: Its seed.
        settings: Key to value, all of them.
        metrics: Rows of `metrics.jsonl`.
        strip: (epoch, data URI of the small picture), evenly spaced.
        seconds: Of training, without pretraining and validation.
        versions: Of Python and packages.
        outcome: None where it was not evaluated.
        remark: Why it was not; empty where it was.
    """

    name: str
    method: str
    seed: int
    settings: dict
    metrics: list[dict]
    strip: list[tuple[int, str]]
    seconds: float
    versions: dict
    outcome: Outcome | None = None
    remark: str = ""


def find_runs(paths: Sequence[str | Path]) -> list[RunFolder]:
    """Return the runs at these paths; of a folder of runs, those in it.

    Args:
        paths: Run folders, or folders that hold some, such as of a sweep.

    Raises:
        CheckpointError: There is none at a path.
    """
    found: dict[Path, RunFolder] = {}
    for path in map(Path, paths):
        runs = [path] if (path / "config.yaml").is_file() else []
        runs = runs or sorted(file.parent for file in path.glob("*/config.yaml"))
        if not runs:
            raise CheckpointError(
                f"{path}: neither a run folder (it has no config.yaml) nor a folder "
                "of some"
            )
        for run in runs:
            found.setdefault(run.resolve(), open_run(run))
    return list(found.values())


def gather(runs: Sequence[RunFolder], split: str, data: str | None) -> list[RunFacts]:
    """Read and evaluate runs, one after the other.

    A run that cannot be evaluated, because its data were moved or its method has no
    segmenter, is in the report with a remark.

    Args:
        runs: From `find_runs`.
        split: That is evaluated: `train`, `val` or `test`.
        data: Another data set than the runs' own.

    Raises:
        CirsError: A file of a run is damaged; nothing was evaluated yet.
    """
    names = short_names([run.path for run in runs])
    facts = [_read_facts(run, name) for run, name in zip(runs, names, strict=True)]
    for place, run in enumerate(runs):
        outcome, remark = None, ""
        try:
            outcome = _outcome(evaluate_run(run, split, data, others=False))
        except CirsError as error:
            remark = str(error)
        keras.backend.clear_session()
        facts[place] = dataclasses.replace(facts[place], outcome=outcome, remark=remark)
    return facts


def _read_facts(run: RunFolder, name: str) -> RunFacts:
    config = read_config(run)
    return RunFacts(
        name=name,
        method=config.method,
        seed=config.seed,
        settings=flatten(config),
        metrics=run.read_metrics(),
        strip=_strip(run),
        seconds=training_seconds(run, config),
        versions=run.read_versions(),
    )


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return the ends of paths, as many parts as tell each from the others.

    Args:
        paths: Different ones.

    Example:
        >>> short_names([Path("a/fruit/seed-0"), Path("a/words/seed-0")])
        ['fruit/seed-0', 'words/seed-0']
    """
    parts = [path.resolve().parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            break
    return names


def _outcome(evaluation: Evaluation) -> Outcome:
    chosen, scores = evaluation.chosen, evaluation.chosen.scores
    colors = palette(len(chosen.segment_share))
    shown: dict[str, float] = {}
    classes: tuple[str, ...] = ()
    matched: dict[int, tuple[str, float | None]] = {}
    of_class: list[tuple] = [()] * len(colors)
    if scores is not None:
        classes = tuple(evaluation.classes)
        shown = {
            "mIoU": scores.miou,
            "thesis mIoU": scores.miou_thesis,
            "pixel accuracy": scores.pixel_accuracy,
            "ARI": scores.ari,
        }
        for name, segment, iou in zip(
            classes, scores.assignment, scores.per_class_iou, strict=True
        ):
            matched[segment] = (name, iou)
        masks, labels = evaluation.split.masks, evaluation.labels
        counts = sum(
            confusion_matrices(
                masks[rows], labels[rows], len(colors), len(classes)
            ).sum(axis=0)
            for rows in row_slices(len(labels), _AT_ONCE)
        )
        totals = counts.sum(axis=0)
        of_class = [
            tuple(
                float(count / total) if total else None
                for count, total in zip(row, totals, strict=True)
            )
            for row in counts
        ]
    elif chosen.annotators is not None:
        shown = {
            "covering": chosen.annotators["segments"].covering,
            "Rand": chosen.annotators["segments"].probabilistic_rand,
        }
    segments = tuple(
        SegmentFacts(
            number=number,
            color="#{:02x}{:02x}{:02x}".format(*color),
            share=share,
            matched=matched.get(number, ("", None))[0],
            iou=matched.get(number, ("", None))[1],
            of_class=of_class[number],
        )
        for number, (color, share) in enumerate(
            zip(colors, chosen.segment_share, strict=True)
        )
    )
    return Outcome(
        checkpoint=evaluation.checkpoint_text,
        images=len(evaluation.labels),
        scores=shown,
        classes=classes,
        segments=segments,
        picture=_data_uri(_picture(evaluation)),
    )


def _picture(evaluation: Evaluation) -> Image.Image:
    """Draw as many images as are told apart beside each other, at least two."""
    one = evaluation.picture(images=1).width
    two = evaluation.picture(images=2).width
    count = max(2, 1 + (_WIDTH - one) // max(1, two - one))
    return evaluation.picture(images=count)


def _strip(run: RunFolder) -> list[tuple[int, str]]:
    files = sorted(
        (file for file in run.progress.glob("*.png") if file.stem.isdecimal()),
        key=lambda file: int(file.stem),
    )
    count = min(_STRIP, len(files))
    chosen = np.linspace(0, len(files) - 1, count).round().astype(int)
    strip = []
    for index in sorted(set(chosen.tolist())):
        content = base64.b64encode(files[index].read_bytes()).decode()
        strip.append((int(files[index].stem), f"data:image/png;base64,{content}"))
    return strip


def _data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
