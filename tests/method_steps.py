"""How tests run a method: initialization, pretraining and cycles, in one process."""

import numpy as np
import tensorflow as tf

from cirs_tf.training.loop import TrainingLoop
from cirs_tf.training.phases import PSEUDO_LABELS, StepPlan


def replica_batches(strategy, batch, size):
    """Return an iterator of each replica's share of every global batch.

    Args:
        strategy: Of any number of replicas on this machine.
        batch: Arrays `[steps * size, ...]` by name.
        size: Examples per global batch.
    """
    share = size // strategy.num_replicas_in_sync
    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(share, True)
    return iter(strategy.distribute_datasets_from_function(lambda _: dataset))


def run_phases(phases, plan, images, masks=None, size=8, seed=0, strategy=None):
    """Run phases of a method on images drawn with replacement.

    Args:
        phases: One cycle.
        plan: What to run of it.
        images: `[images, height, width, 3]` uint8.
        masks: `[images, height, width]`, or None.
        size: Examples per global batch.
        seed: Seed of the draws.
        strategy: Where the method was built; None: one device.

    Returns:
        The sums of the loss terms, by phase.
    """
    strategy = strategy or tf.distribute.get_strategy()
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(images), plan.steps * size)
    batch = {"image": images[rows].astype(np.float32) / 255}
    if masks is not None:
        batch["mask"] = masks[rows]
    loop = TrainingLoop(phases, strategy, size)
    return loop.run(replica_batches(strategy, batch, size), plan, 0)


def pretrain(method, images, initialization, size=8, strategy=None):
    """Run every pretraining phase, as the trainer does.

    Returns:
        The sums of the loss terms, by phase name.
    """
    masks = initialization.get(PSEUDO_LABELS)
    sums = {}
    for phase in method.pretraining:
        plan = StepPlan(1, (phase.steps,))
        shown = images[: phase.num_images]
        (sums[phase.name],) = run_phases(
            [phase], plan, shown, masks, size, strategy=strategy
        )
    return sums


def initialize(method, images):
    """Initialize a method from images, where it takes anything from them."""
    if not hasattr(method, "initialize"):
        return {}
    initialization = method.initialize(images)
    method.assign(initialization)
    return initialization


def train(method, images, cycles, masks=None, size=8, seed=0, strategy=None):
    """Run cycles of a method's phases; return the sums of the loss terms."""
    plan = StepPlan(cycles, tuple(phase.steps for phase in method.phases))
    return run_phases(method.phases, plan, images, masks, size, seed, strategy)
