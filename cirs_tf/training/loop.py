"""The compiled loop: many mini-batches per call, one tape per update."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from cirs_tf.data.image_split import Batch
from cirs_tf.errors import TrainingError
from cirs_tf.training.optimizers import first_moments
from cirs_tf.training.phases import Phase, StepPlan
from cirs_tf.training.strategy import scale_loss, sum_over_replicas


class PhaseSums(NamedTuple):
    """Loss terms of one phase, summed over mini-batches.

    Attributes:
        totals: `[terms]` float64.
        steps: How many mini-batches were summed.
    """

    totals: np.ndarray
    steps: int

    def __add__(self, other: "PhaseSums") -> "PhaseSums":
        """Return the sums over the mini-batches of both."""
        return PhaseSums(self.totals + other.totals, self.steps + other.steps)


class TrainingLoop:
    """Runs the phases of a method under a strategy.

    Args:
        phases: One cycle of them.
        strategy: The scope in which networks and optimizers were built.
        batch_size: Examples per mini-batch over all replicas.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        strategy: tf.distribute.Strategy,
        batch_size: int,
    ):
        self.phases = list(phases)
        self.strategy = strategy
        self.batch_size = batch_size

    def run(self, iterator, plan: StepPlan, first_step: int) -> list[PhaseSums]:
        """Run a part of a cycle, or several cycles.

        Args:
            iterator: From `distributed_iterator`.
            plan: What to run.
            first_step: Mini-batches done before, for messages.

        Returns:
            The summed terms of each phase.

        Raises:
            TrainingError: A term was not finite; step, phase and term are named.
        """
        totals, bad = self._run(
            iterator,
            tf.constant(plan.cycles),
            tf.constant(plan.counts),
            tf.constant(first_step),
        )
        step, phase, term = bad.numpy()
        if step >= 0:
            culprit = self.phases[phase]
            raise TrainingError(
                f"step {step}: {culprit.reported[term]} of phase {culprit.name} "
                "is not finite"
            )
        return [
            PhaseSums(total.numpy().astype(np.float64), plan.cycles * count)
            for total, count in zip(totals, plan.counts, strict=True)
        ]

    # Without AutoGraph, whose conversion of methods and Keras would take as long as
    # building the graph: what runs below holds no Python control flow on tensors.
    @tf.function(autograph=False)
    def _run(self, iterator, cycles, counts, step):
        def cycle(totals, step, bad):
            in_cycle = []
            for number, phase in enumerate(self.phases):
                total, step, bad = self._run_phase(
                    number, phase, iterator, counts[number], totals[number], step, bad
                )
                in_cycle.append(total)
            return tuple(in_cycle), step, bad

        totals = tuple(tf.zeros(len(phase.reported)) for phase in self.phases)
        bad = tf.constant([-1, -1, -1])  # first step, phase, term that is not finite
        totals, _, bad = _repeat(cycles, cycle, (totals, step, bad))
        return totals, bad

    def _first_bad(self, terms, number, step, bad):
        wrong = tf.logical_not(tf.math.is_finite(terms))
        term = tf.argmax(wrong, output_type=tf.int32)
        is_first = tf.reduce_any(wrong) & (bad[0] < 0)
        return tf.where(is_first, tf.stack([step, number, term]), bad)

    def _run_phase(self, number, phase, iterator, count, total, step, bad):
        def update(total, step, bad):
            terms = self._distributed_step(phase, next(iterator))
            bad = self._first_bad(terms, number, step, bad)
            return total + terms, step + 1, bad

        return _repeat(count, update, (total, step, bad))

    def _distributed_step(self, phase: Phase, batch) -> tf.Tensor:
        terms = self.strategy.run(self._train_step, args=(phase, batch))
        return self.strategy.reduce(tf.distribute.ReduceOp.MEAN, terms, axis=None)

    def _train_step(self, phase: Phase, batch: Batch) -> tf.Tensor:
        """Update once on this replica's share; return its terms `[terms]`."""
        with tf.GradientTape() as tape:
            terms = phase.loss(batch)
            loss = scale_loss(terms["loss"], self.batch_size)
        variables = [variable.value for variable in phase.variables]
        gradients = tape.gradient(loss, variables)
        means = [tf.reduce_mean(terms[name]) for name in phase.terms]
        if phase.watched:
            means.append(_gradient_cosine(phase, gradients))
        phase.optimizer.apply(gradients, phase.variables)
        return tf.cast(tf.stack(means), tf.float32)  # under any dtype policy


def _repeat(times: tf.Tensor, body: Callable, state: tuple) -> tuple:
    """Return the state after `body`, which maps a state to the next, ran many times."""

    def counted(done, *state):
        return done + 1, *body(*state)

    _, *state = tf.while_loop(
        lambda done, *_: done < times, counted, (tf.constant(0), *state)
    )
    return tuple(state)


def _gradient_cosine(phase: Phase, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return the cosine of watched gradients and Adam's mean of those before."""
    watched = {id(variable) for variable in phase.watched}
    moments = first_moments(phase.optimizer, phase.variables)
    chosen = [
        (tf.reshape(gradient, [-1]), tf.reshape(moment, [-1]))
        for variable, gradient, moment in zip(
            phase.variables, gradients, moments, strict=True
        )
        if id(variable) in watched
    ]
    gradient, moment = (tf.concat(parts, axis=0) for parts in zip(*chosen, strict=True))
    gradient = sum_over_replicas(gradient)  # as the optimizer takes it
    return tf.math.divide_no_nan(
        tf.reduce_sum(gradient * moment), tf.norm(gradient) * tf.norm(moment)
    )
