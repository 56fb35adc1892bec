"""Backbones with their trained weights, from packages that are installed."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import keras

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.cache import cache_folder
from cirs_tf.file_hash import file_sha256
from cirs_tf.models.backbones import weights_file
from cirs_tf.models.backbones.efficientnet_lite0 import efficientnet_lite0, load_state
from cirs_tf.models.backbones.feature_maps import FeatureMaps
from cirs_tf.models.backbones.torch_state import read_torch_state


def load_efficientnet_lite0(network: keras.Model) -> None:
    """Give `efficientnet_lite0` ImageNet's weights; nothing is downloaded.

    They come with the extra `pretrained`. Its file is checked by its SHA-256, and kept
    as Keras weights with a SHA-256 of their own, in `cirs_tf` in `$XDG_CACHE_HOME`
    (default: `~/.cache`).

    Args:
        network: Of `efficientnet_lite0`, with any of its outputs.

    Raises:
        ConfigError: The extra is not installed.
        DataError: Its file is not the known one.
    """
    source = weights_file.checked_file()
    whole = efficientnet_lite0(("b15", "logits"))
    kept = _KeptWeights(cache_folder() / f"{weights_file.NAME}.weights.h5")
    if not kept.load_into(whole):
        load_state(whole, read_torch_state(source))
        kept.save(whole)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())


def pretrained_efficientnet_lite0(outputs: Sequence[str]) -> keras.Model:
    """Return `efficientnet_lite0` with ImageNet's weights.

    Args:
        outputs: As of `efficientnet_lite0`.

    Raises:
        ConfigError, DataError: As of `load_efficientnet_lite0`.
    """
    network = efficientnet_lite0(outputs)
    load_efficientnet_lite0(network)
    return network


def pretrained_feature_maps(layers: Sequence[str]) -> FeatureMaps:
    """Return what calls that network on single images, for these of its maps."""
    return FeatureMaps(pretrained_efficientnet_lite0(layers))


class _KeptWeights:
    """Keras weights on disk, and beside them the SHA-256 that they had.

    Args:
        file: `NAME.weights.h5`.
    """

    def __init__(self, file: Path):
        self._file = file
        self._hash_file = file.with_suffix(".sha256")

    def load_into(self, network: keras.Model) -> bool:
        """Load the weights; return whether they were there, as they were written."""
        try:
            expected = self._hash_file.read_text()
            if file_sha256(self._file) != expected:
                return False
        except OSError:
            return False
        network.load_weights(self._file)
        return True

    def save(self, network: keras.Model) -> None:
        """Keep the weights, where that is possible."""
        staged = self._file.with_name(f".{os.getpid()}.{self._file.name}")
        with contextlib.suppress(OSError):  # the next call converts again
            self._file.parent.mkdir(parents=True, exist_ok=True)
            network.save_weights(staged)
            digest = file_sha256(staged)
            os.replace(staged, self._file)
            write_text_atomically(self._hash_file, digest)
        with contextlib.suppress(OSError):
            staged.unlink()
