"""Adam, its learning rate, and Adam with a group of variables that is reset."""

import math
from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from cirs_tf.config.sections import TrainingConfig

Rate = float | keras.optimizers.schedules.LearningRateSchedule
# Maps a seed `[2]` to a fresh value of a variable.
Sampler = Callable[[tf.Tensor], tf.Tensor]
# Share of the learning rate that is left at the end of the decay.
FINAL_RATE = 0.02


def learning_rate_schedule(
    config: TrainingConfig, initial: float | None = None
) -> Rate:
    """Return the learning rate: constant, or falling as half a cosine.

    Args:
        config: `learning_rate` and `decay_steps`.
        initial: First learning rate; None: `config.learning_rate`.
    """
    initial = config.learning_rate if initial is None else initial
    if config.decay_steps is None:
        return initial
    return keras.optimizers.schedules.CosineDecay(
        initial, config.decay_steps, alpha=FINAL_RATE
    )


def adam(variables: Sequence[keras.Variable], rate: Rate) -> keras.optimizers.Optimizer:
    """Return Adam with its slots in place, so that a checkpoint can hold them.

    Args:
        variables: The variables that it will update.
        rate: Learning rate or schedule.
    """
    optimizer = FusedAdam(rate)
    optimizer.build(variables)
    return optimizer


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, each variable updated by one operation instead of a dozen.

    The same formula and the same slots, so that their checkpoints are each other's;
    values differ by rounding. There is less to trace, so that a run begins sooner.

    Args:
        learning_rate: Learning rate or schedule.
    """

    def __init__(self, learning_rate: Rate):
        super().__init__(learning_rate)  # no other option of Keras's is looked at
        self._configured = learning_rate

    def restore_configured_rate(self) -> None:
        """Take the configured rate again, where a checkpoint has brought another."""
        if not callable(self._configured):
            self.learning_rate = self._configured

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Update one variable from its gradient."""
        index = self._get_variable_index(variable)
        beta_1, beta_2, epsilon, rate = (
            tf.cast(value, gradient.dtype)
            for value in (self.beta_1, self.beta_2, self.epsilon, learning_rate)
        )
        updates = tf.cast(self.iterations.value + 1, gradient.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=beta_1**updates,
            beta2_power=beta_2**updates,
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
            grad=gradient,
        )


def _handle(variable: keras.Variable | tf.Variable) -> tf.Tensor:
    """Return the resource of a variable, on the replica that is being updated."""
    if isinstance(variable, keras.Variable):
        variable = variable.value
    return variable.handle


def first_moments(
    optimizer: keras.optimizers.Adam, variables: Sequence[keras.Variable]
) -> list[tf.Tensor]:
    """Return Adam's running means of the gradients, 0 before the first update.

    Args:
        optimizer: Built for the variables.
        variables: What it updates.
    """
    slots = optimizer._momentums  # Keras has no public way to one slot
    index = optimizer._get_variable_index
    return [slots[index(variable)].value for variable in variables]


class ResettingAdam(FusedAdam):
    """Adam with a group of variables at a rate of its own, which is reset at times.

    The count of updates is all that a reset depends on, and a checkpoint holds it.

    Args:
        learning_rate: Learning rate of the variables outside the group.
        group: Index of each variable of the group in the list that is trained, and a
            sampler of fresh values for it.
        group_learning_rate: Learning rate of the group.
        reset_every: Updates 0 to n - 1 are Adam's. Update n is none: it draws the
            group anew and empties its slots, and Adam starts there as at the beginning.
            So again at 2 n, 3 n and on. 0: never.
        seed: Seed of the fresh values.
    """

    def __init__(
        self,
        learning_rate: Rate,
        group: Mapping[int, Sampler],
        group_learning_rate: Rate,
        reset_every: int,
        seed: int,
    ):
        super().__init__(learning_rate)
        self.group = dict(group)
        self.group_learning_rate = group_learning_rate
        self.reset_every = reset_every
        self.seed = seed

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Update one variable from its gradient."""
        index = self._get_variable_index(variable)
        if index not in self.group:
            super().update_step(gradient, variable, learning_rate)
        elif not self.reset_every:
            super().update_step(gradient, variable, self._group_rate())
        else:
            self._update_or_reset(gradient, variable, index)

    def _group_rate(self) -> float | tf.Tensor:
        """Return the group's rate at this update; a schedule counts all of them."""
        if callable(self.group_learning_rate):
            return self.group_learning_rate(self.iterations)
        return self.group_learning_rate

    def _update_or_reset(self, gradient, variable, index: int) -> None:
        updates = tf.cast(self.iterations.value, tf.int32)
        since_reset = updates % self.reset_every
        is_reset = (since_reset == 0) & (updates > 0)
        # A reset takes the place of an update, so Adam's own count lags by one.
        count = tf.where(updates < self.reset_every, since_reset + 1, since_reset)
        count = tf.cast(tf.maximum(count, 1), gradient.dtype)
        m, v = self._momentums[index], self._velocities[index]
        mean = self.beta_1 * m + (1 - self.beta_1) * gradient
        square = self.beta_2 * v + (1 - self.beta_2) * tf.square(gradient)
        unbiased = mean / (1 - self.beta_1**count)
        scale = tf.sqrt(square / (1 - self.beta_2**count)) + self.epsilon
        rate = self._group_rate()
        if tf.is_tensor(rate):
            rate = tf.cast(rate, gradient.dtype)
        updated = variable - rate * unbiased / scale
        seed = tf.random.experimental.stateless_fold_in([self.seed, index], updates)
        sampler = self.group[index]
        value = tf.cond(
            is_reset, lambda: tf.cast(sampler(seed), updated.dtype), lambda: updated
        )
        self.assign(m, tf.where(is_reset, tf.zeros_like(mean), mean))
        self.assign(v, tf.where(is_reset, tf.zeros_like(square), square))
        self.assign(variable, value)


def weight_samplers(network: keras.Model) -> list[Sampler]:
    """Return a sampler for each trainable variable, distributed as its first value.

    Args:
        network: Kernels from a `VarianceScaling` initializer or 0, biases 0, scales 1.

    Returns:
        In the order of `trainable_variables`.
    """
    initializers = {}
    for layer in network.layers:
        if hasattr(layer, "kernel_initializer"):
            initializers[id(layer.kernel)] = layer.kernel_initializer
    return [
        _sampler(variable, initializers.get(id(variable)))
        for variable in network.trainable_variables
    ]


def _sampler(variable: keras.Variable, initializer) -> Sampler:
    shape = tuple(variable.shape)
    if initializer is None or isinstance(initializer, keras.initializers.Zeros):
        value = 1.0 if variable.name == "gamma" else 0.0
        return lambda seed: tf.fill(shape, value)
    field = math.prod(shape[:-2])
    fans = {"fan_in": shape[-2] * field, "fan_out": shape[-1] * field}
    fans["fan_avg"] = (fans["fan_in"] + fans["fan_out"]) / 2
    variance = initializer.scale / fans[initializer.mode]
    if initializer.distribution == "uniform":
        limit = (3 * variance) ** 0.5
        return lambda seed: tf.random.stateless_uniform(shape, seed, -limit, limit)
    # A normal distribution cut at two deviations has 0.8796 of its deviation.
    deviation = variance**0.5 / 0.87962566103423978
    return lambda seed: tf.random.stateless_truncated_normal(
        shape, seed, 0.0, deviation
    )
