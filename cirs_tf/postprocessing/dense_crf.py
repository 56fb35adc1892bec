"""Dense CRF: a fully connected CRF that moves segment borders to edges of color."""

import importlib.util
from types import ModuleType

import numpy as np

from cirs_tf.errors import ConfigError

# Smaller probabilities are raised to it, so that their logarithm is finite.
_MIN_PROBABILITY = 1e-5


def dense_crf(
    image: np.ndarray,
    probabilities: np.ndarray,
    *,
    iterations: int = 5,
    smoothness_weight: float = 3.0,
    smoothness_pixels: float = 3.0,
    appearance_weight: float = 10.0,
    appearance_pixels: float = 80.0,
    appearance_color: float = 13.0,
) -> np.ndarray:
    """Return the mean-field marginals of a fully connected CRF.

        Q_i(l) <- p_i(l) exp(sum_j (w_s s_ij + w_a a_ij) Q_j(l)) / (sum over l)
        s_ij ~ exp(-|x_i - x_j|^2 / 2 smoothness_pixels^2)
        a_ij ~ exp(-|x_i - x_j|^2 / 2 appearance_pixels^2
                   -|c_i - c_j|^2 / 2 appearance_color^2)

    starting from Q = p, all pixels at once, with positions x, colors c, and each
    kernel divided by the root of its row sum and of its column sum. The sums are those
    of a permutohedral lattice, an approximation whose time grows with the number of
    pixels instead of its square.

    Departs from the reference as the library does: it has no normalization of the
    kernels and leaves j = i out.

    Args:
        image: `[height, width, 3]` uint8.
        probabilities: `[height, width, K]` float p in [0, 1], a softmax.
        iterations: Mean-field updates, 0 or more.
        smoothness_weight: w_s, 0 (no such kernel) or more.
        smoothness_pixels: Standard deviation of the position, more than 0.
        appearance_weight: w_a, 0 (no such kernel) or more.
        appearance_pixels: Standard deviation of the position, more than 0.
        appearance_color: Standard deviation of each channel in [0, 255], more than 0.

    Returns:
        `[height, width, K]` float32 Q in [0, 1], summing to 1 over the last axis.

    Raises:
        ConfigError: The extra `crf` is not installed.
        ValueError: A shape, dtype or value is not as above.

    Reference: Kraehenbuehl and Koltun 2011. The library is pydensecrf; the defaults are
    those of its example, chosen for photographs of some 300 x 200 pixels.
    """
    _check_arrays(image, probabilities)
    _check_settings(
        iterations=iterations,
        smoothness_weight=smoothness_weight,
        smoothness_pixels=smoothness_pixels,
        appearance_weight=appearance_weight,
        appearance_pixels=appearance_pixels,
        appearance_color=appearance_color,
    )
    library = crf_library()
    height, width, num_segments = probabilities.shape
    energy = -np.log(np.clip(probabilities, _MIN_PROBABILITY, 1.0))  # (H, W, K)
    crf = library.DenseCRF2D(width, height, num_segments)
    crf.setUnaryEnergy(
        np.ascontiguousarray(energy.reshape(-1, num_segments).T, np.float32)  # (K, H W)
    )
    if smoothness_weight:
        crf.addPairwiseGaussian(sxy=smoothness_pixels, compat=smoothness_weight)
    if appearance_weight:
        crf.addPairwiseBilateral(
            sxy=appearance_pixels,
            srgb=appearance_color,
            # A copy: the library takes writable, contiguous memory alone.
            rgbim=np.array(image, order="C"),
            compat=appearance_weight,
        )
    marginals = np.array(crf.inference(iterations))  # (K, H W)
    return np.ascontiguousarray(marginals.T).reshape(height, width, num_segments)


def is_crf_installed() -> bool:
    """Return whether the extra `crf`, which `dense_crf` needs, is installed."""
    return importlib.util.find_spec("pydensecrf") is not None


def crf_library() -> ModuleType:
    """Import the library of the dense CRF.

    Raises:
        ConfigError: The extra `crf` is not installed.
    """
    try:
        import pydensecrf.densecrf as library
    except ModuleNotFoundError:
        raise ConfigError(
            "the dense CRF needs pydensecrf2, which is not installed: "
            "pip install 'cirs-tf[crf]' (Python 3.11 or 3.12, a C++ compiler)"
        ) from None
    return library


def _check_arrays(image: np.ndarray, probabilities: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"image: expected uint8 [height, width, 3], got {image.dtype} {image.shape}"
        )
    if probabilities.ndim != 3 or probabilities.shape[:2] != image.shape[:2]:
        raise ValueError(
            f"probabilities: expected [{image.shape[0]}, {image.shape[1]}, K], got "
            f"{probabilities.shape}"
        )
    if probabilities.size == 0:
        raise ValueError(f"probabilities: no values in {probabilities.shape}")
    low, high = probabilities.min(), probabilities.max()
    # Written so that NaN is refused as well; a softmax may exceed 1 by rounding.
    if not (low >= 0 and high <= 1 + 1e-4):
        raise ValueError(f"probabilities: expected [0, 1], got [{low}, {high}]")


def _check_settings(**settings: float) -> None:
    for name, value in settings.items():
        is_deviation = name.endswith(("_pixels", "_color"))
        if not (value > 0 or (value == 0 and not is_deviation)):
            expected = "more than 0" if is_deviation else "0 or more"
            raise ValueError(f"{name}: expected {expected}, got {value}")
