"""What TensorBoard shows is written, after an error too."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cirs_tf.training.summaries import Summaries


def scalars(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return set(events.Tags()["tensors"])


def test_an_error_loses_no_scalar(tmp_path):
    with pytest.raises(RuntimeError), Summaries(tmp_path) as summaries:
        summaries.scalars({"train/loss": 1.0}, step=3)
        raise RuntimeError
    assert scalars(tmp_path) == {"train/loss"}


def test_a_worker_that_is_not_the_chief_writes_nothing(tmp_path):
    with Summaries(None) as summaries:
        summaries.scalars({"train/loss": 1.0}, step=3)
    assert list(tmp_path.iterdir()) == []
