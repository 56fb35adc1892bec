"""Checkpoints as folders that appear whole or not at all."""

import json
import math
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from cirs_tf.atomic_write import write_text_atomically
from cirs_tf.errors import CheckpointError

_INDEX = "checkpoints.json"
_STATE = "state.json"


class CheckpointStore:
    """The checkpoints of a run: the newest ones, the best by loss, the best by labels.

    A checkpoint is a folder `step-00001200` with TensorFlow's files and `state.json`.
    It is written under a temporary name and renamed. `checkpoints.json`, replaced in
    one step, says which of them is `last`, `loss` or `oracle`; others are deleted.

    Args:
        directory: `checkpoints/` of a run.
        keep: How many of the newest are kept.
        worker: Number of this process. All workers must take part in saving, and only
            the files of worker 0, the chief, are kept.
    """

    def __init__(self, directory: str | Path, keep: int = 3, worker: int = 0):
        self.directory = Path(directory)
        self.keep = keep
        self.worker = worker
        self._index = self._read_index()

    def save(
        self,
        step: int,
        networks: Mapping[str, keras.Model],
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        state: Mapping[str, Any],
        scores: Mapping[str, float] | None = None,
    ) -> list[str]:
        """Write a checkpoint and update which one is best.

        Args:
            step: Mini-batches done.
            networks: Models by name.
            optimizers: Optimizers by name.
            state: What else resuming needs; JSON.
            scores: `loss` (lower is better), `oracle` (higher is better), where known.
                A score that is not finite is never best.

        Returns:
            The names among `loss`, `oracle` of which this is the best so far.

        Raises:
            CheckpointError: It could not be written; earlier ones are untouched.
        """
        name = f"step-{step:08d}"
        temporary = self.directory / f".{name}.{self.worker}.{os.getpid()}.tmp"
        try:
            temporary.mkdir(parents=True, exist_ok=True)
            checkpoint = _checkpoint(networks, optimizers)
            checkpoint.write(str(temporary / "variables"))
            content = {
                **state,
                "step": step,
                "variables": {key: _variables(net) for key, net in networks.items()},
            }
            (temporary / _STATE).write_text(json.dumps(content))
            if self.worker:
                return []
            final = self.directory / name
            shutil.rmtree(final, ignore_errors=True)
            os.replace(temporary, final)
            index, best = self._updated_index(step, scores or {})
            self._write_index(index)
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, "strerror", None) or _first_line(error)
            raise CheckpointError(
                f"{self.directory / name}: cannot be written: {reason}"
            ) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self._index = index
        self._delete_others()
        return best

    def steps(self, label_free: bool = False) -> list[int]:
        """Return the steps of all checkpoints that are kept, in order.

        Args:
            label_free: Leave out the one that only `oracle` keeps.
        """
        names = ("loss",) if label_free else ("loss", "oracle")
        best = {self._index[name]["step"] for name in names if self._index.get(name)}
        return sorted(best | set(self._index["last"]))

    @property
    def last_step(self) -> int | None:
        """Step of the newest checkpoint, None before the first."""
        return self._index["last"][-1] if self._index["last"] else None

    def remove_leftovers(self) -> None:
        """Remove what a killed process had not finished writing."""
        for path in self.directory.glob(".step-*.tmp"):
            shutil.rmtree(path, ignore_errors=True)

    def path(self, name: str) -> Path:
        """Return the folder of a checkpoint.

        Args:
            name: `last`, `loss` or `oracle`, or the step of one that is kept: `1200`.

        Raises:
            CheckpointError: There is none.
        """
        if name == "last":
            step = self.last_step
        elif name in ("loss", "oracle"):
            step = (self._index.get(name) or {}).get("step")
        else:
            step = int(name) if name.isdecimal() else None
            if step not in (kept := self.steps()):
                steps = ", ".join(map(str, kept)) or "none yet"
                raise CheckpointError(
                    f"{self.directory}: no checkpoint {name!r}; there are last, loss, "
                    f"oracle, and of steps: {steps}"
                )
        if step is None:
            why = " (validation read no masks)" if name == "oracle" else ""
            raise CheckpointError(f"{self.directory}: no checkpoint {name!r} yet{why}")
        path = self.directory / f"step-{step:08d}"
        if not (path / _STATE).is_file():
            raise CheckpointError(f"{path}: missing or incomplete")
        return path

    def read_state(self, name: str) -> dict[str, Any]:
        """Return what was saved beside the weights, `step` included.

        Args:
            name: As for `path`.

        Raises:
            CheckpointError: There is no such checkpoint, or it is damaged.
        """
        path = self.path(name)
        try:
            state = json.loads((path / _STATE).read_text())
            _ = state["step"], state["variables"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{path / _STATE}: damaged ({_first_line(error)})"
            ) from None
        return state

    def restore(
        self,
        name: str,
        networks: Mapping[str, keras.Model],
        optimizers: Mapping[str, keras.optimizers.Optimizer] | None = None,
    ) -> dict[str, Any]:
        """Load weights, and optimizers where given, from a checkpoint.

        Args:
            name: As for `path`.
            networks: Models by name; those of the checkpoint that are not given are
                not read.
            optimizers: Optimizers by name; None: they are not read.

        Returns:
            The state that was saved with it, `step` included.

        Raises:
            CheckpointError: There is none, it is damaged, or it belongs to networks of
                another architecture (the first difference is named).
        """
        path, state = self.path(name), self.read_state(name)
        try:
            for key, network in networks.items():
                _check_architecture(path, key, state["variables"][key], network)
            stored = [key for key, _ in tf.train.list_variables(path / "variables")]
            checkpoint = _checkpoint(networks, optimizers or {}, stored)
            status = checkpoint.read(str(path / "variables"))
            if optimizers is None:
                status.expect_partial()
            status.assert_existing_objects_matched()
        except (tf.errors.OpError, ValueError, KeyError, AssertionError) as error:
            raise CheckpointError(
                f"{path}: cannot be restored: {_first_line(error)}"
            ) from None
        return state

    def _updated_index(
        self, step: int, scores: Mapping[str, float]
    ) -> tuple[dict[str, Any], list[str]]:
        index = json.loads(json.dumps(self._index))
        index["last"] = [s for s in index["last"] if s < step] + [step]
        index["last"] = index["last"][-self.keep :]
        best = []
        for name, sign in (("loss", -1), ("oracle", 1)):
            value = scores.get(name)
            if value is None or not math.isfinite(value):
                continue
            entry = index.get(name)
            # A resumed run may come again to a step that was best when it crashed.
            is_new = entry is None or entry["step"] >= step
            if is_new or sign * value > sign * entry["value"]:
                index[name] = {"step": step, "value": value}
                best.append(name)
        return index, best

    def _delete_others(self) -> None:
        kept = set(self._index["last"])
        kept |= {self._index[n]["step"] for n in ("loss", "oracle") if n in self._index}
        for path in self.directory.glob("step-*"):
            # Anything else that a user has put there stays.
            named = re.fullmatch(r"step-(\d{8,})", path.name)
            if named and int(named[1]) not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _read_index(self) -> dict[str, Any]:
        path = self.directory / _INDEX
        try:
            index = json.loads(path.read_text())
            steps = [*index["last"]]
            best = [index[name] for name in ("loss", "oracle") if index.get(name)]
            steps += [entry["step"] for entry in best]
            if not all(type(step) is int and step >= 0 for step in steps):
                raise ValueError("a step is no number of mini-batches")
            _ = [entry["value"] + 0 for entry in best]
        except FileNotFoundError:
            return {"last": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path}: damaged ({error})") from None
        return index

    def _write_index(self, index: Mapping[str, Any]) -> None:
        text = json.dumps(index, indent=2) + "\n"
        write_text_atomically(self.directory / _INDEX, text)


