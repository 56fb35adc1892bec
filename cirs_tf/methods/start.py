"""What networks can learn from unlabeled images before the first step."""

import contextlib
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from cirs_tf.config import Config
from cirs_tf.data.pipeline import as_float
from cirs_tf.errors import DataError
from cirs_tf.losses.cross_entropy import balanced_cross_entropy
from cirs_tf.methods.schedules import adam
from cirs_tf.proposals.color_kmeans import kmeans_labels
from cirs_tf.proposals.object_proposals import propose


@contextlib.contextmanager
def data_errors(key: str) -> Iterator[None]:
    """Say which setting asked for what the images do not have.

    Args:
        key: Of the configuration.

    Raises:
        DataError: In place of a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise DataError(f"{key}: {error}") from None


def start_options(config: Config) -> dict[str, float]:
    """Return the learning rate, batch size and seed of what is learned at the start."""
    return {
        "learning_rate": config.cirs_aligned.start_learning_rate,
        "batch_size": config.training.batch_size,
        "seed": config.seed,
    }


def start_labels(config: Config, images: np.ndarray) -> np.ndarray:
    """Return first segments of unlabeled images, of the kind `cirs.start` names.

    Args:
        config: The run.
        images: `[images, height, width, 3]` uint8.

    Returns:
        `[images, height, width]` uint8 in [0, K), or 255: unsure.

    Raises:
        DataError: `components`, and nothing stands out from a static background.
    """
    if config.cirs.start == "colors":
        labels = kmeans_labels(images, images, config.segments, config.seed)
        return labels.astype(np.uint8)
    # An exemplar is not used here; its canvas cuts no label.
    canvas = 2 * (min(images.shape[1:3]) // 4)
    difference = config.cirs_aligned.difference
    with data_errors("cirs.start"):
        found = propose(images, config.segments - 1, canvas, difference, config.seed)
    return found.labels


def learn_labels(
    segmenter: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    segments: int,
    steps: int,
    learning_rate: float,
    batch_size: int,
    seed: int,
) -> None:
    """Train S on labels, every segment weighing the same.

    Args:
        segmenter: S.
        images: `[images, height, width, 3]` uint8.
        labels: `[images, height, width]` uint8, or 255: not counted.
        segments: K.
        steps: Mini-batches.
        learning_rate: Of Adam.
        batch_size: Images a mini-batch.
        seed: Of the order.
    """
    counts = np.bincount(labels.ravel(), minlength=256)[:segments]
    weights = tf.constant(1 / np.maximum(counts, 1), tf.float32)
    weights /= tf.reduce_mean(weights)

    def loss(batch: tf.Tensor, targets: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        return balanced_cross_entropy(segmenter(batch, training=True), targets, weights)

    variables = segmenter.trainable_variables
    learn(loss, variables, images, labels, steps, learning_rate, batch_size, seed)


def learn(
    loss: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor],
    variables: list,
    images: np.ndarray,
    labels: np.ndarray,
    steps: int,
    learning_rate: float,
    batch_size: int,
    seed: int,
) -> None:
    """Minimize `loss(images, labels, step)` over mini-batches, on every replica alike.

    Call it inside the strategy's scope.

    Args:
        loss: Of a mini-batch of images, float in [0, 1], their labels, and the number
            of the step from 0; a scalar.
        variables: What is trained.
        images: `[images, height, width, 3]` uint8.
        labels: `[images, ...]`.
        steps: Mini-batches.
        learning_rate: Of Adam.
        batch_size: Images a mini-batch.
        seed: Of the order.
    """
    if not steps:
        return
    optimizer = adam(variables, learning_rate)
    strategy = tf.distribute.get_strategy()

    def update(batch: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            # All replicas see the same batch.
            value = loss(batch, targets, step) / strategy.num_replicas_in_sync
        gradients = tape.gradient(value, [one.value for one in variables])
        optimizer.apply(gradients, variables)

    @tf.function
    def run(batch: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> None:
        strategy.run(update, args=(batch, targets, step))

    rng = np.random.default_rng(seed)
    for step in range(steps):
        rows = rng.integers(0, len(images), min(batch_size, len(images)))
        run(as_float(images[rows]), tf.constant(labels[rows]), tf.constant(step))
