"""Scores of a finished run on a split, one set for each of its checkpoints."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.data.image_split import ImageSplit, row_slices
from cirs_tf.data.manifest import MANIFEST, Manifest
from cirs_tf.data.splits import open_segmentations
from cirs_tf.errors import CheckpointError, DataError
from cirs_tf.metrics.annotators import AnnotatorScores, score_annotators
from cirs_tf.metrics.segmentation import SegmentationMetric, SegmentationScores
from cirs_tf.runs.annotator_scales import BestScaleScores, scores_at_scales
from cirs_tf.runs.label_store import ConnectedRegions, new_label_store
from cirs_tf.runs.open_split import split_opener
from cirs_tf.runs.restore import load_segmenter
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.validation import Predictor
from cirs_tf.visualization import segmentation_grid

CHECKPOINT_MEANING = {
    "loss": "lowest validation loss, no labels",
    "oracle": "highest validation mIoU, chosen by labels",
    "last": "last step, no labels",
}
NAMED_STEP = "the step that was named"
_PICTURED = 12
_AT_ONCE = 16  # images whose masks are counted at a time

# Some images `[N, H, W, 3]` uint8 and their probabilities `[N, H, W, K]` to labels
# `[N, H, W]`, each image for itself.
Postprocessing = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one checkpoint does on a split.

    Attributes:
        step: Mini-batches that it had seen.
        scores: By the masks, None where the split has none.
        annotators: By the segmentations of several annotators, None where there are
            none: the `segments` as they are, and their connected `regions`.
        segment_share: `[K]`, share of pixels in each segment.
        scales: ODS and OIS, of the chosen checkpoint's step alone; None where
            `annotators` is.
    """

    step: int
    scores: SegmentationScores | None
    annotators: dict[str, AnnotatorScores] | None
    segment_share: tuple[float, ...]
    scales: BestScaleScores | None = None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A run on a split.

    Attributes:
        checkpoint: The one that was asked for, or the run's own choice.
        outcomes: Scores of every checkpoint that there is, by name.
        split: The images.
        labels: `[images, height, width]` uint8 of `checkpoint`; of a split that is
            streamed in a temporary file, one byte a pixel.
        classes: Names of the true classes.
    """

    checkpoint: str
    outcomes: dict[str, Outcome]
    split: ImageSplit
    labels: np.ndarray
    classes: tuple[str, ...]

    @property
    def chosen(self) -> Outcome:
        """The outcome of `checkpoint`."""
        return self.outcomes[self.checkpoint]

    @property
    def checkpoint_text(self) -> str:
        """Name, step and meaning of `checkpoint`, for people."""
        how = CHECKPOINT_MEANING.get(self.checkpoint, NAMED_STEP)
        return f"checkpoint {self.checkpoint!r} of step {self.chosen.step} ({how})"

    def as_json(self) -> dict:
        """Return numbers alone: the chosen checkpoint's, and each one's in short."""
        result = {
            "checkpoint": self.checkpoint,
            "step": self.chosen.step,
            "images": len(self.labels),
            "segment_share": list(self.chosen.segment_share),
        }
        if self.chosen.scores is not None:
            result |= dataclasses.asdict(self.chosen.scores)
            result["by_checkpoint"] = {
                name: {
                    "step": outcome.step,
                    "miou": outcome.scores.miou,
                    "miou_thesis": outcome.scores.miou_thesis,
                }
                for name, outcome in self.outcomes.items()
            }
        if self.chosen.annotators is not None:
            result["annotators"] = {
                name: dataclasses.asdict(scores)
                for name, scores in self.chosen.annotators.items()
            }
        if self.chosen.scales is not None:
            result["annotators"] |= dataclasses.asdict(self.chosen.scales)
        return result

    def picture(self, first: int = 0, images: int = _PICTURED) -> Image.Image:
        """Draw some images, their segments, the truth where there is one."""
        rows = slice(first, first + images)
        scores, masks = self.chosen.scores, self.split.masks
        legend = [
            f"{k}: {share:.0%}" for k, share in enumerate(self.chosen.segment_share)
        ]
        if scores is not None:
            for name, segment in zip(self.classes, scores.assignment, strict=True):
                if segment >= 0:
                    legend[segment] += f" {name}"
        return segmentation_grid(
            self.split.images[rows],
            self.labels[rows],
            None if masks is None else masks[rows],
            None if scores is None else scores.assignment,
            scale=2 if self.labels.shape[1] <= 128 else 1,
            legend=legend,
        )


def evaluate_run(
    run: RunFolder,
    split_name: str,
    data: str | Path | None = None,
    checkpoint: str | None = None,
    postprocessing: Postprocessing | None = None,
    others: bool = True,
    verify: bool = False,
) -> Evaluation:
    """Predict a split with the checkpoints of a run and score it.

    Args:
        run: A run of a method that has a segmenter.
        split_name: `train`, `val` or `test`.
        data: Another data set than the run's own; images may have another size.
        checkpoint: `loss`, `oracle`, `last`, or the step of one that is kept; None:
            `training.selection` of the run.
        postprocessing: Makes labels of probabilities; None: the argmax.
        others: Whether the other checkpoints are scored too, where there are masks.
        verify: Whether hashes of the data are compared first, not sizes alone.

    Raises:
        CheckpointError: `checkpoint` is not there, or does not fit.
        ConfigError: The method has no segmenter.
        DataError: The data set or split is missing or damaged.
    """
    restored = load_segmenter(run, checkpoint)
    config, segmenter = restored.config, restored.segmenter
    if data is None and not (Path(config.data) / MANIFEST).is_file():
        raise DataError(
            f"{config.data}: the data set of the run is not there; say where it is "
            "with --data"
        )
    data = data or config.data
    manifest = Manifest.read(data)
    entry = manifest.split(split_name)
    split = split_opener(config, data, verify)(split_name, entry.masks)
    annotations = open_segmentations(data, split_name) if entry.segmentations else None
    height, width = split.images.shape[1:3]
    store = CheckpointStore(run.checkpoints)
    # As many pixels at a time as in training.
    pixels = config.training.batch_size * restored.height * restored.width
    at_once = max(1, pixels // (height * width))
    predictor = Predictor(segmenter, at_once)

    def outcome(name: str) -> tuple[Outcome, np.ndarray]:
        step = store.restore(name, {"segmenter": segmenter})["step"]
        images, masks = split.images, split.masks
        labels = new_label_store(split)
        metric = SegmentationMetric(config.segments, len(manifest.classes))
        counts = np.zeros(config.segments, np.int64)
        for rows in row_slices(len(images), at_once):
            some = images[rows]
            if postprocessing is None:
                labels[rows] = predictor(some)
            else:
                labels[rows] = postprocessing(some, predictor.probabilities(some))
            counts += np.bincount(labels[rows].ravel(), minlength=config.segments)
            if masks is not None:
                metric.update_state(masks[rows], labels[rows])
        scores = metric.result() if metric.images else None
        share = tuple(map(float, counts / counts.sum()))
        annotators = (
            None if annotations is None else against_annotators(labels, annotations)
        )
        return Outcome(step, scores, annotators, share), labels

    chosen = restored.checkpoint
    first, labels = outcome(chosen)
    if annotations is not None:
        scales = scores_at_scales(labels, annotations)
        first = dataclasses.replace(first, scales=scales)
    outcomes, by_step = {chosen: first}, {first.step: first}
    for name in CHECKPOINT_MEANING if others and split.masks is not None else ():
        try:
            step = store.read_state(name)["step"]
            if step not in by_step:
                by_step[step], _ = outcome(name)
            outcomes[name] = by_step[step]
        except CheckpointError:
            continue
    return Evaluation(chosen, outcomes, split, labels, manifest.classes)


def against_annotators(
    labels: np.ndarray, annotations: Sequence[Sequence[np.ndarray]]
) -> dict[str, AnnotatorScores]:
    """Score the `segments` as they are, and their connected `regions`.

    Args:
        labels: `[images, height, width]` integers.
        annotations: For each image one `[height, width]` label map per annotator.
    """
    return {
        "segments": score_annotators(annotations, labels),
        "regions": score_annotators(annotations, ConnectedRegions(labels)),
    }


def single_segment_scores(split: ImageSplit, classes: int) -> SegmentationScores:
    """Score one segment everywhere, for scale.

    Args:
        split: With masks.
        classes: Number of true classes.

    Raises:
        DataError: No mask has a pixel that counts.
    """
    metric = SegmentationMetric(num_segments=1, num_classes=classes)
    masks = split.masks
    for rows in row_slices(len(masks), _AT_ONCE):
        some = masks[rows]
        metric.update_state(some, np.zeros_like(some))
    if not metric.images:
        raise DataError("masks: expected pixels of classes, got 255 everywhere")
    return metric.result()


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file in one step; folders are made.

    Args:
        path: The file.
        content: What goes in.

    Raises:
        DataError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None
