"""Where a run computes: devices, workers, and how replicas add up to one device."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

from cirs_tf.config.sections import TrainingConfig
from cirs_tf.data.share import Share
from cirs_tf.errors import ConfigError, TrainingError


def make_strategy(config: TrainingConfig) -> tf.distribute.Strategy:
    """Return the strategy that `config.strategy` names.

    `auto` is `multi_worker` where TF_CONFIG is set, `mirrored` on several devices,
    else `single`.

    Raises:
        ConfigError: The batch does not divide by the replicas, or the CPU cannot be
            split any more because TensorFlow is running.
    """
    _split_cpu(config.logical_cpus)
    kind = config.strategy
    if kind == "auto" and "TF_CONFIG" in os.environ:
        kind = "multi_worker"
    # Workers connect before anything else makes TensorFlow start.
    strategy = _multi_worker() if kind == "multi_worker" else _on_this_machine(kind)
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise ConfigError(
            f"training.batch_size: expected a multiple of the {replicas} replicas, "
            f"got {config.batch_size}"
        )
    return strategy


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process writes the run folder: always, but on extra workers.

    Args:
        strategy: From `make_strategy`.
    """
    return worker_index(strategy) == 0


def scale_loss(loss: tf.Tensor, global_batch: int) -> tf.Tensor:
    """Scale a loss so that the sum of the replicas' gradients is the gradient.

    The one place where this is done; `optimizer.apply` then sums over replicas.

    Args:
        loss: `[batch]`, one value an example of this replica; or a scalar computed
            from statistics of the global batch (see `batch_mean`), the same on every
            replica.
        global_batch: Examples over all replicas.

    Returns:
        A scalar: the sum over examples / `global_batch`, or the scalar / replicas
        (the gradient of an all-reduce sums what the replicas send back).
    """
    if loss.shape.rank == 0:
        return loss / tf.distribute.get_strategy().num_replicas_in_sync
    return tf.reduce_sum(loss) / global_batch


def batch_mean(values: tf.Tensor) -> tf.Tensor:
    """Return the mean over the global batch: `[batch, ...]` to `[...]`.

    Gradient: that of the mean over all replicas' examples, given `scale_loss`.
    """
    replica = tf.distribute.get_replica_context()
    total = sum_over_replicas(tf.reduce_sum(values, axis=0))
    count = tf.shape(values)[0] * replica.num_replicas_in_sync
    return total / tf.cast(count, values.dtype)


def batch_sum(values: tf.Tensor) -> tf.Tensor:
    """Return the sum over the global batch and all axes, a scalar.

    Args:
        values: `[batch, ...]`, this replica's share.

    Gradient: that of the sum over all replicas' examples, given `scale_loss`.
    """
    return sum_over_replicas(tf.reduce_sum(values))


def sum_over_replicas(values: tf.Tensor) -> tf.Tensor:
    """Return the sum of a tensor of any shape over all replicas, on each of them."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return values
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, values)


def distributed_iterator(
    strategy: tf.distribute.Strategy,
    batches: Callable[[int, int, Share], tf.data.Dataset],
    batch_size: int,
    first_step: int,
):
    """Return an iterator of each replica's share of every global batch.

    The global batch of a step is the same for any number of replicas and workers; a
    worker reads its own part alone.

    Args:
        strategy: From `make_strategy`.
        batches: Maps a batch size, the number of batches to leave out at the start and
            the share of a worker to a dataset.
        batch_size: Images over all replicas.
        first_step: Number of global batches to leave out.
    """
    replicas = strategy.num_replicas_in_sync

    def shares(context: tf.distribute.InputContext) -> tf.data.Dataset:
        workers = context.num_input_pipelines
        share = Share(context.input_pipeline_id, workers, batch_size // workers)
        return batches(batch_size // replicas, first_step * replicas, share)

    return iter(strategy.distribute_datasets_from_function(shares))


class Workers:
    """The processes of a run, which must agree on when to stop and to save.

    Args:
        strategy: From `make_strategy`.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.index = worker_index(strategy)
        resolver = strategy.cluster_resolver
        jobs = {} if resolver is None else resolver.cluster_spec().as_dict()
        self.count = sum(map(len, jobs.values())) or 1
        self.chief = is_chief(strategy)

    def sum(self, values: Sequence[int]) -> list[int]:
        """Return the sums over all workers; every worker must call it.

        Args:
            values: Small integers of this worker, as many on every worker.
        """
        if self.count == 1:
            return list(values)
        own = tf.constant(values, tf.int32)
        per_replica = self.strategy.experimental_distribute_values_from_function(
            lambda _: own
        )
        total = self.strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)
        # Replicas of one worker hold the same value: divided out again.
        here = self.strategy.num_replicas_in_sync // self.count
        return (total // here).numpy().tolist()

    @contextlib.contextmanager
    def reporting_losses(self) -> Iterator[None]:
        """Turn what TensorFlow says of a worker that is gone into one line.

        Raises:
            TrainingError: Another worker ended, or cannot be reached any more.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self.count == 1 or "Collective ops is aborted" not in error.message:
                raise
            raise TrainingError(
                "another worker ended, see its output, or cannot be reached; start all "
                "of them again: the same command goes on from the last checkpoint"
            ) from None

    def from_chief(self, value: int) -> int:
        """Return the chief's value; every worker must call it."""
        (shared,) = self.sum([value if self.chief else 0])
        return shared


def set_determinism(chosen: bool | None) -> str:
    """Let operations give the same bits in every run, where that is wanted.

    TensorFlow has no public way to switch it off again in the same process.

    Args:
        chosen: `training.deterministic`; None: on, unless there is a GPU.

    Returns:
        What was done, for the log.
    """
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    why = " (training.deterministic)"
    if chosen is None:
        chosen = not on_gpu
        why = " (default on a GPU)" if on_gpu else " (default on a CPU)"
    if chosen:
        tf.config.experimental.enable_op_determinism()
    return f"{'on' if chosen else 'off'}{why}"


def worker_index(strategy: tf.distribute.Strategy) -> int:
    """Return the number of this process among all of its kind, 0 for a single one."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec():
        return 0
    offset = 1 if "chief" in resolver.cluster_spec().jobs else 0
    return 0 if resolver.task_type == "chief" else resolver.task_id + offset


def _multi_worker() -> tf.distribute.Strategy:
    implementation = tf.distribute.experimental.CommunicationImplementation
    on_gpu = tf.config.list_physical_devices("GPU")
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=implementation.AUTO if on_gpu else implementation.RING
    )
    return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


def _on_this_machine(kind: str) -> tf.distribute.Strategy:
    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    if kind == "single" or (kind == "auto" and len(devices) == 1):
        return tf.distribute.get_strategy()
    # On CPUs, a second strategy in one process would fail in its collectives.
    on_cpu = None if gpus else tf.distribute.ReductionToOneDevice()
    names = [device.name for device in devices]
    return tf.distribute.MirroredStrategy(names, cross_device_ops=on_cpu)


def _split_cpu(count: int) -> None:
    if count == 1:
        return
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) == count:
        return
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError:
        raise ConfigError(
            f"training.logical_cpus: {count} must be set before TensorFlow runs"
        ) from None
