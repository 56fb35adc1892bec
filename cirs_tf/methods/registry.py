"""The methods: their names, one line about each, and how to build one.

Importing this module imports no TensorFlow; a method's own module is imported when its
configuration or its networks are asked for.
"""

import dataclasses
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cirs_tf.config.files import find_config, read_yaml, resolve
from cirs_tf.config.sections import Config
from cirs_tf.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from cirs_tf.training.phases import Method


@dataclasses.dataclass(frozen=True)
class MethodEntry:
    """One method of the package.

    Attributes:
        name: As in `--model` and the module in `cirs_tf.methods`.
        class_name: Name of the class in that module.
        summary: One line: what it is.
        reference: Section of the thesis, or the paper.
        needs: What it needs of the data; empty: any images.
        note: A line that `train` prints, empty: none.
    """

    name: str
    class_name: str
    summary: str
    reference: str
    needs: str = ""
    note: str = ""

    @property
    def method_class(self) -> type["Method"]:
        """The class that builds networks and phases."""
        module = importlib.import_module(f"cirs_tf.methods.{self.name}")
        return getattr(module, self.class_name)

    @property
    def config_class(self) -> type[Config]:
        """The class of its configuration, which stands beside it."""
        return self.method_class.config_class


_ENTRIES = (
    MethodEntry(
        "cirs_aligned",
        "CirsAligned",
        "segments compared across images at their poses, with learned templates",
        "thesis 4.2 and 10",
        "a static background; objects that keep size and colors, once per image",
    ),
    MethodEntry(
        "fixed_camera",
        "FixedCamera",
        "what moves before a fixed camera: S learns differences to the median frame",
        "background subtraction",
        "frames of one camera that stands still",
    ),
    MethodEntry(
        "threshold",
        "Threshold",
        "light objects on dark, or dark ones on light, by a threshold of each image",
        "Otsu 1979",
        "objects brighter or darker than all around them; K = 2",
    ),
    MethodEntry(
        "cut_and_paste",
        "CutAndPaste",
        "objects by outlines that recur; S learns from images pasted together",
        "thesis 4.2; Dwibedi et al. 2017",
        "one flat color behind the objects; outlines that tell the class",
    ),
    MethodEntry(
        "cirs_plus",
        "CirsPlus",
        "CIRS whose features must also rebuild their segments, pretrained on parts",
        "thesis 5 and 7.2",
        "a static background (or pretraining.pseudo_labels=colors)",
    ),
    MethodEntry(
        "cirs",
        "Cirs",
        "the thesis's method: U-Net, argmax-in-place, g of color words, CIRS loss",
        "thesis 5 and 6",
    ),
    MethodEntry(
        "air",
        "Air",
        "argmax individual reconstruction: K autoencoders rebuild the masked images",
        "thesis 10",
    ),
    MethodEntry(
        "wnet",
        "Wnet",
        "soft N-cut and reconstruction, the color clustering of the thesis",
        "Xia and Kulis 2017; thesis 8",
    ),
    MethodEntry(
        "deep_clustering",
        "DeepClustering",
        "clusters of a frozen backbone's features, which vote; nothing is trained",
        "thesis 11",
        "photographs; the extra pretrained or hub (no labels of your images)",
    ),
    MethodEntry(
        "iic",
        "Iic",
        "mutual information between a pixel and its displaced, transformed twin",
        "Ji et al. 2019",
    ),
    MethodEntry(
        "autoencoder",
        "Autoencoder",
        "bottleneck autoencoder of whole images; it has no segmenter",
        "thesis 9.1",
        "classes of whole images, to measure the codes",
    ),
    MethodEntry(
        "supervised",
        "Supervised",
        "the same U-Net trained with labels, a ceiling for the others",
        "Ronneberger et al. 2015",
        "masks in the training records (--with-train-masks)",
    ),
)
METHODS: dict[str, MethodEntry] = {entry.name: entry for entry in _ENTRIES}


def load_config(
    source: str | Path | None = None,
    overrides: Sequence[str] = (),
    base: Config | None = None,
) -> Config:
    """Read a YAML of differences, apply `a.b=value` overrides and check everything.

    Args:
        source: A YAML file, or the name of an installed one (`cirs`,
            `thesis/cirs_balanced`); None: defaults only.
        overrides: Such as `segmenter.width=8`; the last one wins.
        base: Where to start from instead of the method's defaults.

    Returns:
        The resolved configuration, of the method's own class.

    Raises:
        ConfigError: The file is missing or no YAML, a key is unknown (the nearest
            name is suggested), a value is of another type or out of range.
    """
    document: dict[str, Any] = {}
    where = "--set"
    if source is not None:
        path = find_config(source)
        where, document = str(path), read_yaml(path)
    if base is None:
        name = str(document.get("method", "cirs"))
        for override in overrides:
            if override.startswith("method="):
                name = override.removeprefix("method=")
        base = entry_of(name).config_class()
    return resolve(base, document, overrides, where)


def entry_of(name: str) -> MethodEntry:
    """Return the entry of a method.

    Raises:
        ConfigError: There is no method of that name.
    """
    if name not in METHODS:
        raise ConfigError(f"method: expected one of {', '.join(METHODS)}, got {name!r}")
    return METHODS[name]


def build_method(config: Config, height: int, width: int) -> "Method":
    """Build the networks, optimizers and phases of `config.method`.

    Call it inside the strategy's scope.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
    """
    return entry_of(config.method).method_class(config, height, width)


def build_segmenter(config: Config, height: int, width: int) -> "keras.Model":
    """Build the segmenter of `config.method` alone, with its first weights.

    Args:
        config: The run.
        height: Height of the images in pixels.
        width: Width of the images in pixels.

    Raises:
        ConfigError: The method has none.
    """
    method_class = entry_of(config.method).method_class
    if hasattr(method_class, "build_segmenter"):
        return method_class.build_segmenter(config)
    # It depends on the size of the images: built with all the rest.
    networks = method_class(config, height, width).networks
    if "segmenter" not in networks:
        raise ConfigError(f"method: {config.method} has no segmenter")
    return networks["segmenter"]


def weights_origin(config: Config) -> str:
    """Return where weights are from that are trained elsewhere, empty: there are none.

    Args:
        config: The run.
    """
    origin = getattr(entry_of(config.method).method_class, "weights_origin", None)
    return origin(config) if origin else ""
