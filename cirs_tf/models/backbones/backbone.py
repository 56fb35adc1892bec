"""Backbones by name: networks from images to feature maps, and their weights."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from cirs_tf.errors import ConfigError
from cirs_tf.models.backbones import keras_applications, weights_file
from cirs_tf.models.backbones.dinov2 import (
    dinov2,
    dinov2_origin,
    load_dinov2_weights,
)
from cirs_tf.models.backbones.efficientnet_lite0 import efficientnet_lite0
from cirs_tf.models.backbones.pretrained import load_efficientnet_lite0

EFFICIENTNET_LITE0, DINOV2 = "efficientnet_lite0", "dinov2"
# Values of `weights` that are no file.
PRETRAINED, RANDOM = "pretrained", "random"


def build_backbone(
    name: str, outputs: Sequence[str], seed: int, weights: str = RANDOM
) -> keras.Model:
    """Build a backbone with random weights.

    Args:
        name: `efficientnet_lite0`; a network of `keras.applications`, such as
            `MobileNetV2`; or `dinov2`.
        outputs: Names of the layers whose maps it returns; of `efficientnet_lite0`,
            `b0` to `b15`; of `dinov2`, `stage1` to `stageN` and `layernorm`.
        seed: Seed of the kernels (He et al. 2015); all else, and all of `dinov2`, is
            as Keras begins.
        weights: As of `load_backbone_weights`: of `dinov2`, which preset says how large
            it is. Of others nothing depends on it.

    Returns:
        From `[batch, height, width, 3]` float32 in [0, 1] to a dict of `[batch, rows,
        columns, channels]` by name. Not trainable; in inference mode always.

    Raises:
        ConfigError: There is no such network, or layer; the extra `hub` is not
            installed.
        DataError: There is no such preset.
    """
    try:
        if name == DINOV2:
            return dinov2(outputs, weights)
        if name == EFFICIENTNET_LITE0:
            network = efficientnet_lite0(outputs)
        else:
            network = keras_applications.application(name, outputs)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None
    flat = [name for name, maps in network.output.items() if len(maps.shape) != 4]
    if flat:
        raise ConfigError(f"{name}: expected layers with maps, got {', '.join(flat)}")
    rng = np.random.default_rng(seed)
    for layer in _layers_of(network):
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        for weight in layer.weights:
            if weight.name.endswith("kernel"):
                fan_in = np.prod(weight.shape[: 2 if depthwise else -1])
                weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
    return network


def _layers_of(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers of a network, and of the networks in it."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)
        else:
            yield layer


def weights_origin(name: str, weights: str) -> str:
    """Return what the weights of a backbone are, and their licence where it is known.

    Args:
        name: As of `build_backbone`.
        weights: As of `load_backbone_weights`.
    """
    if weights == RANDOM:
        return f"{name}, random weights"
    if name == EFFICIENTNET_LITE0:
        return weights_file.ORIGIN
    if name == DINOV2:
        return dinov2_origin(weights)
    if weights == PRETRAINED:
        return (
            f"{name} of keras.applications, trained on ImageNet with its labels: no "
            "labels of your images"
        )
    return f"{name} of keras.applications, weights of {Path(weights).name}"


def load_backbone_weights(network: keras.Model, name: str, weights: str) -> None:
    """Give a backbone its trained weights.

    Args:
        network: Of `build_backbone`.
        name: The same name.
        weights: `pretrained`: those of the extra `pretrained`, or, of a network of
            `keras.applications`, ImageNet's, which Keras downloads where they are not
            in its cache; `random`: as they are; or a file that
            `keras.applications` reads. Of `dinov2`, the name of a preset of keras-hub,
            which downloads it where it is not in its cache, or a preset's folder.

    Raises:
        ConfigError: The extra is not installed, or there are no such weights.
        DataError: A file is not the known one, or does not fit.
    """
    if weights == RANDOM:
        return
    if name == DINOV2:
        load_dinov2_weights(network, weights)
        return
    if name != EFFICIENTNET_LITE0:
        source = "imagenet" if weights == PRETRAINED else weights
        keras_applications.load_application_weights(network, name, source)
        return
    if weights != PRETRAINED:
        raise ConfigError(
            f"{name}: expected weights {PRETRAINED} or {RANDOM}, got {weights!r}"
        )
    load_efficientnet_lite0(network)
