"""In which precision the layers of a network compute."""

import contextlib
import contextvars
from collections.abc import Iterator

import keras

_precision = contextvars.ContextVar("precision", default="float32")


@contextlib.contextmanager
def hidden_precision(precision: str) -> Iterator[None]:
    """Build networks whose hidden layers compute in `precision`.

    Weights, the layers that give outputs, and losses stay in float32, and with them
    the range of gradients: bfloat16 has float32's exponents, and needs no scaling.

    Args:
        precision: `float32`, which changes nothing, or `bfloat16`.

    Example:
        >>> from cirs_tf.config.sections import SegmenterConfig
        >>> from cirs_tf.models.unet import unet
        >>> with hidden_precision("bfloat16"):
        ...     network = unet(SegmenterConfig(), 4, seed=0)
        >>> [layer.compute_dtype for layer in network.layers[-3:]]
        ['bfloat16', 'float32', 'float32']

    Reference: Micikevicius et al. 2018; Kalamkar et al. 2019.
    """
    token = _precision.set(precision)
    try:
        yield
    finally:
        _precision.reset(token)


@contextlib.contextmanager
def hidden_layers() -> Iterator[None]:
    """Build the hidden layers of a network, in the precision that was asked for."""
    before = keras.config.dtype_policy()
    if _precision.get() == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
