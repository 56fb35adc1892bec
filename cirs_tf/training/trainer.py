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
from cirs_tf.visualization import segmentation_grid

_LOGGER = logging.getLogger("cirs_tf")
_PICTURED = 8  # images shown in TensorBoard


class Trainer:
    """Trains one method into one run folder.

    Args:
        method: Networks and phases, built in the strategy's scope.
        config: The run.
        strategy: From `make_strategy`.
        run: Where everything goes.
        train: Training images; with masks only for a method that `needs_masks`.
        validation: Validation images, with masks where there are any.
        classes: Number of true classes.
    """

    def __init__(
        self,
        method: Method,
        config: Config,
        strategy: tf.distribute.Strategy,
        run: RunFolder,
        train: LoadedSplit,
        validation: LoadedSplit,
        classes: int,
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
        self.validator = Validator(
            method, validation, config.segments, classes, options.batch_size
        )
        self.summaries = Summaries(run.tensorboard if self.chief else None)
        one_pass = math.ceil(len(train.images) / options.batch_size)
        self.steps_per_epoch = options.steps_per_epoch or one_pass
        self.total_steps = options.epochs * self.steps_per_epoch
        self.step = 0
        self._sums = self._no_sums()
        self._miou: float | None = None

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
        scores = {"loss": validation.terms["loss"]}
        if validation.scores is not None:
            self._miou = validation.scores.miou
            scores["oracle"] = validation.scores.miou
        row = {
            "epoch": epoch,
            "step": self.step,
            "images_per_second": round(images_per_second, 1),
            "train": train,
            "validation": _validation_row(validation),
        }
        self._sums = self._no_sums()
        best = self._save(scores)
        if not self.chief:
            return
        self.run.append_metrics(row)
        self._summarise_validation(validation)
        _LOGGER.info(_epoch_line(row, self.config.training.epochs, best))

    def _save(self, scores: dict[str, float] | None = None) -> list[str]:
        sums = [[list(sums.totals), sums.steps] for sums in self._sums]
        return self.store.save(
            self.step,
            self.method.networks,
            self.optimizers,
            {"epoch_sums": sums},
            scores,
        )

    def _summarise_validation(self, validation: Validation) -> None:
        values = {f"validation/{k}": v for k, v in validation.terms.items()}
        for segment, share in enumerate(validation.segment_share):
            values[f"segment_share/{segment}"] = share
        if validation.scores is not None:
            for name in ("miou", "miou_thesis", "pixel_accuracy", "ari", "fg_ari"):
                value = getattr(validation.scores, name)
                if value is not None:
                    values[f"validation/{name}"] = value
        self.summaries.scalars(values, self.step)
        split = self.validator.split
        shown = slice(0, _PICTURED)
        picture = segmentation_grid(
            split.images[shown],
            self.validator.predict(split.images[shown]),
            None if split.masks is None else split.masks[shown],
            None if validation.scores is None else validation.scores.assignment,
        )
        self.summaries.picture("validation", picture, self.step)
        self.summaries.flush()

    def _show(self, bar: tqdm, sums: list[PhaseSums], steps: int) -> None:
        means = self._means(sums)
        rates = {
            f"learning_rate/{name}": float(optimizer.learning_rate.numpy())
            for name, optimizer in self.optimizers.items()
        }
        train = {f"train/{name}": value for name, value in means.items()}
        self.summaries.scalars({**train, **rates}, self.step)
        shown = means if self._miou is None else {**means, "mIoU": self._miou}
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


def _validation_row(validation: Validation) -> dict:
    row = {**validation.terms, "segment_share": list(validation.segment_share)}
    if validation.scores is not None:
        row["miou"] = validation.scores.miou
        row["miou_thesis"] = validation.scores.miou_thesis
    return row


def _epoch_line(row: dict, epochs: int, best: list[str]) -> str:
    train = " ".join(f"{name} {value:.3g}" for name, value in row["train"].items())
    validation = row["validation"]
    line = f"epoch {row['epoch']}/{epochs}  {train}  val loss {validation['loss']:.3g}"
    if "miou" in validation:
        line += f"  mIoU {validation['miou']:.3f}"
        line += f" (thesis {validation['miou_thesis']:.3f})"
    share = " ".join(f"{value:.2f}" for value in validation["segment_share"])
    line += f"  shares {share}  {row['images_per_second']:.0f} images/s"
    return line + (f"  best by {' and '.join(best)}" if best else "")
