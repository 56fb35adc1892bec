"""Command-line options that choose a method and its settings; no TensorFlow here."""

import argparse
import textwrap
from collections.abc import Iterator

from cirs_tf.config.sections import STRATEGIES, Config
from cirs_tf.config.settings import describe, path_override
from cirs_tf.errors import ConfigError
from cirs_tf.methods.registry import METHODS, load_config

# Command-line flag to configuration key, for what everyone sets.
_FLAGS = {
    "data": "data",
    "epochs": "training.epochs",
    "steps_per_epoch": "training.steps_per_epoch",
    "batch_size": "training.batch_size",
    "seed": "seed",
    "strategy": "training.strategy",
}
EPILOG = (
    "Every other setting: --set segmenter.width=8; --model M --show-config lists them "
    "with their meanings and ranges. Methods: "
    + "; ".join(f"{entry.name}: {entry.summary}" for entry in METHODS.values())
    + "."
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is trained, seed and folder aside."""
    add = parser.add_argument
    add("--model", choices=METHODS, help="the method, with its default configuration")
    add(
        "--config",
        metavar="YAML",
        help="a file, or a name such as thesis/cirs_balanced",
    )
    add(
        "--data",
        metavar="DIR",
        help="from data_gen; default: the fruit set, drawn once",
    )
    add("--epochs", type=int, metavar="N")
    add("--steps-per-epoch", type=int, metavar="N", help="default: one pass")
    add("--batch-size", type=int, metavar="N", help="images over all devices")
    add(
        "--strategy",
        metavar="|".join(STRATEGIES),
        help="devices; default: auto",
    )
    add(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any other setting; may be repeated",
    )


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Add the option that compares hashes of the data set with its manifest."""
    parser.add_argument(
        "--verify",
        action="store_true",
        help="compare the hash of every file of data with the manifest first; else "
        "sizes, and each record's checksum when it is read",
    )


def overrides_of(arguments: argparse.Namespace) -> list[str]:
    """Return `--set` and the plain flags as `KEY=VALUE`; the last one wins."""
    overrides = list(arguments.overrides)
    for flag, key in _FLAGS.items():
        value = getattr(arguments, flag, None)
        if value is not None:
            text = f"{key}={value}"
            overrides.append(path_override(key, value) if key == "data" else text)
    return overrides


def source_of(arguments: argparse.Namespace) -> str:
    """Return the configuration that `--config` or `--model` names."""
    return arguments.config or arguments.model or "cirs"


def config_of(arguments: argparse.Namespace) -> Config:
    """Return the configuration that the options describe.

    Raises:
        ConfigError: It is out of range, or `--model` is another method than its own.
    """
    config = load_config(source_of(arguments), overrides_of(arguments))
    check_model(arguments, config)
    return config


def check_model(arguments: argparse.Namespace, config: Config) -> None:
    """Raise a ConfigError where `--model` is not the method of the configuration.

    Args:
        arguments: With `model`, which may be None.
        config: The configuration.
    """
    if arguments.model and arguments.model != config.method:
        raise ConfigError(
            f"--model {arguments.model}: the configuration is for {config.method!r}"
        )


def settings_table(config: Config) -> Iterator[str]:
    """Yield the lines of `--show-config`.

    Args:
        config: The configuration whose values are shown.
    """
    defaults = {setting.key: setting.default for setting in describe(type(config)())}
    for setting in describe(config):
        value, default = _shown(setting.default), _shown(defaults[setting.key])
        facts = [setting.range] if setting.range else []
        if value != default:
            facts.append(f"default {default}")
        yield f"{setting.key}: {value}" + (f"   [{'; '.join(facts)}]" if facts else "")
        yield textwrap.fill(setting.meaning, 84, initial_indent=4 * " ",
                            subsequent_indent=4 * " ")  # fmt: skip


def _shown(value: object) -> str:
    """Return a value as it is written in YAML."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(list(value)) if isinstance(value, tuple) else str(value)


def add_renamed(parser: argparse.ArgumentParser, old: str, new: str) -> None:
    """Let a flag of an earlier version say what it is called now.

    Args:
        parser: Where the flag was.
        old: The flag of earlier versions.
        new: Its present name.
    """

    class Renamed(argparse.Action):
        def __call__(self, *_):
            raise ConfigError(f"{old}: is now called {new}")

    parser.add_argument(old, nargs="?", action=Renamed, help=argparse.SUPPRESS)
