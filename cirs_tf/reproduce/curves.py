"""Curves of what TensorBoard was given while a run trained."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf
from matplotlib.figure import Figure
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

Curve = Sequence[tuple[int, float]]  # mini-batch and value


def read_scalars(folder: str | Path, tag: str) -> list[tuple[int, float]]:
    """Return the values of a tag, by mini-batch.

    Args:
        folder: Event files, such as `RUN/tensorboard`.
        tag: Name of the scalar; of a mini-batch written twice the last value counts.

    Returns:
        Pairs of mini-batch and value, in order; none where there is no such tag.
    """
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    if tag not in events.Tags()["tensors"]:
        return []
    found = {
        event.step: float(tf.make_ndarray(event.tensor_proto))
        for event in events.Tensors(tag)
    }
    return sorted(found.items())


def curves_picture(curves: Mapping[str, Curve], x: str, y: str) -> Image.Image:
    """Draw curves into one diagram.

    Args:
        curves: By name.
        x: What the horizontal axis shows.
        y: What the vertical axis shows.
    """
    figure = Figure(figsize=(7, 3.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        steps, values = zip(*curve, strict=True) if curve else ((), ())
        axes.plot(steps, values, label=name, linewidth=1.4)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set(xlabel=x, ylabel=y)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")
