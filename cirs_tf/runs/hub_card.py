"""The model card of a run: YAML front matter and text, from what the run holds."""

import json
from pathlib import Path
from typing import Any

import yaml

from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import DataError
from cirs_tf.methods.registry import entry_of
from cirs_tf.runs.evaluation import CHECKPOINT_MEANING, NAMED_STEP
from cirs_tf.runs.restore import Restored
from cirs_tf.training.run_folder import RunFolder

# A field of the evaluation, its name on the card.
_METRICS = {
    "miou": "mIoU (one assignment of segments to classes for the whole split)",
    "miou_thesis": "mIoU of the thesis (an assignment per image)",
}
_SITE = "https://github.com/cirs-tf/cirs-tf"
_THESIS = (
    "The thesis: G. Bishop, Unsupervised Semantic Segmentation through Cross-Instance "
    "Representation Similarity, MSc thesis, WPI, 2020."
)


def model_card(
    name: str,
    run: RunFolder,
    restored: Restored,
    manifest: Manifest,
    model_license: str | None = None,
    picture: str | None = None,
) -> str:
    """Return the text of `README.md`.

    Args:
        name: Title of the model.
        run: The run folder; scores are those in its `eval`, of this checkpoint.
        restored: The segmenter.
        manifest: Of the data that it was trained on.
        model_license: An identifier of the hub; None: none is stated.
        picture: File of the picture; None: there is none.

    Raises:
        DataError: A file of scores is damaged.
    """
    scores = evaluations(run, restored)
    front = front_matter(name, restored.config.method, scores, model_license)
    entry = entry_of(restored.config.method)
    labels = (
        "The masks of the training images were used in training."
        if entry.method_class.needs_masks
        else "No labels were used in training."
    )
    sections = [
        f"# {name}",
        f"Semantic segmentation by `{entry.name}` of [cirs_tf]({_SITE}): "
        f"{entry.summary}. Each pixel of an image gets one of "
        f"{restored.config.segments} segments. {labels}",
        f"![Validation images and their segments]({picture})"
        if picture
        else "There is no picture: the data set was not at hand.",
        _USE,
        "## Training\n\n" + _table(_training(restored, manifest)),
        "## Evaluation\n\n" + _evaluation(scores),
        "## Limits\n\n" + _limits(restored, manifest),
        "## License\n\n" + _license(restored, model_license),
        f"## Reference\n\n{_THESIS}",
    ]
    text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{text}---\n\n" + "\n\n".join(sections) + "\n"


def evaluations(run: RunFolder, restored: Restored) -> list[dict[str, Any]]:
    """Return the scores of this checkpoint that `evaluate` has written in the run.

    Those of the labels after post-processing are left out: the model does none.

    Args:
        run: The run folder.
        restored: The segmenter, with checkpoint and step.

    Returns:
        For each split with masks `dataset` (its folder's name; of older evaluations,
        which do not note it, `not noted`), `split`, `images`, `miou`, `miou_thesis`.

    Raises:
        DataError: A file is damaged.
    """
    found = {}
    for file in sorted(run.evaluation.glob("*.json")):
        try:
            numbers = json.loads(file.read_text())
            # `reproduce` keeps its own here; older files of `evaluate` had no split.
            split = numbers.get("split", file.stem)
            if split not in ("train", "val", "test"):
                continue
            if "miou" not in numbers or "postprocessing" in numbers:
                continue
            here = numbers["by_checkpoint"].get(restored.checkpoint)
            if here is None or here["step"] != restored.step:
                continue
            scores = {key: float(here[key]) for key in _METRICS}
            row = {
                "dataset": Path(numbers.get("data", "not noted")).name,
                "split": split,
                "images": int(numbers["images"]),
                **scores,
            }
            # An evaluation of another checkpoint has the scores of all, too.
            key, own = (row["dataset"], split), numbers["checkpoint"]
            if key not in found or own == restored.checkpoint:
                found[key] = row
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{file}: not scores of `evaluate` ({error})") from None
    return [*found.values()]


