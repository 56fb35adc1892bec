"""The dense CRF against mean field over all pairs of pixels, in loops."""

import sys

import numpy as np
import pytest

from cirs_tf.errors import ConfigError
from cirs_tf.postprocessing.dense_crf import dense_crf

HEIGHT, WIDTH, SEGMENTS = 6, 7, 3
SETTINGS = dict(
    iterations=3,
    smoothness_weight=2.0,
    smoothness_pixels=1.0,
    appearance_weight=2.0,
    appearance_pixels=2.0,
    appearance_color=40.0,
)
# Mean difference of a marginal. The lattice interpolates between its corners: the
# library is 0.007 to 0.011 from the exact sums on images of this kind (8 seeds), while
# every wrong setting below is 0.014 or more away.
TOLERANCE = 0.012


@pytest.fixture
def library():
    reason = "the extra crf is not installed: pip install 'cirs-tf[crf]'"
    pytest.importorskip("pydensecrf.densecrf", reason=reason)


def kernel(features: list[list[float]]) -> list[list[float]]:
    """Gaussian of every pair, over the roots of the row sum and the column sum."""
    raw = [
        [
            np.exp(-sum((a - b) ** 2 for a, b in zip(f, g, strict=True)) / 2)
            for g in features
        ]
        for f in features
    ]
    sums = [sum(row) for row in raw]
    return [
        [value / (sums[i] * sums[j]) ** 0.5 for j, value in enumerate(row)]
        for i, row in enumerate(raw)
    ]


def mean_field(image: np.ndarray, probabilities: np.ndarray, s: dict) -> np.ndarray:
    pixels = list(np.ndindex(image.shape[:2]))
    near = [[x / s["smoothness_pixels"] for x in pixel] for pixel in pixels]
    alike = [
        [x / s["appearance_pixels"] for x in pixel]
        + [int(c) / s["appearance_color"] for c in image[pixel]]
        for pixel in pixels
    ]
    smoothness, appearance = kernel(near), kernel(alike)
    start = [[max(float(p), 1e-5) for p in probabilities[pixel]] for pixel in pixels]
    marginals = [[p / sum(row) for p in row] for row in start]
    for _ in range(s["iterations"]):
        updated = []
        for i in range(len(pixels)):
            row = []
            for label in range(len(start[i])):
                message = 0.0
                for j in range(len(pixels)):
                    weight = s["smoothness_weight"] * smoothness[i][j]
                    weight += s["appearance_weight"] * appearance[i][j]
                    message += weight * marginals[j][label]
                row.append(start[i][label] * np.exp(message))
            updated.append([value / sum(row) for value in row])
        marginals = updated
    return np.array(marginals).reshape(probabilities.shape)


