"""A segmenter as a `.keras` file, written and read."""

from pathlib import Path

import keras

from cirs_tf.errors import DataError
from cirs_tf.serving.formats.description import DESCRIPTION
from cirs_tf.serving.model_card import ModelCard
from cirs_tf.serving.segmenter import Segmenter

KERAS_FILE = "segmenter.keras"


def load_keras_file(path: str | Path) -> Segmenter:
    """Load a `.keras` file, of layers of Keras and of this package alone.

    Nothing in it is executed: code (a Lambda layer) is refused, as Keras' safe mode
    does. With `cirs_tf.json` beside it, images are segmented at the training scale.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read, or is no segmenter.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:  # Keras has no class for what is wrong with a file
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{path}: cannot be loaded: {reason}") from None
    if not _is_segmenter(*shapes):
        raise DataError(
            f"{path}: no segmenter: expected [batch, height, width, 3] to [batch, "
            f"height, width, K], got {shapes[0]} to {shapes[1]}"
        )
    beside = Path(path).with_name(DESCRIPTION)
    card = None
    if beside.is_file():
        card = ModelCard.from_json(beside.read_text(encoding="utf-8"), str(beside))
    return Segmenter.from_keras(model, card)


def _is_segmenter(inputs: object, outputs: object) -> bool:
    for shape in (inputs, outputs):
        if not isinstance(shape, tuple) or len(shape) != 4:
            return False
    return inputs[-1] == 3 and isinstance(outputs[-1], int)
