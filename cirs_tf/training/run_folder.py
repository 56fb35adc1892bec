"""Everything that a run leaves behind, in one folder."""

import json
import logging
import os
import platform
from importlib import metadata
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from cirs_tf.config import Config
from cirs_tf.config_files import load_config, save_config
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import CheckpointError, ConfigError

_LOGGER = logging.getLogger("cirs_tf")


class RunFolder:
    """Paths and small files of one run.

    `config.yaml` (resolved), `manifest.json` (of the data), `versions.json`,
    `train.log`, `metrics.jsonl` (a line an epoch), `progress/` (a small picture an
    epoch), `tensorboard/`, `checkpoints/`, `eval/`.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config_file = self.path / "config.yaml"
        self.metrics_file = self.path / "metrics.jsonl"
        self.log_file = self.path / "train.log"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"
        self.evaluation = self.path / "eval"
        self.progress = self.path / "progress"

    @classmethod
    def create(cls, path: str | Path, config: Config, data: Manifest) -> "RunFolder":
        """Start a run in an empty or new folder.

        Args:
            path: The folder.
            config: The run.
            data: The data set's manifest; a copy tells later commands what was seen.

        Raises:
            ConfigError: The folder already holds a run, or cannot be made.
        """
        run = cls(path)
        if run.config_file.exists():
            raise ConfigError(
                f"--run {path}: holds a run already; go on with --resume {path}, or "
                "name another folder"
            )
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            data.write(run.path)
            run.save_config(config)
            versions = json.dumps(_versions(), indent=2) + "\n"
            (run.path / "versions.json").write_text(versions)
        except OSError as error:
            raise ConfigError(f"--run {path}: {error.strerror}") from None
        return run

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """Open the folder of an earlier run.

        Raises:
            CheckpointError: It is not one.
        """
        run = cls(path)
        if not run.config_file.is_file():
            raise CheckpointError(f"{path}: not a run folder (it has no config.yaml)")
        return run

    def save_config(self, config: Config) -> None:
        """Write the resolved configuration."""
        save_config(config, self.config_file)

    def load_config(self) -> Config:
        """Read the resolved configuration."""
        return load_config(self.config_file)

    def append_metrics(self, row: dict) -> None:
        """Add one line to metrics.jsonl."""
        with self.metrics_file.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def save_progress(self, picture: Image.Image, epoch: int) -> None:
        """Write `progress/0001.png` for epoch 1."""
        self.progress.mkdir(exist_ok=True)
        picture.save(self.progress / f"{epoch:04d}.png")

    def read_metrics(self) -> list[dict]:
        """Return the lines of metrics.jsonl; a last line cut off by a crash is none."""
        if not self.metrics_file.exists():
            return []
        rows = []
        for line in self.metrics_file.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return rows

    def forget_metrics_after(self, step: int) -> None:
        """Drop the lines of steps that a resumed run will go through again."""
        rows = [row for row in self.read_metrics() if row["step"] <= step]
        temporary = self.metrics_file.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.replace(temporary, self.metrics_file)


class RunLog:
    """Sends log records to the terminal, above the progress bar, and to train.log.

    Args:
        run: The run folder, or None for a worker that does not write it.
    """

    def __init__(self, run: RunFolder | None):
        self._handlers: list[logging.Handler] = []
        if run is not None:
            to_file = logging.FileHandler(run.log_file)
            to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            self._handlers = [_AboveProgressBar(), to_file]

    def __enter__(self) -> logging.Logger:
        """Return the logger, at work until the end of the `with` block."""
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.propagate = False
        for handler in self._handlers:
            _LOGGER.addHandler(handler)
        return _LOGGER

    def __exit__(self, *_) -> None:
        """Close the file."""
        for handler in self._handlers:
            _LOGGER.removeHandler(handler)
            handler.close()


class _AboveProgressBar(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record))


def _versions() -> dict[str, str | int | None]:
    packages = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "cirs-tf")
    found: dict[str, str | int | None] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
    }
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
