"""Configurations as files: YAML holds differences from the defaults."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.config.folder import config_folder
from cirs_tf.config.renamed import RENAMED
from cirs_tf.config.sections import Config
from cirs_tf.config.settings import describe
from cirs_tf.errors import ConfigError

# What PyYAML raises of a value that is not of the type that it says, `!!int ''`.
_FAULTY_VALUE = (ValueError, AttributeError, LookupError, ArithmeticError)

AnyConfig = TypeVar("AnyConfig", bound=Config)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of differences.

    Args:
        path: The file.

    Returns:
        Nested mappings, as they stand in the file.

    Raises:
        ConfigError: The file cannot be read, or is no YAML mapping.
    """
    try:
        loaded = OmegaConf.load(path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text file ({error})") from None
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(f"{path}: {_first_line(error)}") from None
    except _FAULTY_VALUE as error:
        raise ConfigError(f"{path}: a value cannot be read ({error})") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except OSError as error:  # also OmegaConf's word for a YAML of one number
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(loaded, DictConfig):
        raise ConfigError(f"{path}: expected a mapping of keys to values")
    return OmegaConf.to_container(loaded)


def resolve(
    base: AnyConfig,
    document: dict[str, Any] | None = None,
    overrides: Sequence[str] = (),
    where: str = "--set",
) -> AnyConfig:
    """Lay differences over a configuration and check everything.

    Args:
        base: What to start from, of the method's own class.
        document: Nested mappings, from `read_yaml`.
        overrides: Such as `segmenter.width=8`; the last one wins.
        where: What errors in `document` call their place.

    Raises:
        ConfigError: A key is unknown (the nearest name is suggested, or its new name),
            a value is of another type or out of range.
    """
    place = where
    try:
        merged = _unlocked(OmegaConf.structured(base))
        if document:
            merged = OmegaConf.merge(merged, OmegaConf.create(document))
            OmegaConf.resolve(merged)  # what it refers to, before others change it
        for override in overrides:
            place = "--set"
            if "=" not in override:
                raise ConfigError(f"--set {override}: expected KEY=VALUE")
            merged = OmegaConf.merge(merged, OmegaConf.from_dotlist([override]))
        return OmegaConf.to_object(merged)
    except ConfigKeyError as error:
        raise ConfigError(f"{place}: {_unknown(error.full_key, base)}") from None
    except (OmegaConfBaseException, yaml.YAMLError, TypeError) as error:
        key = getattr(error, "full_key", None)
        message = _first_line(error)
        raise ConfigError(f"{place}: {f'{key}: ' if key else ''}{message}") from None
    except _FAULTY_VALUE as error:
        raise ConfigError(f"{place}: a value cannot be read ({error})") from None
    except RecursionError:
        raise ConfigError(f"{place}: nested too deeply") from None


def save_config(config: Config, path: str | Path) -> None:
    """Write a resolved configuration as YAML, in one step.

    Args:
        config: The configuration.
        path: The file.
    """
    write_text_atomically(path, to_yaml(config))


def to_yaml(config: Config) -> str:
    """Return a resolved configuration as YAML."""
    return OmegaConf.to_yaml(OmegaConf.structured(config))


def find_config(source: str | Path) -> Path:
    """Return the path of a YAML file given by path or by installed name.

    Raises:
        ConfigError: There is none; the nearest installed name is suggested.
    """
    path = Path(source)
    if path.suffix in (".yaml", ".yml"):
        if path.is_file():
            return path
        raise ConfigError(f"{path}: no such file")
    named = config_folder() / f"{source}.yaml"
    if named.is_file():
        return named
    names = installed_configs()
    near = difflib.get_close_matches(str(source), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "there are " + ", ".join(names)
    raise ConfigError(f"config {str(source)!r}: no such name; {hint}")


def installed_configs() -> list[str]:
    """Return the names of the configurations that come with the package."""
    folder = config_folder()
    return sorted(
        str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml")
    )


def _unlocked(node: DictConfig) -> DictConfig:
    """Let values be merged into frozen dataclasses; the result is frozen again."""
    OmegaConf.set_readonly(node, False)
    for key in node:
        if OmegaConf.is_dict(node[key]):
            _unlocked(node[key])
    return node


def _unknown(key: str, base: Config) -> str:
    """Return what to say of a key that the method does not have."""
    if key in RENAMED:
        return f"{key!r} is now called {RENAMED[key]!r}"
    near = _nearest(key, base)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"unknown key {key!r} of method {base.method!r}{hint}"


def _nearest(key: str, base: Config) -> str | None:
    """Return the key that a misspelt one may stand for; its group may be left out."""

    def likeness(known: str) -> float:
        ratio = difflib.SequenceMatcher(None, key, known).ratio()
        if "." not in key:
            name = known.rpartition(".")[2]
            ratio = max(ratio, difflib.SequenceMatcher(None, key, name).ratio())
        return ratio

    best = max((setting.key for setting in describe(base)), key=likeness)
    return best if likeness(best) >= 0.6 else None


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split("\n    ")[0].split())
