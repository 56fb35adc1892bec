"""New styles for a segmentation: codes drawn anew, decoded, laid into the masks."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from cirs_tf.data.image_split import as_float
from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import ConfigError, DataError
from cirs_tf.losses.kl_divergence import standard_normal_kl
from cirs_tf.runs.restore import load_networks, read_config
from cirs_tf.training.run_folder import RunFolder
from cirs_tf.training.validation import Predictor


class StyleGenerator:
    """Segments of a variational AIR, each with a code of its own.

    Args:
        run: Of `air` with `air.variational`.
        checkpoint: `loss`, `oracle` or `last`; None: `training.selection` of the run.

    Raises:
        ConfigError: The run has no variational bottleneck.
        CheckpointError: The checkpoint is not there, or does not fit.

    Reference: thesis 11.
    """

    def __init__(self, run: RunFolder, checkpoint: str | None = None):
        config = read_config(run)
        if config.method != "air" or not config.air.variational:
            found = f"method {config.method}"
            if config.method == "air":
                found += " with air.variational=false"
            raise ConfigError(
                f"{run.path}: expected a run of air with air.variational=true "
                f"(--config air_variational), got {found}"
            )
        self.run = run
        self.checkpoint = checkpoint or config.training.selection
        self.segments = config.segments
        trained = Manifest.read(run.path)
        self.size = (trained.height, trained.width)
        method, self.step = load_networks(run, self.checkpoint)
        networks = method.networks
        self._autoencoders = networks["autoencoders"]
        self._decoders = self._autoencoders.get_layer("decoders")
        self._predict = Predictor(networks["segmenter"], config.training.batch_size)

    def check_size(self, data: str | Path) -> None:
        """Raise a DataError unless the images of a data set are of the run's size.

        The segmenter takes any size, the autoencoders are dense.
        """
        found = Manifest.read(data)
        if (found.height, found.width) != self.size:
            expected = "x".join(map(str, self.size))
            raise DataError(
                f"{data}: expected images of {expected} pixels (height x width), as in "
                f"{self.run.path}, got {found.height}x{found.width}"
            )

    def segmentation(self, images: np.ndarray) -> np.ndarray:
        """Return `[images, height, width]` uint8 segments of uint8 images."""
        return self._predict(images)

    def posterior(
        self, images: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and log-variance of the codes of images.

        Args:
            images: `[images, height, width, 3]` uint8.
            labels: `[images, height, width]` segments.

        Returns:
            Twice `[images, K, units]` float32.
        """
        masked = self._masks(labels) * as_float(images)[:, None]  # (B, K, H, W, 3)
        _, mean, log_variance = self._autoencoders(masked, training=False)
        return mean.numpy(), log_variance.numpy()

    def decode(self, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Decode a code a segment and lay the segments together by their masks.

        Args:
            codes: `[images, K, units]` float.
            labels: `[images, height, width]` segments.

        Returns:
            `[images, height, width, 3]` uint8.
        """
        decoded = self._decoders(tf.constant(codes, tf.float32), training=False)
        combined = tf.reduce_sum(self._masks(labels) * decoded, axis=1)  # (B, H, W, 3)
        return np.uint8(np.floor(combined.numpy() * 255 + 0.5))

    def _masks(self, labels: np.ndarray) -> tf.Tensor:
        return tf.one_hot(labels, self.segments, axis=1)[..., None]  # (B, K, H, W, 1)


def draw_codes(
    mean: np.ndarray,
    log_variance: np.ndarray,
    samples: int,
    seed: int,
    around: str = "prior",
) -> np.ndarray:
    """Draw codes for every segment of every image.

    Sample m of image i depends on (seed, i, m) alone, not on how many are drawn.

    Args:
        mean: `[images, K, units]`, of the posterior.
        log_variance: The same shape.
        samples: Codes an image.
        seed: At least 0.
        around: `prior`: the standard normal; `posterior`: the given Gaussian.

    Returns:
        `[samples, images, K, units]` float32.
    """
    draws = [
        np.random.default_rng([seed, image]).standard_normal((samples, *mean.shape[1:]))
        for image in range(len(mean))
    ]
    codes = np.stack(draws, axis=1)
    if around == "posterior":
        codes = mean + np.exp(log_variance / 2) * codes
    return codes.astype(np.float32)


def code_lengths(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """Return `[K]`: nats that each segment's code holds, mean over images.

    A segment of 0 nats has forgotten its input: its decoder shows one style alone.
    """
    each = [
        standard_normal_kl(tf.constant(mean[:, k]), tf.constant(log_variance[:, k]))
        for k in range(mean.shape[1])
    ]
    return np.mean(each, axis=1)