def example(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two colors with noise, left and right, and probabilities that know nothing."""
    rng = np.random.default_rng(seed)
    left = np.arange(WIDTH)[None, :, None] < 3
    image = np.where(left, [200, 60, 40], [60, 90, 180])
    image = image + rng.integers(-25, 26, (HEIGHT, WIDTH, 3))
    probabilities = rng.dirichlet([1] * SEGMENTS, (HEIGHT, WIDTH))
    return image.astype(np.uint8), probabilities.astype(np.float32)


def difference(library: dict, exact: dict, seed: int = 0) -> float:
    """Mean distance of marginals, the library's and the exact ones, by settings."""
    given = example(seed)
    found = dense_crf(*given, **library)
    return float(np.abs(found - mean_field(*given, exact)).mean())


@pytest.mark.parametrize("seed", range(3))
def test_marginals_are_those_of_all_pixel_pairs(library, seed):
    image, probabilities = example(seed)
    marginals = dense_crf(image, probabilities, **SETTINGS)
    assert marginals.shape == (HEIGHT, WIDTH, SEGMENTS)
    assert marginals.dtype == np.float32
    np.testing.assert_allclose(marginals.sum(axis=-1), 1, atol=1e-6)
    assert difference(SETTINGS, SETTINGS, seed) < TOLERANCE


@pytest.mark.parametrize(
    "wrong",
    [
        dict(smoothness_weight=0.0),
        dict(appearance_weight=0.0),
        dict(smoothness_pixels=0.6),
        dict(smoothness_pixels=6.0),
        dict(appearance_pixels=0.7),
        dict(appearance_pixels=6.0),
        dict(appearance_color=15.0),
        dict(appearance_color=400.0),
        dict(iterations=1),
        dict(iterations=2),
        dict(iterations=4),
    ],
)
def test_the_tolerance_tells_settings_apart(library, wrong):
    other = SETTINGS | wrong
    assert difference(SETTINGS, other) > TOLERANCE
    # The other way round: every setting reaches the library.
    assert difference(other, SETTINGS) > TOLERANCE


def test_isolated_pixels_are_updated_in_closed_form(library):
    # With deviations of a hundredth of a pixel both kernels are the identity, on the
    # lattice too: Q <- p exp((w_s + w_a) Q), exactly.
    image, probabilities = example(3)
    probabilities[0, 0] = [0, 0, 1]
    expected = start = np.clip(probabilities, 1e-5, 1).astype(np.float64)
    expected = expected / expected.sum(axis=-1, keepdims=True)
    for _ in range(4):
        expected = start * np.exp((0.7 + 1.1) * expected)
        expected /= expected.sum(axis=-1, keepdims=True)
    found = dense_crf(
        image,
        probabilities,
        iterations=4,
        smoothness_weight=0.7,
        smoothness_pixels=0.01,
        appearance_weight=1.1,
        appearance_pixels=0.01,
        appearance_color=1.0,
    )
    # Four updates in float32, each of which may grow an error.
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_without_iterations_nothing_changes(library):
    image, probabilities = example(4)
    found = dense_crf(image, probabilities, iterations=0)
    np.testing.assert_allclose(found, probabilities, atol=1e-4)  # The floor of 1e-5.


def test_noise_on_two_colors_is_cleaned_up(library):
    rng = np.random.default_rng(0)
    truth = (np.arange(32)[None, :] >= 12).astype(np.int64).repeat(24, axis=0)
    image = np.array([[200, 60, 40], [60, 90, 180]])[truth]
    image = (image + rng.integers(-8, 9, image.shape)).astype(np.uint8)
    seen = np.where(rng.random(truth.shape) < 0.2, 1 - truth, truth)
    probabilities = np.where(seen[..., None] == np.arange(2), 0.7, 0.3)
    assert (seen != truth).mean() > 0.15
    found = dense_crf(image, probabilities).argmax(axis=-1)
    np.testing.assert_array_equal(found, truth)


def test_defaults_are_those_of_the_example_of_the_library(library):
    image, probabilities = example(6)
    explicit = dense_crf(
        image,
        probabilities,
        iterations=5,
        smoothness_weight=3.0,
        smoothness_pixels=3.0,
        appearance_weight=10.0,
        appearance_pixels=80.0,
        appearance_color=13.0,
    )
    np.testing.assert_array_equal(dense_crf(image, probabilities), explicit)


def test_arguments_are_not_written_to(library):
    image, probabilities = example(5)
    expected = dense_crf(image, probabilities)
    # Mirrored twice: the same values in memory that is not contiguous.
    mirrored = np.ascontiguousarray(image[:, ::-1])
    for array in (mirrored, probabilities):
        array.flags.writeable = False
    found = dense_crf(mirrored[:, ::-1], probabilities.astype(np.float64))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def bad(image=None, probabilities=None, **settings):
    good = example(0)
    return (
        good[0] if image is None else image,
        good[1] if probabilities is None else probabilities,
        settings,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (bad(image=np.zeros((6, 7, 3))), "image: expected uint8 .* got float64"),
        (bad(image=np.zeros((6, 7), np.uint8)), r"image: .*got uint8 \(6, 7\)"),
        (bad(image=np.zeros((7, 6, 3), np.uint8)), r"expected \[7, 6, K\], got \(6, 7"),
        (bad(probabilities=np.zeros((6, 7, 0))), "probabilities: no values"),
        (bad(probabilities=np.full((6, 7, 3), 2.0)), r"expected \[0, 1\], got \[2.0"),
        (
            bad(probabilities=np.full((6, 7, 3), np.nan)),
            r"expected \[0, 1\], got \[nan",
        ),
        (bad(iterations=-1), "iterations: expected 0 or more, got -1"),
        (bad(smoothness_weight=-1.0), "smoothness_weight: expected 0 or more"),
        (bad(appearance_weight=np.nan), "appearance_weight: expected 0 or more"),
        (bad(smoothness_pixels=0.0), "smoothness_pixels: expected more than 0"),
        (bad(appearance_pixels=0.0), "appearance_pixels: expected more than 0"),
        (bad(appearance_color=-2.0), "appearance_color: expected more than 0"),
    ],
)
def test_what_the_crf_cannot_take_is_refused(arguments, message):
    image, probabilities, settings = arguments
    with pytest.raises(ValueError, match=message):
        dense_crf(image, probabilities, **settings)


def test_without_the_extra_an_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydensecrf", None)
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    with pytest.raises(ConfigError, match=r"pip install 'cirs-tf\[crf\]'"):
        dense_crf(*example(0))
