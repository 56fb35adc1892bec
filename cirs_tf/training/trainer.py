"""The trainer: pretraining phases, then cycles of phases, into one run folder.

It knows no method: networks, losses and schedules come as `Phase`s.
"""

import logging
import time

import numpy as np

from cirs_tf.config.sections import Config
from cirs_tf.data.image_split import ImageSplit
from cirs_tf.errors import CheckpointError
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.interruption import StopRequest
from cirs_tf.training.loop import PhaseSums
from cirs_tf.training.phases import Initialization, Method, plan_steps
from cirs_tf.training.progress import ProgressBar, epoch_line, stage_line
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.stages import Stage, make_stages
from cirs_tf.training.strategy import Workers, distributed_iterator
from cirs_tf.training.summaries import Summaries
from cirs_tf.training.validation import Validation, Validator

_LOGGER = logging.getLogger("cirs_tf")


class Trainer:
    """Trains one method into one run folder.

    Attributes:
        step: Mini-batches done, those of pretraining included.
        total_steps: Mini-batches of the whole run.

    Args:
        method: Networks and phases, built in the strategy's scope.
        config: The run.
        workers: The processes that train together, and their strategy.
        run: Where everything goes.
        train: Training images; with masks only for a method that `needs_masks`.
        initialization: What the method took from the images; already assigned.
        validator: Measures the method after every epoch.
    """

    def __init__(
        self,
        method: Method,
        config: Config,
        workers: Workers,
        run: RunFolder,
        train: ImageSplit,
        initialization: Initialization,
        validator: Validator,
    ):
        options = config.training
        self.method = method
        self.config = config
        self.workers = workers
        self.run = run
        self.train = train
        self.validator = validator
        self.store = CheckpointStore(
            run.checkpoints, options.checkpoints_kept, workers.index
        )
        self.stages = make_stages(
            method, config, workers.strategy, train, initialization
        )
        self.step = 0
        self._sums = self.stages[0].no_sums() if self.stages else []
        self._headline: dict[str, float] = {}
        self._last_saved = time.monotonic()

    @property
    def total_steps(self) -> int:
        """Mini-batches of the whole run, those of pretraining included."""
        return self.stages[-1].end if self.stages else 0

    @property
    def finished(self) -> bool:
        """Whether all mini-batches are done, and the outcome is kept."""
        kept = bool(self.method.phases) or self.store.last_step is not None
        return self.step >= self.total_steps and kept

    def restore(self, name: str = "last") -> None:
        """Go back to a checkpoint of the run.

        Args:
            name: `last`, or the step of a checkpoint.

        Raises:
            CheckpointError: There is none, or it does not fit, also where its steps
                mean something else by now.
        """
        kept = self.store.read_state(name)
        self._check_stages(kept)
        optimizers = self._optimizers(step := kept["step"])
        state = self.store.restore(name, self.method.networks, optimizers)
        for optimizer in optimizers.values():
            optimizer.restore_configured_rate()
        self.step = step
        self._sums = [PhaseSums(np.array(t), n) for t, n in state["sums"]]
        if self.workers.chief:
            self.run.rewind_metrics(self.step, state.get("row"))

    def _check_stages(self, state: dict) -> None:
        """Refuse a checkpoint of a run whose epochs or pretraining were longer."""
        begun = state.get("stages", self._stage_steps)  # version 0.1.0 kept none
        for (name, before), (_, now) in zip(begun, self._stage_steps, strict=False):
            if before != now:
                where = "of an epoch" if name == "train" else f"of {name}"
                raise CheckpointError(
                    f"{self.run.path}: began with {before} mini-batches {where}, not "
                    f"{now}; start another run"
                )

    @property
    def _stage_steps(self) -> list[list]:
        """Name and mini-batches of each pretraining phase, then those of an epoch."""
        return [[stage.name, stage.part_steps] for stage in self.stages]

    def fit(self, stop: StopRequest) -> int | None:
        """Train to the last epoch, or until asked to stop.

        Args:
            stop: Entered by the caller.

        Returns:
            None when finished, or the number of the signal that stopped it; the
            checkpoint `last` then holds the very step.

        Raises:
            TrainingError: A loss term was not finite; no checkpoint is written.
            DataError: A record is damaged; file and record are named.
            CheckpointError: A checkpoint could not be written.
        """
        summaries = Summaries(self.run.tensorboard if self.workers.chief else None)
        bar = ProgressBar(
            self.total_steps,
            self.config.training.batch_size,
            self.step,
            shown=self.workers.chief,
        )
        with summaries, bar:
            summaries.hyperparameters(self.config)
            summaries.layout()
            self._last_saved = time.monotonic()
            for stage in self.stages:
                if self.step < stage.end:
                    signal_number = self._run_stage(stage, stop, summaries, bar)
                    if signal_number is not None:
                        return signal_number
            if not self.finished:  # a method without phases: measure what there is
                self._end_epoch({}, 1, None, 0.0, summaries)
        return None

    def _run_stage(
        self, stage: Stage, stop: StopRequest, summaries: Summaries, bar: ProgressBar
    ) -> int | None:
        """Run a stage to its end, or until a signal; return its number."""
        options = self.config.training
        iterator = distributed_iterator(
            self.workers.strategy,
            stage.batches,
            options.batch_size,
            self.step - stage.start,
        )
        part_began, first_step = time.perf_counter(), self.step
        while self.step < stage.end:
            part_end = stage.part_end(self.step)
            limit = min(part_end, self.step + options.log_every) - stage.start
            plan = plan_steps(stage.cycle, self.step - stage.start, limit)
            with self.train.damage_named():
                sums = stage.loop.run(iterator, plan, self.step)
            self.step += plan.steps
            self._sums = [old + new for old, new in zip(self._sums, sums, strict=True)]
            self._show(stage, sums, plan.steps, summaries, bar)
            signal_number, is_due = self._agree(stop)
            if self.step == part_end:
                seconds = time.perf_counter() - part_began
                speed = (self.step - first_step) * options.batch_size / seconds
                self._end_part(stage, speed, summaries)
                part_began, first_step = time.perf_counter(), self.step
            elif signal_number is not None or is_due:
                self._save()
            if signal_number is not None and self.step < self.total_steps:
                return signal_number
        return None

    def _agree(self, stop: StopRequest) -> tuple[int | None, bool]:
        """Return the signal that any worker received, and whether to save now."""
        minutes = (time.monotonic() - self._last_saved) / 60
        is_due = self.workers.chief and minutes >= (
            self.config.training.checkpoint_minutes
        )
        signals = [int(stop.signal_number == number) for number in stop.numbers]
        *received, due = self.workers.sum([*signals, int(is_due)])
        for number, count in zip(stop.numbers, received, strict=True):
            if count:
                return number, bool(due)
        return None, bool(due)

    def _end_part(
        self, stage: Stage, images_per_second: float, summaries: Summaries
    ) -> None:
        """Close an epoch, or a pretraining phase: measure, save, log."""
        train = stage.means(self._sums)
        self._sums = self._sums_after(stage)
        if stage.epochs is None:
            self._save()
            _LOGGER.info(stage_line(stage, train, images_per_second))
            return
        epoch = (self.step - stage.start) // stage.part_steps
        self._end_epoch(train, epoch, stage.epochs, images_per_second, summaries)

    def _end_epoch(
        self,
        train: dict[str, float],
        epoch: int,
        epochs: int | None,
        images_per_second: float,
        summaries: Summaries,
    ) -> None:
        """Measure, save and log what stands after an epoch."""
        validation = self.validator.run()
        self._headline = validation.headline
        row = {
            "epoch": epoch,
            "step": self.step,
            "images_per_second": round(images_per_second, 1),
            "train": train,
            "validation": validation.row(),
        }
        scores = {"loss": validation.terms["loss"]}
        if validation.oracle is not None:
            scores["oracle"] = validation.oracle
        best = self._save(scores, row)
        if self.workers.chief:
            self.run.append_metrics(row)
            self.run.save_progress(self.validator.progress(), epoch)
            self._summarize(validation, summaries)
            _LOGGER.info(epoch_line(row, validation, epochs, best))

    def _sums_after(self, stage: Stage) -> list[PhaseSums]:
        """Return the empty sums of what follows this step."""
        following = [other for other in self.stages if self.step < other.end]
        return (following[0] if following else stage).no_sums()

    def _save(
        self, scores: dict[str, float] | None = None, row: dict | None = None
    ) -> list[str]:
        """Write a checkpoint; `row` lets a crash before `append_metrics` lose none."""
        sums = [[list(sums.totals), sums.steps] for sums in self._sums]
        best = self.store.save(
            self.step,
            self.method.networks,
            self._optimizers(self.step),
            {"sums": sums, "row": row, "stages": self._stage_steps},
            scores,
        )
        self._last_saved = time.monotonic()
        return best

    def _optimizers(self, step: int) -> dict:
        """Return the optimizers of the stages that are not over at a step, by name."""
        return {
            (f"pretraining_{phase.name}" if stage.epochs is None else phase.name): (
                phase.optimizer
            )
            for stage in self.stages
            if step < stage.end or stage.epochs is not None
            for phase in stage.loop.phases
        }

    def _summarize(self, validation: Validation, summaries: Summaries) -> None:
        summaries.scalars(validation.scalars(), self.step)
        for tag, picture in self.validator.pictures(validation).items():
            summaries.picture(tag, picture, self.step)
        summaries.flush()

    def _show(
        self,
        stage: Stage,
        sums: list[PhaseSums],
        steps: int,
        summaries: Summaries,
        bar: ProgressBar,
    ) -> None:
        means = stage.means(sums)
        rates = {
            f"learning_rate/{stage.tag}{phase.name}": float(
                phase.optimizer.learning_rate.numpy()
            )
            for phase in stage.loop.phases
        }
        prefix = stage.tag or "train/"
        terms = {f"{prefix}{name}": value for name, value in means.items()}
        summaries.scalars({**terms, **rates}, self.step)
        bar.advance(stage.name, {**means, **self._headline}, steps)
