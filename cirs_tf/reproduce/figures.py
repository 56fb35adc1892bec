"""The thesis's pictures from runs: input, truth, and what each system makes of it."""

import functools
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from cirs_tf.data.manifest import Manifest
from cirs_tf.data.pipeline import LoadedSplit, load_split
from cirs_tf.methods.build import build_method
from cirs_tf.postprocessing.postprocess import postprocess
from cirs_tf.reproduce.plan import MERGED_BELOW
from cirs_tf.reproduce.systems import SYSTEMS
from cirs_tf.runs.evaluation import evaluate_run
from cirs_tf.runs.queue import Run
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.visualization import colorize, image_grid, palette

_SHOWN = 8
_SEGMENTATIONS = {
    "figure7": ("cirs_balanced",),
    "figure9": ("cirs_balanced", "cirs_imbalanced"),
    "figure10": ("wnet_thesis", "cirs_imbalanced"),
    "figure12": ("air", "air_per_segment"),
    "aligned": ("cirs_aligned",),
    "twotone": ("cirs_aligned_twotone",),
}
_WITH_TEMPLATES = ("aligned", "twotone")
_TITLES = {
    "figure4": "Figure 4: images of the data set",
    "figure7": "Figure 7: segments of CIRS, balanced",
    "figure8": "Figure 8: representation overfitting, epoch by epoch",
    "figure9": "Figure 9: CIRS, balanced and imbalanced",
    "figure10": "Figure 10: W-Net beside CIRS, imbalanced",
    "figure12": "Figure 12: segments of AIR",
    "aligned": "Segments of CIRS, aligned",
    "twotone": "Segments of CIRS, aligned, on objects of several colors",
    "bsds": "W-Net on whole images of BSDS500",
}

Caption = tuple[str, str]


def draw_figures(
    targets: Sequence[str], runs: Sequence[Run], data: dict[str, Path], folder: Path
) -> dict[str, tuple[str, Caption]]:
    """Write the figures among some targets as PNG.

    Args:
        targets: Keys of `systems.TARGETS`.
        runs: All finished; the first of each system is shown.
        data: Folder of each data set.
        folder: Where they go.

    Returns:
        Target to file name and caption (title, text).
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {run.system: run for run in reversed(runs)}
    figures = {}
    for target in targets:
        if target not in _TITLES:
            continue
        if target == "figure4":
            picture, text = _samples(_shown(data["fruit"]))
        elif target == "bsds":
            picture, text = _photographs(first["wnet_bsds"], data["bsds_whole"])
        elif target == "figure8":
            picture, text = _overfitting(first["cirs_segmenter_heavy"])
        else:
            names = _SEGMENTATIONS[target]
            picture, text = _segmentations([first[name] for name in names])
            if target in _WITH_TEMPLATES:
                picture = _stacked([picture, _templates(first[names[0]])])
                text += " Below, the templates that were learned, on white."
        picture.save(folder / f"{target}.png")
        figures[target] = (f"{folder.name}/{target}.png", (_TITLES[target], text))
    return figures


def _shown(data: str | Path) -> LoadedSplit:
    return load_split(data, "test", with_masks=True, limit=_SHOWN)


def _samples(split: LoadedSplit) -> tuple[Image.Image, str]:
    rows = {"image": split.images, "truth": colorize(split.masks)}
    return image_grid(rows), f"The first {_SHOWN} images of the test split."


def _overfitting(run: Run) -> tuple[Image.Image, str]:
    """Stack the segments of the same images after every epoch (at most 12 of them)."""
    folder = RunFolder.open(run.folder)
    files = sorted(folder.progress.glob("*.png"))
    chosen = sorted({round(i) for i in np.linspace(0, len(files) - 1, 12)})
    images = load_split(run.config.data, "val", with_masks=False, limit=_SHOWN).images
    rows = {"image": images}
    for file in (files[index] for index in chosen):
        labels = np.asarray(Image.open(file))
        parts = np.stack(np.split(labels, labels.shape[1] // images.shape[2], axis=1))
        rows[f"epoch {int(file.stem)}"] = colorize(parts[: len(images)])
    steps = run.config.training.steps_per_epoch
    length = "one pass over the data" if steps is None else f"{steps} mini-batches"
    text = (
        f"The first validation images, segments after each epoch of {length} "
        f"(S 100, then g 5), seed {run.seed}. A color is a segment's number."
    )
    return image_grid(rows), text


def _segmentations(runs: Sequence[Run]) -> tuple[Image.Image, str]:
    """Show what systems make of the first images of the data set that they share."""
    split = _shown(runs[0].config.data)
    rows = {"image": split.images, "truth": colorize(split.masks)}
    for run in runs:
        found = evaluate_run(
            RunFolder.open(run.folder), "test", run.config.data, "loss", others=False
        )
        colors = segment_colors(found.chosen.scores.assignment, run.config.segments)
        rows[SYSTEMS[run.system].title.split(" (")[0]] = colors[found.labels[:_SHOWN]]
        keras.backend.clear_session()
    text = (
        f"The first {_SHOWN} test images, label-free checkpoint, seed {runs[0].seed}. "
        "A segment has the color of the class that it is matched with for `miou`."
    )
    return image_grid(rows), text


def _templates(run: Run) -> Image.Image:
    """Show what CIRS with aligned segments takes each object to be."""
    folder, trained = RunFolder.open(run.folder), Manifest.read(run.folder)
    method = build_method(run.config, trained.height, trained.width)
    CheckpointStore(folder.checkpoints).restore("loss", method.networks)
    templates = method.templates.on_white()
    keras.backend.clear_session()
    return image_grid({"templates": templates}, scale=4)


def _stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    width = max(picture.width for picture in pictures)
    height = sum(picture.height for picture in pictures)
    stacked = Image.new("RGB", (width, height), "white")
    top = 0
    for picture in pictures:
        stacked.paste(picture, (0, top))
        top += picture.height
    return stacked


def _photographs(run: Run, data: Path) -> tuple[Image.Image, str]:
    folder = RunFolder.open(run.folder)
    plain = evaluate_run(folder, "val", data, "loss", others=False)
    merge = functools.partial(
        postprocess, crf=False, min_region_size=MERGED_BELOW["val"]
    )
    merged = evaluate_run(folder, "val", data, "loss", merge, others=False)
    chosen = np.arange(0, len(plain.labels), max(1, len(plain.labels) // 4))[:4]
    half = np.s_[chosen, ::2, ::2]
    rows = {
        "segments": colorize(plain.labels[half]),
        "merged": colorize(merged.labels[half]),
    }
    names = ", ".join(plain.split.filenames[index] for index in chosen)
    text = (
        f"{names}; label-free checkpoint, seed {run.seed}; below, connected regions of "
        f"under {MERGED_BELOW['val']} pixels are merged. The photographs are not ours "
        "to publish; `eval/` of the run has pictures with them."
    )
    return image_grid(rows, scale=1), text


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