def front_matter(
    name: str,
    method: str,
    scores: list[dict[str, Any]],
    model_license: str | None = None,
) -> dict[str, Any]:
    """Return what the hub reads: `model-index` is there where there are scores.

    Args:
        name: Title of the model.
        method: Name of the method.
        scores: From `evaluations`.
        model_license: As of `model_card`.
    """
    front: dict[str, Any] = {
        "license": model_license or "unknown",
        "library_name": "keras",
        "pipeline_tag": "image-segmentation",
        "tags": ["semantic-segmentation", "unsupervised", "cirs_tf", method],
    }
    if method == "supervised":
        front["tags"].remove("unsupervised")
    if scores:
        results = [
            {
                "task": {"type": "image-segmentation"},
                "dataset": {
                    "type": score["dataset"],
                    "name": score["dataset"],
                    "split": score["split"],
                },
                "metrics": [
                    {"type": "mean_iou", "name": text, "value": round(score[key], 4)}
                    for key, text in _METRICS.items()
                ],
            }
            for score in scores
        ]
        front["model-index"] = [{"name": name, "results": results}]
    return front


_USE = """## Use

```python
import cirs_tf

segmenter = cirs_tf.load("FOLDER")  # this folder, downloaded
labels = segmenter.predict(image)  # [height, width, 3] uint8 -> [height, width] uint8
```

`segmenter.keras` is a Keras model, images in [0, 1] to logits; after `import cirs_tf`,
`keras.saving.load_model` loads it, in safe mode. `config.yaml` holds all settings."""


def _training(restored: Restored, manifest: Manifest) -> list[tuple[str, str]]:
    config, entry = restored.config, entry_of(restored.config.method)
    images = manifest.splits.get("train")
    meaning = CHECKPOINT_MEANING.get(restored.checkpoint, NAMED_STEP)
    made = " ".join(
        str(manifest.generator[key])
        for key in ("name", "version")
        if manifest.generator.get(key)
    )
    count = f"{images.examples:,} images of " if images else "images of "
    return [
        (
            "data",
            f"`{manifest.name}`: {count}{manifest.width}x{manifest.height} pixels, "
            f"written by {made}, seed {manifest.generator.get('seed')}",
        ),
        ("method", f"`{entry.name}` ({entry.reference}), K = {config.segments}"),
        ("seed", str(config.seed)),
        (
            "checkpoint",
            f"`{restored.checkpoint}`, of {restored.step:,} mini-batches: {meaning}",
        ),
        ("weights trained elsewhere", restored.origin or "none"),
    ]


def _evaluation(scores: list[dict[str, Any]]) -> str:
    if not scores:
        return "This checkpoint was not evaluated."
    lines = [
        "| data set, split | images | " + " | ".join(_METRICS.values()) + " |",
        "|---|---|---|---|",
    ]
    for score in scores:
        numbers = " | ".join(f"{score[key]:.3f}" for key in _METRICS)
        lines.append(
            f"| `{score['dataset']}`, {score['split']} | {score['images']:,} | "
            f"{numbers} |"
        )
    return "\n".join(lines) + "\n\nOne run, of one seed; labels were used to score."


def _limits(restored: Restored, manifest: Manifest) -> str:
    entry = entry_of(restored.config.method)
    limits = [
        "Segments are numbers from 0 and have no names; which class a segment is, is "
        "found by comparison with masks.",
        f"Trained on `{manifest.name}`, images of {manifest.width}x{manifest.height} "
        "pixels; of others, or other sizes, nothing is known.",
    ]
    if entry.needs:
        limits.append(f"Needs of the data: {entry.needs}.")
    if restored.checkpoint == "oracle":
        limits.append("Labels of the validation images chose the checkpoint.")
    return "\n".join(f"- {limit}" for limit in limits)


def _license(restored: Restored, model_license: str | None) -> str:
    own = (
        f"These weights: {model_license}."
        if model_license
        else "None is stated for these weights."
    )
    elsewhere = (
        f" They contain weights trained elsewhere: {restored.origin}."
        if restored.origin
        else ""
    )
    return f"{own}{elsewhere} The code of cirs_tf: Apache-2.0."


def _table(rows: list[tuple[str, str]]) -> str:
    body = "\n".join(f"| {key} | {value} |" for key, value in rows)
    return f"| | |\n|---|---|\n{body}"
