"""What TensorBoard shows of a run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalar
from tensorboard.plugins.hparams import api as hparams

from cirs_tf.config.sections import Config
from cirs_tf.config.settings import flatten

# Charts of the dashboard CUSTOM SCALARS: regular expressions of the tags in each.
_CHARTS = {
    "mIoU": ("validation/miou(_thesis)?",),
    "loss": ("train/loss", "validation/loss"),
    "share of pixels in each segment": ("segment_share/.*",),
    "within, and its bound": ("train/within", "validation/within", "bound/within"),
    "between, and its bound": ("train/between", "validation/between", "bound/between"),
    "learning rate": ("learning_rate/.*",),
}


class Summaries:
    """Writes scalars, pictures and hyperparameters.

    Args:
        directory: `tensorboard/` of a run, or None: nothing is written.
    """

    def __init__(self, directory: Path | None):
        self._writer = (
            tf.summary.create_noop_writer()
            if directory is None
            else tf.summary.create_file_writer(str(directory))
        )

    def __enter__(self) -> "Summaries":
        """Return itself."""
        return self

    def __exit__(self, *_) -> None:
        """Write what is pending and close the file, after an error too."""
        self._writer.close()

    def hyperparameters(self, config: Config) -> None:
        """Record the configuration for the HParams dashboard."""
        values = {
            key: "none" if value is None else value
            for key, value in flatten(config).items()
        }
        shown = {
            "validation/miou": "validation mIoU",
            "validation/miou_thesis": "validation mIoU (thesis)",
            "validation/loss": "validation loss",
        }
        metrics = [
            hparams.Metric(tag, display_name=name) for tag, name in shown.items()
        ]
        with self._writer.as_default():
            hparams.hparams_config(
                hparams=[hparams.HParam(key) for key in values], metrics=metrics
            )
            hparams.hparams(values)

    def layout(self) -> None:
        """Lay out the dashboard of several curves in one chart."""
        charts = [
            layout_pb2.Chart(
                title=title,
                multiline=layout_pb2.MultilineChartContent(
                    tag=[f"^{tag}$" for tag in tags]
                ),
            )
            for title, tags in _CHARTS.items()
        ]
        layout = layout_pb2.Layout(
            category=[layout_pb2.Category(title="cirs_tf", chart=charts)]
        )
        # The plugin's own function writes what TensorFlow 1 reads.
        metadata = custom_scalar.create_summary_metadata()
        with self._writer.as_default(0):
            tf.summary.write(
                custom_scalar.CONFIG_SUMMARY_TAG,
                tf.constant(layout.SerializeToString()),
                metadata=tf.compat.v1.SummaryMetadata.FromString(
                    metadata.SerializeToString()
                ),
            )

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Record scalars by tag."""
        with self._writer.as_default(step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def picture(self, tag: str, picture: Image.Image, step: int) -> None:
        """Record one picture."""
        with self._writer.as_default(step):
            tf.summary.image(tag, np.asarray(picture)[None])

    def flush(self) -> None:
        """Write what is pending."""
        self._writer.flush()
