"""Networks of `keras.applications` as backbones."""

import inspect
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

import keras

from cirs_tf.errors import DataError


def application(name: str, outputs: Sequence[str]) -> keras.Model:
    """Build a network of `keras.applications` without its head, with random weights.

    Args:
        name: Such as `MobileNetV2`.
        outputs: Names of its layers.

    Returns:
        From `[batch, height, width, 3]` float32 in [0, 1], which are prepared as the
        network expects, to a dict of the layers' maps by name. Not trainable; in
        inference mode always.

    Raises:
        ValueError: There is no such network or layer.
    """
    inner = _part(_headless(name, None), outputs)
    images = keras.Input((None, None, 3))
    maps = inner(PrepareImages(name)(images))
    backbone = keras.Model(images, maps, name=name.lower())
    backbone.trainable = False
    return backbone


def load_application_weights(network: keras.Model, name: str, weights: str) -> None:
    """Load trained weights into a network of `application`.

    Args:
        network: With an inner network whose layers are filled by name.
        name: As of `application`.
        weights: `imagenet`, or a file of Keras weights without the head.

    Raises:
        DataError: They cannot be loaded.
    """
    (inner,) = (layer for layer in network.layers if isinstance(layer, keras.Model))
    try:
        trained = _part(_headless(name, weights), list(network.output))
        if [type(layer) for layer in trained.layers] != [
            type(layer) for layer in inner.layers
        ]:
            raise ValueError("with weights it is another network than without")
        inner.set_weights(trained.get_weights())
    except Exception as error:  # whatever a download or a file may raise
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{name}: weights {weights}: {reason}") from None


@keras.saving.register_keras_serializable("cirs_tf")
class PrepareImages(keras.layers.Layer):
    """Images in [0, 1] as a network of `keras.applications` expects them.

    `[batch, height, width, 3]` to the same shape.

    Args:
        application: Name of the network.
    """

    def __init__(self, application: str, **kwargs):
        super().__init__(**kwargs)
        self.application = application
        self._prepare = _module_of(_function_of(application)).preprocess_input

    def call(self, images):
        """Return what the network's own `preprocess_input` makes of them."""
        return self._prepare(images * 255.0, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the same shape."""
        return tuple(input_shape)

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {**super().get_config(), "application": self.application}


def _function_of(name: str) -> Callable[..., keras.Model]:
    """Return what builds a network of `keras.applications`."""
    known = {
        key: value
        for key, value in inspect.getmembers(keras.applications, inspect.isfunction)
        if hasattr(_module_of(value), "preprocess_input")
    }
    if name not in known:
        raise ValueError(
            "expected efficientnet_lite0, dinov2 or a network of keras.applications, "
            "one of " + ", ".join(sorted(known))
        )
    return known[name]


def _module_of(function: Callable) -> ModuleType:
    """Return the module of a network, which also prepares its images."""
    return sys.modules[function.__module__]


def _headless(name: str, weights: str | None) -> keras.Model:
    build = _function_of(name)
    return build(include_top=False, weights=weights, input_shape=(None, None, 3))


def _part(network: keras.Model, outputs: Sequence[str]) -> keras.Model:
    """Return what of a network leads to some of its layers, by name."""
    known = {layer.name: layer.output for layer in network.layers}
    unknown = [output for output in outputs if output not in known]
    if unknown or not outputs:
        raise ValueError(
            f"expected names of its layers, such as {', '.join(list(known)[-3:])}, "
            f"got {', '.join(unknown) or 'none'}"
        )
    return keras.Model(network.input, {name: known[name] for name in outputs})
