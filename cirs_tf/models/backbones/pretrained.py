"""Backbones with their trained weights, from packages that are installed."""

import os
from collections.abc import Sequence
from pathlib import Path

import keras

from cirs_tf.atomic_write import atomic_path
from cirs_tf.models.backbones import weights_file
from cirs_tf.models.backbones.efficientnet_lite0 import efficientnet_lite0, load_state
from cirs_tf.models.backbones.feature_maps import FeatureMaps
from cirs_tf.models.backbones.torch_state import read_torch_state


def pretrained_efficientnet_lite0(outputs: Sequence[str]) -> keras.Model:
    """Return `efficientnet_lite0` with ImageNet's weights; nothing is downloaded.

    They come with the extra `pretrained`, are checked by their SHA-256 and kept as
    Keras weights in `CIRS_TF_CACHE` (default: `~/.cache/cirs_tf`).

    Args:
        outputs: As of `efficientnet_lite0`.

    Raises:
        ConfigError: The extra is not installed.
        DataError: Its file is not the known one.
    """
    whole = efficientnet_lite0(("b15", "logits"))
    cached = cache_folder() / f"{weights_file.NAME}.weights.h5"
    if not _load_cached(whole, cached):
        load_state(whole, read_torch_state(weights_file.checked_file()))
        _keep(whole, cached)
    network = efficientnet_lite0(outputs)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    return network


def pretrained_feature_maps(layers: Sequence[str]) -> FeatureMaps:
    """Return what calls that network on single images, for these of its maps."""
    return FeatureMaps(pretrained_efficientnet_lite0(layers))


def cache_folder() -> Path:
    """Return where converted weights are kept."""
    return Path(os.environ.get("CIRS_TF_CACHE", Path.home() / ".cache" / "cirs_tf"))


def _load_cached(network: keras.Model, file: Path) -> bool:
    try:
        network.load_weights(file)
    except (OSError, ValueError, KeyError):  # none yet, or damaged: made anew
        return False
    return True


def _keep(network: keras.Model, file: Path) -> None:
    """Write the weights; where that is not possible, the next call converts again."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            named = temporary.with_name(f"{temporary.name}.weights.h5")
            network.save_weights(named)
            os.replace(named, temporary)
    except OSError:
        return
