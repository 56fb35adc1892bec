"""Configurations as files: YAML holds differences from the defaults."""

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from cirs_tf.config import Config
from cirs_tf.config_folder import config_folder
from cirs_tf.errors import ConfigError


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
        base: Where to start from instead of the defaults.

    Returns:
        The resolved configuration.

    Raises:
        ConfigError: The file is missing or no YAML, a key is unknown (the nearest
            name is suggested), a value is of another type or out of range.
    """
    where = "--set"
    try:
        merged = _unlocked(OmegaConf.structured(base or Config))
        if source is not None:
            path = find_config(source)
            where = str(path)
            merged = OmegaConf.merge(merged, _read_yaml(path))
        where = "--set"
        for override in overrides:
            if "=" not in override:
                raise ConfigError(f"--set {override}: expected KEY=VALUE")
            merged = OmegaConf.merge(merged, OmegaConf.from_dotlist([override]))
        return OmegaConf.to_object(merged)
    except ConfigKeyError as error:
        key = error.full_key
        near = _nearest(key)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ConfigError(f"{where}: unknown key {key!r}{hint}") from None
    except (OmegaConfBaseException, yaml.YAMLError, TypeError) as error:
        key = getattr(error, "full_key", None)
        message = " ".join(str(error).split("\n    ")[0].split())
        raise ConfigError(f"{where}: {f'{key}: ' if key else ''}{message}") from None


def save_config(config: Config, path: str | Path) -> None:
    """Write the resolved configuration as YAML."""
    Path(path).write_text(to_yaml(config))


def to_yaml(config: Config) -> str:
    """Return the resolved configuration as YAML."""
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
    folder = config_folder()
    named = folder / f"{source}.yaml"
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


def _read_yaml(path: Path) -> DictConfig:
    try:
        loaded = OmegaConf.load(path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text file ({error})") from None
    except OSError as error:  # also OmegaConf's word for a YAML of one number
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(loaded, DictConfig):
        raise ConfigError(f"{path}: expected a mapping of keys to values")
    return loaded


def _unlocked(node: DictConfig) -> DictConfig:
    """Let values be merged into frozen dataclasses; the result is frozen again."""
    OmegaConf.set_readonly(node, False)
    for key in node:
        if OmegaConf.is_dict(node[key]):
            _unlocked(node[key])
    return node


def _nearest(key: str) -> str | None:
    """Return the key that a misspelt one may stand for; its group may be left out."""

    def likeness(known: str) -> float:
        found = difflib.SequenceMatcher(None, key, known).ratio()
        if "." not in key:
            name = known.rpartition(".")[2]
            found = max(found, difflib.SequenceMatcher(None, key, name).ratio())
        return found

    best = max(_keys(Config), key=likeness)
    return best if likeness(best) >= 0.6 else None


def _keys(config_class: type, prefix: str = "") -> list[str]:
    keys = []
    for field in dataclasses.fields(config_class):
        keys.append(prefix + field.name)
        if dataclasses.is_dataclass(field.type):
            keys += _keys(field.type, f"{prefix}{field.name}.")
    return keys
