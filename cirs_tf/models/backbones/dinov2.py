"""DINOv2 of keras-hub as a backbone: maps of its patch tokens, at any image size."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import keras

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.layers.patch_maps import PatchMaps

_PRESETS = re.compile(r"dinov2_(with_registers_)?(small|base|large|giant)")


def dinov2(outputs: Sequence[str], preset: str) -> keras.Model:
    """Build a DINOv2 of the size that a preset says; its weights are not read.

    Args:
        outputs: As of `PatchMaps`.
        preset: Name of a preset of keras-hub, whose `config.json` it downloads where
            that is not in its cache, or the folder of one, as of `save_to_preset`.

    Returns:
        From `[batch, height, width, 3]` float32 in [0, 1] to a dict of `[batch, rows,
        columns, channels]` by name. Not trainable; in inference mode always.

    Raises:
        ConfigError: The extra `hub` is not installed, or there is no such preset or
            folder.
        DataError: The preset cannot be read.
        ValueError: An output is unknown.
    """
    backbone = _from_preset(preset, load_weights=False)
    images = keras.Input((None, None, 3))
    network = keras.Model(images, PatchMaps(backbone, outputs)(images), name="dinov2")
    network.trainable = False
    return network


def load_dinov2_weights(network: keras.Model, preset: str) -> None:
    """Load the weights of a preset into a network of `dinov2`.

    Args:
        network: Of `dinov2`, with the same preset.
        preset: Its name, of which keras-hub downloads what is not in its cache, or its
            folder.

    Raises:
        ConfigError, DataError: As of `dinov2`.
    """
    trained = _from_preset(preset, load_weights=True)
    (layer,) = (layer for layer in network.layers if isinstance(layer, PatchMaps))
    layer.backbone.set_weights(trained.get_weights())


def dinov2_origin(preset: str) -> str:
    """Return what the weights of a preset are, and their licence where it is known.

    Args:
        preset: As of `dinov2`.
    """
    if _PRESETS.fullmatch(preset):
        return (
            f"{preset} of keras-hub, DINOv2 trained on images without labels "
            "(Apache-2.0)"
        )
    return f"dinov2 of keras-hub, weights of {Path(preset).name}"


def _keras_hub() -> ModuleType:
    """Import keras-hub, which nothing else needs."""
    try:
        import keras_hub
    except ModuleNotFoundError as error:
        if error.name != "keras_hub":  # what is installed does not go together
            raise
        raise ConfigError(
            "dinov2: keras-hub is not installed: pip install 'cirs-tf[hub]', in an "
            "environment without tensorflow-cpu, since it brings tensorflow"
        ) from None
    return keras_hub


def _from_preset(preset: str, load_weights: bool) -> keras.Model:
    """Return a `DINOV2Backbone`."""
    backbone_class = _keras_hub().models.DINOV2Backbone
    known = preset in backbone_class.presets or "://" in preset
    if not known and not Path(preset).is_dir():
        raise ConfigError(
            "dinov2: weights: expected a preset of keras-hub, such as dinov2_small, or "
            "the folder of one, which also says how large the network is, got "
            f"{preset!r}"
        )
    try:
        return backbone_class.from_preset(preset, load_weights=load_weights)
    except Exception as error:  # whatever a download or a file may raise
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"dinov2: weights {preset}: {reason}") from None
