"""Everything that a run leaves behind, in one folder."""

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np
from PIL import Image

from cirs_tf.atomic_write import atomic_path, write_text_atomically
from cirs_tf.config.files import save_config
from cirs_tf.config.sections import Config
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import CheckpointError, ConfigError


class RunFolder:
    """Paths and small files of one run.

    `config.yaml` (resolved), `manifest.json` (of the data), `versions.json`,
    `initialization.npz` (what the method took from the images), `train.log`,
    `metrics.jsonl` (a line per epoch), `progress/` (a small picture per epoch),
    `tensorboard/`, `checkpoints/`, `eval/`. A folder with `config.yaml`, which is
    written last, is a run.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config_file = self.path / "config.yaml"
        self.metrics_file = self.path / "metrics.jsonl"
        self.initialization_file = self.path / "initialization.npz"
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
            versions = json.dumps(_versions(), indent=2) + "\n"
            write_text_atomically(run.path / "versions.json", versions)
            run.save_config(config)
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
        """Write the resolved configuration.

        Raises:
            CheckpointError: It cannot be written.
        """
        with write_errors(self.config_file):
            save_config(config, self.config_file)

    def read_versions(self) -> dict[str, str | int | None]:
        """Return the versions of what started the run; empty where none are kept.

        Raises:
            CheckpointError: The file is damaged.
        """
        path = self.path / "versions.json"
        try:
            return json.loads(path.read_text()) if path.exists() else {}
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path}: damaged ({error})") from None

    def save_initialization(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep what a method took from the images, in one step.

        Raises:
            CheckpointError: It cannot be written.
        """
        with (
            write_errors(self.initialization_file),
            atomic_path(self.initialization_file) as temporary,
            temporary.open("wb") as file,
        ):
            np.savez_compressed(file, **arrays)

    def load_initialization(self) -> dict[str, np.ndarray] | None:
        """Return what `save_initialization` kept; None: nothing yet.

        Raises:
            CheckpointError: The file is damaged.
        """
        if not self.initialization_file.exists():
            return None
        try:
            with np.load(self.initialization_file) as arrays:
                return dict(arrays)
        except Exception as error:  # NumPy and zipfile raise nearly anything
            raise CheckpointError(
                f"{self.initialization_file}: damaged ({error}); remove it to compute "
                "it again"
            ) from None

    def await_initialization(self, seconds: float = 60.0) -> dict[str, np.ndarray]:
        """Return what another worker keeps here, once it can be seen.

        Args:
            seconds: How long a shared file system may take to show it.

        Raises:
            CheckpointError: It cannot be seen, or is damaged.
        """
        deadline = time.monotonic() + seconds
        while (found := self.load_initialization()) is None:
            if time.monotonic() > deadline:
                raise CheckpointError(
                    f"{self.initialization_file}: not found; expected a run folder "
                    "that all workers share"
                )
            time.sleep(0.1)
        return found

    def append_metrics(self, row: dict) -> None:
        """Add one line to metrics.jsonl.

        Raises:
            CheckpointError: It cannot be written.
        """
        with write_errors(self.metrics_file), self.metrics_file.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def save_progress(self, picture: Image.Image, epoch: int) -> None:
        """Write `progress/0001.png` for epoch 1.

        Raises:
            CheckpointError: It cannot be written.
        """
        path = self.progress / f"{epoch:04d}.png"
        with write_errors(path):
            self.progress.mkdir(exist_ok=True)
            with atomic_path(path) as temporary:
                picture.save(temporary, format="png")

    def read_metrics(self) -> list[dict]:
        """Return the lines of metrics.jsonl; a last line cut off by a crash is none.

        Raises:
            CheckpointError: A line is no row of metrics.
        """
        if not self.metrics_file.exists():
            return []
        rows = []
        text = self.metrics_file.read_text(errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                row = json.loads(line)
                _ = row["step"] + 0, row["validation"].keys()
                _ = row.setdefault("train", {}).keys()
                _ = row.setdefault("images_per_second", 0.0) + 0
            except json.JSONDecodeError:
                break
            except (KeyError, TypeError, AttributeError):
                raise CheckpointError(
                    f"{self.metrics_file}: line {number} is no row of metrics"
                ) from None
            rows.append(row)
        return rows

    def rewind_metrics(self, step: int, row: Mapping | None = None) -> None:
        """Make the lines end where a resumed run begins.

        Args:
            step: Lines of later steps are dropped: the run goes through them again.
            row: The line of `step` itself, added where a crash had lost it.

        Raises:
            CheckpointError: It cannot be written.
        """
        rows = [known for known in self.read_metrics() if known["step"] <= step]
        if row is not None and row["step"] not in {known["step"] for known in rows}:
            rows.append(row)
        text = "".join(json.dumps(known) + "\n" for known in rows)
        if rows or self.metrics_file.exists():
            with write_errors(self.metrics_file):
                write_text_atomically(self.metrics_file, text)


@contextlib.contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write a file into a `CheckpointError` that names it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"{path}: cannot be written: {reason}") from None


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
