"""The list of methods."""

from cirs_tf.config import Config
from cirs_tf.methods.cirs import Cirs
from cirs_tf.training.phases import Method

_METHODS = {"cirs": Cirs}


def build_method(config: Config, height: int, width: int) -> Method:
    """Build the networks, optimizers and phases of `config.method`.

    Call it inside the strategy's scope.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """
    return _METHODS[config.method](config, height, width)
