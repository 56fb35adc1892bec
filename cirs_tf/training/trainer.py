"""The trainer: cycles of phases, epochs of validation and checkpoints, one run folder.

It knows no method: networks, losses and schedules come as `Phase`s.
"""

import logging
import math
import time
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from cirs_tf.config import Config
from cirs_tf.data.pipeline import LoadedSplit
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.interruption import StopRequest
from cirs_tf.training.loop import PhaseSums, TrainingLoop
from cirs_tf.training.phases import Method, next_part
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.strategy import distributed_iterator, is_chief
from cirs_tf.training.summaries import Summaries
from cirs_tf.training.validation import Validation, Validator

_LOGGER = logging.getLogger("cirs_tf")


class Trainer:
    """Trains one method into one run folder.

    Args:
        method: Networks and phases, built in the strategy's scope.
        config: The run.
        strategy: From `make_strategy`.
        run: Where everything goes.
        train: Training images; with masks only for a method that `needs_masks`.
        validator: Measures the method after every epoch.
    """

    def __init__(
        self,
        method: Method,
        config: Config,
        strategy: tf.distribute.Strategy,
        run: RunFolder,
        train: LoadedSplit,
        validator: Validator,
    ):
        options = config.training
        self.method = method
        self.config = config
        self.strategy = strategy
        self.optimizers = {phase.name: phase.optimizer for phase in method.phases}
        self.run = run
        self.data = train
        self.chief = is_chief(strategy)
        self.store = CheckpointStore(
            run.checkpoints, options.checkpoints_kept, self.chief
        )
        self.loop = TrainingLoop(method.phases, strategy, options.batch_size)
        self.validator = validator
        self.summaries = Summaries(run.tensorboard if self.chief else None)
        one_pass = math.ceil(len(train.images) / options.batch_size)
        self.steps_per_epoch = options.steps_per_epoch or one_pass
        self.total_steps = options.epochs * self.steps_per_epoch
        self.step = 0
        self._sums = self._no_sums()
        self._headline: dict[str, float] = {}

    def restore(self) -> None:
        """Go back to the last checkpoint of the run.

        Raises:
            CheckpointError: There is none, or it does not fit.
        """
        state = self.store.restore("last", self.method.networks, self.optimizers)
        self.step = state["step"]
        self._sums = [PhaseSums(np.array(t), n) for t, n in state["epoch_sums"]]
        if self.chief:
            self.run.forget_metrics_after(self.step)

    def fit(self) -> int | None:
        """Train to the last epoch, or until asked to stop.

        Returns:
            None when finished, or the number of the signal that stopped it; the
            checkpoint `last` then holds the very step.

        Raises:
            TrainingError: A loss term was not finite; no checkpoint is written.
            CheckpointError: A checkpoint could not be written.
        """
        self.summaries.hyperparameters(self.config)
        options = self.config.training
        iterator = distributed_iterator(
            self.strategy, self.data, options.batch_size, self.config.seed, self.step
        )
        cycle = [phase.steps for phase in self.method.phases]
        with StopRequest() as stop, self._progress_bar() as bar:
            epoch_start, epoch_first = time.perf_counter(), self.step
            while self.step < self.total_steps:
                epoch = self.step // self.steps_per_epoch + 1
                limit = min(epoch * self.steps_per_epoch, self.step + options.log_every)
                part = next_part(cycle, self.step, limit)
                sums = self.loop.run(iterator, part, self.step)
                self.step += part.steps
                self._sums = _add(self._sums, sums)
                self._show(bar, sums, part.steps)
                if self.step == epoch * self.steps_per_epoch:
                    seconds = time.perf_counter() - epoch_start
                    images = (self.step - epoch_first) * options.batch_size
                    self._end_epoch(epoch, images / seconds)
                    epoch_start, epoch_first = time.perf_counter(), self.step
                elif stop.signal_number is not None:
                    self._save()
                if stop.signal_number is not None and self.step < self.total_steps:
                    break
            self.summaries.close()
            return stop.signal_number if self.step < self.total_steps else None

    def _end_epoch(self, epoch: int, images_per_second: float) -> None:
        validation = self.validator.run()
        train = self._means(self._sums)
        self._headline = validation.headline
        scores = {"loss": validation.terms["loss"]}
        if validation.oracle is not None:
            scores["oracle"] = validation.oracle
        row = {
            "epoch": epoch,
            "step": self.step,
            "images_per_second": round(images_per_second, 1),
            "train": train,
            "validation": validation.row(),
        }
        self._sums = self._no_sums()
        best = self._save(scores)
        if not self.chief:
            return
        self.run.append_metrics(row)
        self.run.save_progress(self.validator.progress(), epoch)
        self._summarize_validation(validation)
        _LOGGER.info(_epoch_line(row, validation, self.config.training.epochs, best))

    def _save(self, scores: dict[str, float] | None = None) -> list[str]:
        sums = [[list(sums.totals), sums.steps] for sums in self._sums]
        return self.store.save(
            self.step,
            self.method.networks,
            self.optimizers,
            {"epoch_sums": sums},
            scores,
        )

    def _summarize_validation(self, validation: Validation) -> None:
        self.summaries.scalars(validation.scalars(), self.step)
        for tag, picture in self.validator.pictures(validation).items():
            self.summaries.picture(tag, picture, self.step)
        self.summaries.flush()

    def _show(self, bar: tqdm, sums: list[PhaseSums], steps: int) -> None:
        means = self._means(sums)
        rates = {
            f"learning_rate/{name}": float(optimizer.learning_rate.numpy())
            for name, optimizer in self.optimizers.items()
        }
        train = {f"train/{name}": value for name, value in means.items()}
        self.summaries.scalars({**train, **rates}, self.step)
        shown = {**means, **self._headline}
        terms = " ".join(f"{name}={value:.3g}" for name, value in shown.items())
        bar.set_postfix_str(terms, refresh=False)
        bar.update(steps * self.config.training.batch_size)

    def _progress_bar(self) -> tqdm:
        size = self.config.training.batch_size
        return tqdm(
            total=self.total_steps * size,
            initial=self.step * size,
            unit="img",
            unit_scale=True,
            desc="train",
            dynamic_ncols=True,
            disable=None if self.chief else True,  # None: only on a terminal
        )

    def _means(self, sums: Iterable[PhaseSums]) -> dict[str, float]:
        """Return the mean of every term, named by phase where there are several."""
        phases = self.method.phases
        means = {}
        for phase, (totals, steps) in zip(phases, sums, strict=True):
            prefix = "" if len(phases) == 1 else f"{phase.name}/"
            for name, total in zip(phase.terms, totals, strict=True):
                if steps:
                    means[prefix + name] = float(total / steps)
        return means

    def _no_sums(self) -> list[PhaseSums]:
        return [PhaseSums(np.zeros(len(p.terms)), 0) for p in self.method.phases]


def _add(before: list[PhaseSums], new: list[PhaseSums]) -> list[PhaseSums]:
    return [
        PhaseSums(a.totals + b.totals, a.steps + b.steps)
        for a, b in zip(before, new, strict=True)
    ]


def _epoch_line(row: dict, validation: Validation, epochs: int, best: list[str]) -> str:
    train = " ".join(f"{name} {value:.3g}" for name, value in row["train"].items())
    line = f"epoch {row['epoch']}/{epochs}  {train}"
    line += f"  val loss {validation.terms['loss']:.3g}"
    for name, value in validation.headline.items():
        line += f"  {name} {value:.3f}"
    if "segment_share" in row["validation"]:
        shares = row["validation"]["segment_share"]
        line += "  shares " + " ".join(f"{value:.2f}" for value in shares)
    line += f"  {row['images_per_second']:.0f} images/s"
    return line + (f"  best by {' and '.join(best)}" if best else "")
