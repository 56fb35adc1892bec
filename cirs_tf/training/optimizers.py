"""Adam with one part of its variables at a rate of its own, or drawn anew at times."""

import math
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

Draw = Callable[[tf.Tensor], tf.Tensor]


class PartAdam(keras.optimizers.Adam):
    """Adam that treats some of its variables in another way.

    The count of updates is all that a restart depends on, and a checkpoint holds it.

    Args:
        learning_rate: Of the other variables.
        part: Positions of the part's variables in the list that is trained, each with
            what draws a fresh value for it from a seed `[2]`.
        part_learning_rate: Of the part.
        restart_every: Updates 0 to n - 1 are Adam's. Update n is none: it draws the
            part anew and empties its slots, and Adam starts there as at the beginning.
            So again at 2 n, 3 n and on. 0: never.
        seed: Of what is drawn.
    """

    def __init__(
        self,
        learning_rate: float,
        part: Mapping[int, Draw],
        part_learning_rate: float,
        restart_every: int,
        seed: int,
    ):
        super().__init__(learning_rate)
        self.part = dict(part)
        self.part_learning_rate = part_learning_rate
        self.restart_every = restart_every
        self.seed = seed

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Update one variable from its gradient."""
        index = self._get_variable_index(variable)
        if index not in self.part:
            super().update_step(gradient, variable, learning_rate)
        elif not self.restart_every:
            super().update_step(gradient, variable, self.part_learning_rate)
        else:
            self._update_or_draw(gradient, variable, index)

    def _update_or_draw(self, gradient, variable, index: int) -> None:
        done = tf.cast(self.iterations.value, tf.int32)
        since = done % self.restart_every
        fresh = (since == 0) & (done > 0)
        count = tf.where(done < self.restart_every, since + 1, since)
        count = tf.cast(tf.maximum(count, 1), gradient.dtype)
        m, v = self._momentums[index], self._velocities[index]
        mean = self.beta_1 * m + (1 - self.beta_1) * gradient
        square = self.beta_2 * v + (1 - self.beta_2) * tf.square(gradient)
        unbiased = mean / (1 - self.beta_1**count)
        scale = tf.sqrt(square / (1 - self.beta_2**count)) + self.epsilon
        updated = variable - self.part_learning_rate * unbiased / scale
        seed = tf.random.experimental.stateless_fold_in([self.seed, index], done)
        draw = self.part[index]
        value = tf.cond(
            fresh, lambda: tf.cast(draw(seed), updated.dtype), lambda: updated
        )
        self.assign(m, tf.where(fresh, tf.zeros_like(mean), mean))
        self.assign(v, tf.where(fresh, tf.zeros_like(square), square))
        self.assign(variable, value)


def draws(network: keras.Model) -> list[Draw]:
    """Return what draws each trainable variable of a network as it was drawn first.

    Args:
        network: Kernels from a `VarianceScaling` initializer, biases 0, scales 1.

    Returns:
        In the order of `trainable_variables`; each maps a seed `[2]` to a value.
    """
    kernels = {}
    for layer in network.layers:
        if hasattr(layer, "kernel_initializer"):
            kernels[id(layer.kernel)] = layer.kernel_initializer
    return [
        _draw(variable, kernels.get(id(variable)))
        for variable in network.trainable_variables
    ]


def _draw(variable: keras.Variable, initializer) -> Draw:
    shape = tuple(variable.shape)
    if initializer is None:
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
