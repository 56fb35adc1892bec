"""Figures of the results: images, their truth, and what each system makes of them.

What a figure shows is read from data sets and run folders by one function per kind; the
labels are those that `evaluate_once` kept.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.data.splits import load_split, open_split
from cirs_tf.reproduce.curves import curves_picture, read_scalars
from cirs_tf.reproduce.experiments import Target
from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.postprocessing_scores import (
    PHOTOGRAPH_REGION_SIZE,
    merged_name,
    postprocessings,
)
from cirs_tf.reproduce.scores import evaluate_once
from cirs_tf.runs.queue import PlannedRun
from cirs_tf.runs.restore import load_networks
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.visualization import colorize, image_grid, palette

_SHOWN = 8  # images of the test or validation split
_EPOCHS = 12  # of the progress of a run, at most
_PHOTOGRAPHS = 4

# A picture, and what its caption says.
Figure = tuple[Image.Image, dict]


def draw_figures(plan: Plan, folder: Path) -> dict[str, dict]:
    """Write the figures of the plan's targets as PNG.

    Args:
        plan: Its runs are finished; the first seed of each system is shown.
        folder: Where they go.

    Returns:
        Target to `file`, as RESULTS.md beside the folder names it, and what fills the
        placeholders of its caption.
    """
    figures = {}
    for name in plan.targets:
        target = plan.experiments.targets[name]
        if target.figure:
            folder.mkdir(parents=True, exist_ok=True)
            picture, facts = _FIGURES[target.figure](plan, target)
            picture.save(folder / f"{name}.png")
            figures[name] = {"file": f"{folder.name}/{name}.png", **facts}
    return figures


def segment_colors(assignment: Sequence[int], segments: int) -> np.ndarray:
    """Return a color for each segment, that of the class it stands for.

    Args:
        assignment: `[classes]`: the segment that stands for each class, -1: none.
        segments: K.

    Returns:
        `[segments, 3]` uint8; those that stand for no class have colors of their own.
    """
    colors = palette(len(assignment) + segments)
    chosen = colors[len(assignment) :].copy()
    for true_class, segment in enumerate(assignment):
        if segment >= 0:
            chosen[segment] = colors[true_class]
    return chosen


def _samples(plan: Plan, _: Target) -> Figure:
    split = _first_images(plan.data["fruit"])
    rows = {"image": split.images, "truth": colorize(split.masks)}
    return image_grid(rows), {"shown": _SHOWN}


def _segmentations(plan: Plan, target: Target) -> Figure:
    """Show what systems make of the first images of the data set that they share."""
    first_runs = [plan.runs_of(name)[0] for name in target.systems]
    split = _first_images(first_runs[0].config.data)
    rows = {"image": split.images, "truth": colorize(split.masks)}
    for run in first_runs:
        evaluation = evaluate_once(run)
        colors = segment_colors(evaluation.scores["assignment"], run.config.segments)
        title = plan.experiments.systems[run.system].title.split(" (")[0]
        rows[title] = colors[evaluation.labels[:_SHOWN]]
    return image_grid(rows), {"shown": _SHOWN, "seed": plan.seeds[0]}


def _templates(plan: Plan, target: Target) -> Figure:
    """Show segmentations, and below them what the system takes each object to be."""
    picture, facts = _segmentations(plan, target)
    run = plan.runs_of(target.systems[0])[0]
    method, _ = load_networks(RunFolder.open(run.folder), "loss")
    templates = method.templates.on_white()
    keras.backend.clear_session()
    return _stacked([picture, image_grid({"templates": templates}, scale=4)]), facts


def _progress(plan: Plan, target: Target) -> Figure:
    """Show the segments of the same images after every epoch, or 12 of them."""
    run = plan.runs_of(target.systems[0])[0]
    files = sorted(RunFolder.open(run.folder).progress.glob("*.png"))
    shown = sorted({round(i) for i in np.linspace(0, len(files) - 1, _EPOCHS)})
    images = load_split(run.config.data, "val", with_masks=False, limit=_SHOWN).images
    rows = {"image": images}
    for file in (files[index] for index in shown):
        side_by_side = np.asarray(Image.open(file))
        count = side_by_side.shape[1] // images.shape[2]
        labels = np.stack(np.split(side_by_side, count, axis=1))
        rows[f"epoch {int(file.stem)}"] = colorize(labels[: len(images)])
    return image_grid(rows), {"length": _epoch_length(run), "seed": plan.seeds[0]}


def _cosines(plan: Plan, target: Target) -> Figure:
    """Show whether mini-batches agree on where S should go, while systems train."""
    curves = {}
    for name in target.systems:
        run = plan.runs_of(name)[0]
        folder = RunFolder.open(run.folder).tensorboard
        curves[plan.experiments.systems[name].title] = read_scalars(
            folder, "train/gradient_cosine"
        )
    picture = curves_picture(
        curves, "mini-batch", "cosine of S's gradient with\nthe mean of those before"
    )
    return picture, {"seed": plan.seeds[0]}


def _epoch_length(run: PlannedRun) -> str:
    steps = run.config.training.steps_per_epoch
    return "one pass over the data" if steps is None else f"{steps} mini-batches"


def _photographs(plan: Plan, target: Target) -> Figure:
    """Show the segments of some photographs, before and after merging regions."""
    run, data = plan.runs_of(target.systems[0])[0], plan.data["bsds_whole"]
    merged = merged_name(PHOTOGRAPH_REGION_SIZE)
    merging = postprocessings(PHOTOGRAPH_REGION_SIZE)[merged]
    labels = {
        "segments": evaluate_once(run, "val", data).labels,
        "merged": evaluate_once(run, "val", data, merged, merging).labels,
    }
    filenames = open_split(data, "val", with_masks=False).filenames
    stride = max(1, len(filenames) // _PHOTOGRAPHS)
    shown = np.arange(0, len(filenames), stride)[:_PHOTOGRAPHS]
    half_size = np.s_[shown, ::2, ::2]
    rows = {name: colorize(labels[name][half_size]) for name in labels}
    facts = {
        "names": ", ".join(filenames[index] for index in shown),
        "seed": run.config.seed,
        "min_region_size": PHOTOGRAPH_REGION_SIZE,
    }
    return image_grid(rows, scale=1), facts


_FIGURES: dict[str, Callable[[Plan, Target], Figure]] = {
    "cosines": _cosines,
    "photographs": _photographs,
    "progress": _progress,
    "samples": _samples,
    "segmentations": _segmentations,
    "templates": _templates,
}


def _first_images(data: str | Path) -> LoadedSplit:
    return load_split(data, "test", with_masks=True, limit=_SHOWN)


def _stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return pictures below each other, on white."""
    width = max(picture.width for picture in pictures)
    height = sum(picture.height for picture in pictures)
    stacked = Image.new("RGB", (width, height), "white")
    top = 0
    for picture in pictures:
        stacked.paste(picture, (0, top))
        top += picture.height
    return stacked
