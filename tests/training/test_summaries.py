"""What TensorBoard shows is written, after an error too."""

import re

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2

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


def test_a_worker_that_is_not_the_chief_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Summaries(None) as summaries:
        summaries.scalars({"train/loss": 1.0}, step=3)
    assert list(tmp_path.iterdir()) == []


def test_charts_of_the_layout_find_their_curves(tmp_path):
    with Summaries(tmp_path) as summaries:
        summaries.layout()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    (event,) = events.Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(tf.make_ndarray(event.tensor_proto).item())
    (category,) = layout.category
    patterns = {chart.title: chart.multiline.tag for chart in category.chart}
    for tag, chart in (
        ("validation/miou", "mIoU"),
        ("validation/miou_thesis", "mIoU"),
        ("train/loss", "loss"),
        ("segment_share/3", "share of pixels in each segment"),
        ("bound/between", "between, and its bound"),
        ("train/within", "within, and its bound"),
        ("validation/loss", "loss"),
        ("learning_rate/segmenter", "learning rate"),
    ):
        titles = [
            t for t, found in patterns.items() if any(re.search(p, tag) for p in found)
        ]
        assert titles == [chart]
