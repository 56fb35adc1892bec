"""Load what `export` wrote, in whichever of its formats Python can segment with."""

from pathlib import Path

from cirs_tf.errors import DataError
from cirs_tf.serving.formats.keras_file import KERAS_FILE, load_keras_file
from cirs_tf.serving.savedmodel import load_savedmodel
from cirs_tf.serving.segmenter import Segmenter

# Written for other runtimes.
_OTHERS = {
    ".onnx": "an ONNX model",
    ".tflite": "a LiteRT model",
    ".xml": "an OpenVINO model",
    ".bin": "an OpenVINO model",
}


def load_exported(path: str | Path) -> Segmenter:
    """Load an exported model, no run.

    Args:
        path: A SavedModel's folder or that of one of its versions; a `.keras` file, or
            a folder with `segmenter.keras`, as the formats `keras` and `hub` are.

    Raises:
        DataError: It is none of these, or cannot be loaded. Models for other runtimes
            and run folders are told apart.
    """
    path = Path(path)
    if path.is_file():
        if path.suffix.lower() == ".keras":
            return load_keras_file(path)
        raise _unusable(path, _OTHERS.get(path.suffix.lower(), "no model"))
    if (path / KERAS_FILE).is_file():
        return load_keras_file(path / KERAS_FILE)
    if (path / "config.yaml").is_file():
        raise DataError(
            f"{path}: is a run, not yet exported: python -m cirs_tf.export {path} "
            "--out DIR"
        )
    for file in sorted(path.glob("segmenter.*")):
        if file.suffix in _OTHERS:
            raise _unusable(path, _OTHERS[file.suffix])
    return load_savedmodel(path)


def size_note(segmenter: Segmenter) -> str | None:
    """Return why a model sees images at their own size; None: it does not.

    Args:
        segmenter: From `load_exported`.
    """
    if segmenter.card is not None:
        return None
    if segmenter.keras_model is not None:
        return "no cirs_tf.json beside it: it sees images at their own size"
    return (
        "exported before models knew the size of their training images: it sees images "
        "at their own size; export the run again"
    )


def _unusable(path: Path, what: str) -> DataError:
    return DataError(
        f"{path}: is {what}; expected a SavedModel, a .keras file or a hub folder"
    )
