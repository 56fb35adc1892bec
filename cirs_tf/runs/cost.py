"""How long runs were."""

import math

from cirs_tf.config.sections import Config
from cirs_tf.data.manifest import Manifest
from cirs_tf.training.run_folder import RunFolder


def steps_per_epoch(config: Config, data: Manifest) -> int:
    """Return the mini-batches per epoch of a run: one pass where none are set.

    Args:
        config: The run.
        data: Of its data set.
    """
    options = config.training
    images = data.split("train").examples
    return options.steps_per_epoch or math.ceil(images / options.batch_size)


def training_seconds(run: RunFolder, config: Config) -> float:
    """Return the seconds of a run's mini-batches, without pretraining and validation.

    sum over epochs of images per epoch / images per second; 0 where none was trained

    Args:
        run: Its metrics and the manifest of its data are read.
        config: The run.
    """
    steps = steps_per_epoch(config, Manifest.read(run.path))
    speeds = [row["images_per_second"] for row in run.read_metrics()]
    images = steps * config.training.batch_size
    return sum(images / speed for speed in speeds if speed)
