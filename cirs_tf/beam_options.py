"""Apache Beam, if it is installed: its options, and its errors in one line."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NoReturn

from cirs_tf.errors import CirsError, ConfigError, DataError


def add_beam(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add `--beam`, whose value is not there where it is not given.

    Args:
        parser: That of a command.
        more: A sentence for its help.
    """
    parser.add_argument(
        "--beam",
        nargs=argparse.REMAINDER,
        default=argparse.SUPPRESS,
        metavar="OPTION",
        help="work with Apache Beam (extra beam: pip install 'cirs-tf[beam]'), with "
        f"these pipeline options; comes last on the line. {more}",
    )


def import_beam() -> ModuleType:
    """Return the package `apache_beam`.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import apache_beam
    except ImportError:
        raise ConfigError(
            "--beam: Apache Beam is not installed: pip install 'cirs-tf[beam]'"
        ) from None
    return apache_beam


def parse_options(flags: list[str]) -> object:
    """Return Beam's `PipelineOptions`.

    Args:
        flags: Such as `--runner=DirectRunner`.

    Raises:
        ConfigError: One is no option of Beam; Beam itself would go on without it.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    parser = _Parser(add_help=False, allow_abbrev=False, conflict_handler="resolve")
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(flags)
    if unknown:
        raise ConfigError(
            f"--beam: {unknown[0]} is no option of Apache Beam; our own options come "
            "before --beam"
        )
    return PipelineOptions(flags)


class _Parser(argparse.ArgumentParser):
    """A parser that raises a `ConfigError`."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"--beam: {message}")


@contextmanager
def report_beam_errors() -> Iterator[None]:
    """Turn whatever a pipeline raises in the block into a `DataError` of one line."""
    try:
        yield
    except CirsError as error:
        raise DataError(_last_line(error)) from None
    except Exception as error:  # a runner raises nearly anything
        raise DataError(f"the Beam pipeline failed: {_last_line(error)}") from None


def _last_line(error: Exception) -> str:
    """Return the last line of an error, which of a worker's is what it raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = lines[-1] if lines else type(error).__name__
    return line.partition(" [while running")[0]