def _checkpoint(
    networks: Mapping[str, keras.Model],
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    stored: list[str] | None = None,
) -> tf.train.Checkpoint:
    """Join both, of which some may have the same name.

    One that is read has `stored`. Those of version 0.1.0 lack what TensorFlow misses.
    """
    named = {f"{name}_optimizer": value for name, value in optimizers.items()}
    for name, network in networks.items():
        variables, key = _untracked(network), f"{name}_untracked"
        if stored is not None and not any(one.startswith(f"{key}/") for one in stored):
            if not all("seed_generator_state" in v.name for v in variables):
                raise ValueError(f"it was written without some weights of the {name}")
        elif variables:
            named[key] = variables
    return tf.train.Checkpoint(**networks, **named)


def _untracked(network: keras.Model) -> list[tf.Variable]:
    """Return what TensorFlow misses: it sees no layers in a layer's lists and dicts."""
    found = {id(part) for part in tf.train.TrackableView(network).descendants()}
    return [v.value for v in network.variables if not {id(v), id(v.value)} & found]


def _variables(network: keras.Model) -> list[list]:
    """Return name and shape of every variable, in order."""
    return [[variable.name, list(variable.shape)] for variable in network.variables]


def _check_architecture(
    path: Path, key: str, saved: list[list], network: keras.Model
) -> None:
    built = _variables(network)
    if saved == built:
        return
    pairs = zip(saved, built, strict=False)
    differing = next(((a, b) for a, b in pairs if a != b), None)
    if differing is None:
        found, wanted = f"{len(saved)} variables", f"{len(built)}"
    else:
        found, wanted = (f"{name} {tuple(shape)}" for name, shape in differing)
    raise CheckpointError(
        f"{path}: holds a {key} of another architecture: {found} where this "
        f"configuration has {wanted}"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
