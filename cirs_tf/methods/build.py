"""The list of methods."""

import keras

from cirs_tf.config import Config
from cirs_tf.errors import ConfigError
from cirs_tf.methods.air import Air
from cirs_tf.methods.autoencoder import Autoencoder
from cirs_tf.methods.cirs import Cirs
from cirs_tf.methods.cirs_aligned import CirsAligned
from cirs_tf.methods.cirs_plus import CirsPlus
from cirs_tf.methods.cut_and_paste import CutAndPaste
from cirs_tf.methods.iic import Iic
from cirs_tf.methods.supervised import Supervised
from cirs_tf.methods.wnet import Wnet
from cirs_tf.training.phases import Method

_METHODS = {
    "cirs": Cirs,
    "cirs_aligned": CirsAligned,
    "cirs_plus": CirsPlus,
    "cut_and_paste": CutAndPaste,
    "air": Air,
    "wnet": Wnet,
    "iic": Iic,
    "autoencoder": Autoencoder,
    "supervised": Supervised,
}


def build_method(config: Config, height: int, width: int) -> Method:
    """Build the networks, optimizers and phases of `config.method`.

    Call it inside the strategy's scope.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """
    return method_class(config)(config, height, width)


def method_class(config: Config) -> type[Method]:
    """Return the class of `config.method`."""
    return _METHODS[config.method]


def build_segmenter(config: Config, height: int, width: int) -> keras.Model:
    """Build the segmenter of `config.method` alone, for a checkpoint to fill.

    Raises:
        ConfigError: The method has none.
    """
    networks = build_method(config, height, width).networks
    if "segmenter" not in networks:
        raise ConfigError(f"method: {config.method} has no segmenter")
    return networks["segmenter"]
