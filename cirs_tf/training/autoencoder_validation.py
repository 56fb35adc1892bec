"""What an autoencoder of whole images has learned: how its codes tell classes apart."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cirs_tf.data.image_split import ImageSplit, as_float
from cirs_tf.errors import DataError
from cirs_tf.metrics.class_means import class_mean_distance
from cirs_tf.training.phases import Method
from cirs_tf.training.validation import MeanTerms, in_batches
from cirs_tf.visualization import image_grid

_PICTURED = 12


@dataclasses.dataclass(frozen=True)
class AutoencoderValidation:
    """The outcome of an autoencoder.

    Attributes:
        terms: Mean of each loss term over the validation split.
        class_distance: The alpha_2 term of the mean codes of the probe's classes.
        code_variance: Variance of the probe's codes, summed over the code: the scale
            that `class_distance` is to be seen against.
    """

    terms: dict[str, float]
    class_distance: float
    code_variance: float
    oracle: float | None = None  # no checkpoint is chosen by classes

    @property
    def headline(self) -> dict[str, float]:
        """The alpha_2 term."""
        return {"alpha_2 term": self.class_distance}

    def row(self) -> dict:
        """Return terms, class distance and variance."""
        return {
            **self.terms,
            "class_distance": self.class_distance,
            "code_variance": self.code_variance,
        }

    def scalars(self) -> dict[str, float]:
        """Return the same by tag."""
        return {f"validation/{name}": value for name, value in self.row().items()}


class AutoencoderValidator:
    """Runs an autoencoder over two splits, in inference mode, on one device.

    Args:
        method: Networks `encoder` and `decoder`, and the label-free loss.
        validation: Images on which the loss is measured.
        probe: Images with classes; thesis 9.1 takes the test split. The classes serve
            this measurement alone.
        batch_size: Images at a time.

    Raises:
        DataError: The probe has fewer than two classes.
    """

    def __init__(
        self,
        method: Method,
        validation: ImageSplit,
        probe: ImageSplit,
        batch_size: int,
    ):
        classes = np.unique(probe.image_classes)
        if len(classes) < 2:
            raise DataError(
                "test: expected images of two classes or more, whose codes are "
                f"compared, got {len(classes)}"
            )
        self.validation = validation
        self.probe = probe
        self.batch_size = batch_size
        self._encoder: keras.Model = method.networks["encoder"]
        self._decoder: keras.Model = method.networks["decoder"]
        self._mean_terms = MeanTerms(method, validation.without_masks(), batch_size)

    def run(self) -> AutoencoderValidation:
        """Return the loss on one split and the distance of classes on the other."""
        codes = in_batches(self._codes, self.probe.images, self.batch_size)
        return AutoencoderValidation(
            terms=self._mean_terms(),
            class_distance=class_mean_distance(codes, self.probe.image_classes),
            code_variance=float(codes.astype(np.float64).var(axis=0).sum()),
        )

    def pictures(self, _: AutoencoderValidation) -> dict[str, Image.Image]:
        """Return the first validation images and their reconstructions."""
        images = self.validation.images[:_PICTURED]
        rows = {"input": images, "rebuilt": self._reconstructions()}
        return {"validation": image_grid(rows)}

    def progress(self) -> Image.Image:
        """Return the reconstructions alone."""
        return Image.fromarray(np.hstack(self._reconstructions()))

    def _reconstructions(self) -> np.ndarray:
        rebuilt = self._rebuilt(self.validation.images[:_PICTURED]).numpy()
        return np.uint8(255 * np.clip(rebuilt, 0, 1) + 0.5)

    # Not Keras's `predict`, which runs every replica of a strategy on the same images.
    @tf.function(reduce_retracing=True, autograph=False)
    def _codes(self, images: tf.Tensor) -> tf.Tensor:
        return self._encoder(as_float(images), training=False)

    @tf.function(reduce_retracing=True, autograph=False)
    def _rebuilt(self, images: tf.Tensor) -> tf.Tensor:
        return self._decoder(self._codes(images), training=False)
