"""The functions of the public API: train, load, evaluate, export."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cirs_tf.config.files import resolve
from cirs_tf.config.sections import Config
from cirs_tf.config.settings import path_override
from cirs_tf.data.image_files import MAX_PIXELS
from cirs_tf.default_data import default_data
from cirs_tf.errors import DataError
from cirs_tf.methods.registry import load_config
from cirs_tf.runs import session
from cirs_tf.runs.evaluation import Evaluation, evaluate_run
from cirs_tf.runs.exporting import SAVED_MODEL, export_run
from cirs_tf.runs.restore import load_segmenter, open_run
from cirs_tf.serving.exported_model import load_exported, size_note
from cirs_tf.serving.formats.keras_file import KERAS_FILE
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.training.run_folder import RunFolder


def train(
    config: str | Path | Config,
    *,
    data: str | Path | None = None,
    run: str | Path | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    verify: bool = False,
) -> session.Run:
    """Train a segmenter without labels into a run folder.

    The same call goes on with a run that was stopped, and leaves a finished one as it
    is. It is also a command: `python -m cirs_tf.train`.

    Args:
        config: A method (`cirs_aligned`), the name of an installed configuration
            (`thesis/cirs_balanced`), a YAML file, or a resolved configuration.
        data: Folder written by `data_gen`; None: the fruit set, drawn into the cache.
        run: The run folder; None: `runs/METHOD-DATE-TIME`.
        epochs: Number of epochs; None: the configuration's.
        seed: Seed of weights and shuffling; None: the configuration's.
        settings: Any others, such as `{"segmenter.width": 8}`.
        verify: Whether hashes of the data are compared first, not sizes alone.

    Returns:
        The run: its folder, configuration and steps.

    Raises:
        CirsError: Something is not what is expected, said in one line.

    Example:
        `data` is a folder written by `data_gen`, `short` such settings as
        `{"training.steps_per_epoch": 2}`.

        >>> run = train(  # doctest: +ELLIPSIS
        ...     "cirs", data=data, run="runs/a", epochs=1, settings=short
        ... )
        run          runs/a
        ...
        >>> run.step, run.stopped_by
        (2, None)
    """
    chosen = {"training.epochs": epochs, "seed": seed}
    chosen = {key: value for key, value in chosen.items() if value is not None}
    overrides = [
        f"{key}={_as_text(value)}"
        for key, value in {**(settings or {}), **chosen}.items()
    ]
    if data is not None:
        overrides.append(path_override("data", data))
    if isinstance(config, Config):
        resolved = resolve(config, overrides=overrides)
    else:
        resolved = load_config(config, overrides)
    if resolved.data is None:
        resolved = resolve(resolved, overrides=[path_override("data", default_data())])
    return session.train(resolved, run, verify=verify)


def load(path: str | Path | session.Run, checkpoint: str | None = None) -> Segmenter:
    """Load a trained segmenter.

    Args:
        path: A run, its folder, a folder written by `export` in the format
            `saved_model`, `keras` or `hub`, or a `.keras` file.
        checkpoint: Of a run: `loss`, `oracle`, `last`, or a step; None: the run's own
            choice, `training.selection`.

    Returns:
        A segmenter with `predict` and, but for a SavedModel, `keras_model`.

    Raises:
        CirsError: There is no run or exported model, or it does not fit.

    Example:
        `run` is a run folder, `images` `[3, 16, 16, 3]` uint8.

        >>> segmenter = load(run)
        >>> segmenter.predict(images).shape
        (3, 16, 16)
    """
    path = _folder(path)
    is_exported = (path / KERAS_FILE).is_file()
    if RunFolder(path).config_file.is_file() and not is_exported:
        restored = load_segmenter(RunFolder(path), checkpoint)
        return Segmenter.from_keras(restored.segmenter, restored.card)
    if not path.exists():
        raise DataError(f"{path}: no such folder; expected a run or an exported model")
    if checkpoint is not None:
        raise DataError(f"{path}: an exported model has no checkpoints")
    segmenter = load_exported(path)
    if segmenter.keras_model is None and (note := size_note(segmenter)):
        warnings.warn(f"{path}: {note}", stacklevel=2)
    return segmenter


def evaluate(
    run: str | Path | session.Run,
    split: str = "test",
    *,
    data: str | Path | None = None,
    checkpoint: str | None = None,
    verify: bool = False,
) -> Evaluation:
    """Score a run on a split.

    It is also a command: `python -m cirs_tf.evaluate`.

    Args:
        run: A run, or its folder.
        split: `train`, `val` or `test`.
        data: Another data set than the run's own.
        checkpoint: `loss`, `oracle`, `last`, or a step; None: the run's own choice.
        verify: Whether hashes of the data are compared first, not sizes alone.

    Returns:
        Scores by checkpoint; `.chosen.scores.miou` is the headline.

    Raises:
        CirsError: The run, checkpoint, data set or split is not there.

    Example:
        `run` is a run folder.

        >>> evaluation = evaluate(run, split="val")
        >>> 0 < evaluation.chosen.scores.miou < 1
        True
    """
    return evaluate_run(open_run(_folder(run)), split, data, checkpoint, verify=verify)


def export(
    run: str | Path | session.Run,
    out: str | Path,
    *,
    checkpoint: str | None = None,
    names: Sequence[str] = (),
    max_pixels: int = MAX_PIXELS,
    format: str = SAVED_MODEL,
    quantize: str | None = None,
    data: str | Path | None = None,
) -> Path:
    """Write a segmenter for others to use, by default for TensorFlow Serving.

    It is also a command: `python -m cirs_tf.export`.

    Args:
        run: A run, or its folder.
        out: Folder of the model. A SavedModel is the next version in it, 1 at first;
            other formats want it new or empty.
        checkpoint: `loss`, `oracle`, `last`, or a step; None: the run's own choice.
        names: A name for each segment; none: `segment 0` and so on.
        max_pixels: The served model refuses files of more pixels.
        format: `saved_model`, `keras`, `onnx`, `litert`, `openvino`, or `hub`.
        quantize: Of `litert` alone: `float16` or `int8` weights, or `int8_full`,
            activations too; None: float32.
        data: Of `int8_full` alone: the data set whose training images show the range
            of activations; None: the run's own.

    Returns:
        The folder of the new version, the model's file, or the folder for the hub.

    Raises:
        CirsError: The run or checkpoint is not there, `out` cannot be written, there
            are not as many names as segments, a package is missing, or the format
            lacks an operation.

    Example:
        `run` is a run folder.

        >>> export(run, "exported/a").name
        '1'
    """
    path, _ = export_run(
        open_run(_folder(run)),
        out,
        checkpoint,
        format,
        quantize,
        data=data,
        segment_names=tuple(names),
        max_pixels=max_pixels,
    )
    return path


def _folder(run: str | Path | session.Run) -> Path:
    return run.path if isinstance(run, session.Run) else Path(run)


def _as_text(value: Any) -> str:
    """Return a value as `--set` takes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(list(value)) if isinstance(value, tuple) else str(value)
