"""The U-Net: sizes, parameters counted by hand, seeds, a saved copy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.config.sections import SegmenterConfig
from cirs_tf.models.unet import unet

SEGMENTS = 3


def images(*sizes: int) -> np.ndarray:
    rng = np.random.default_rng(sum(sizes))
    return rng.random((*sizes, 3)).astype(np.float32)


def kernels(model: keras.Model) -> list[np.ndarray]:
    return [w.numpy() for w in model.weights if w.path.endswith("kernel")]


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
def test_logits_have_the_size_of_the_images(upsampling):
    config = SegmenterConfig(width=2, norm="none", upsampling=upsampling)
    model = unet(config, SEGMENTS, seed=0)
    assert model.input_shape == (None, None, None, 3)
    assert model.output_shape == (None, None, None, SEGMENTS)
    for height, width in [(64, 64), (35, 35), (97, 130), (1, 1)]:
        logits = model(images(2, height, width))
        assert logits.shape == (2, height, width, SEGMENTS)
        assert logits.dtype == "float32"
        assert np.isfinite(logits).all()


def test_compiled_for_unknown_sizes():
    model = unet(SegmenterConfig(width=2, depth=2), SEGMENTS, seed=0)
    signature = [tf.TensorSpec([None, None, None, 3])]
    compiled = tf.function(model, input_signature=signature)
    for height, width in [(8, 8), (5, 7)]:
        batch = images(1, height, width)
        # Graph and eager kernels may fuse differently: some float32 roundings.
        np.testing.assert_allclose(compiled(batch), model(batch), atol=1e-5)


def test_an_odd_size_is_the_padded_image_cropped_back():
    model = unet(SegmenterConfig(width=2), SEGMENTS, seed=0)
    batch = images(1, 35, 29)
    padded = np.pad(batch, ((0, 0), (0, 5), (0, 3), (0, 0)), mode="edge")
    expected = model(padded)[:, :35, :29]
    np.testing.assert_allclose(model(batch), expected, atol=1e-6)


# Width 2, depth 1, K = 3, with biases:
#   down     3x3x3x2 + 2, 3x3x2x2 + 2    56 + 38
#   bottom   3x3x2x4 + 4, 3x3x4x4 + 4    76 + 148
#   up       2x2x4x2 + 2                 34      (bilinear: 1x1x4x2 + 2, 10)
#   block    3x3x(2+2)x2 + 2, 3x3x2x2+2  74 + 38
#   logits   1x1x2x3 + 3                 9
# Normalized channels: 2 + 2 + 4 + 4 + 2 + 2 = 16, in place of as many biases.
@pytest.mark.parametrize(
    ("changes", "all_parameters", "trainable"),
    [
        ({"norm": "none"}, 473, 473),
        ({"norm": "none", "upsampling": "bilinear"}, 473 - 24, 473 - 24),
        ({"norm": "batch"}, 473 - 16 + 4 * 16, 473 - 16 + 2 * 16),
        ({"norm": "layer"}, 473 - 16 + 2 * 16, 473 - 16 + 2 * 16),
        # Each of the three blocks counts its calls of dropout.
        ({"norm": "none", "dropout": 0.1}, 473 + 3, 473),
    ],
)
def test_parameters_counted_by_hand(changes, all_parameters, trainable):
    model = unet(SegmenterConfig(width=2, depth=1, **changes), SEGMENTS, seed=0)
    assert model.count_params() == all_parameters
    assert sum(w.numpy().size for w in model.trainable_weights) == trainable


def test_channels_double_at_every_level():
    model = unet(SegmenterConfig(width=3, depth=2, norm="none"), SEGMENTS, seed=0)
    outputs = [kernel.shape[-1] for kernel in kernels(model)]
    # A transposed convolution's kernel is [2, 2, out, in].
    assert outputs == [3, 3, 6, 6, 12, 12, 12, 6, 6, 6, 3, 3, SEGMENTS]


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
def test_weights_depend_on_the_seed_alone(upsampling):
    config = SegmenterConfig(width=2, depth=1, norm="none", upsampling=upsampling)
    first, again = unet(config, SEGMENTS, seed=5), unet(config, SEGMENTS, seed=5)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for other_seed in (4, 6, 2**31 - 1):
        other = unet(config, SEGMENTS, seed=other_seed)
        for a, b in zip(kernels(first), kernels(other), strict=True):
            assert (a != b).all()


def test_no_two_kernels_of_a_network_are_alike():
    model = unet(SegmenterConfig(width=2, depth=2, norm="none"), SEGMENTS, seed=0)
    # Rescaled to undo the fan-in, then cut to a common length.
    firsts = [
        kernel.ravel()[:6] / np.abs(kernel.ravel()[0]) for kernel in kernels(model)
    ]
    for index, one in enumerate(firsts):
        for other in firsts[:index]:
            assert not np.allclose(one, other, rtol=1e-3)


def test_every_weight_receives_a_gradient():
    model = unet(SegmenterConfig(width=2, depth=2, dropout=0.1), SEGMENTS, seed=0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(images(2, 16, 16), training=True) ** 2)
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert gradient is not None
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("norm", "upsampling"),
    [("none", "transposed"), ("batch", "bilinear"), ("layer", "transposed")],
)
def test_saved_model_gives_the_same_logits(tmp_path, norm, upsampling):
    config = SegmenterConfig(2, 1, norm, dropout=0.2, upsampling=upsampling)
    model = unet(config, SEGMENTS, seed=0)
    model(images(4, 8, 8), training=True)  # moves running statistics and counters
    model.save(tmp_path / "s.keras")
    restored = keras.models.load_model(tmp_path / "s.keras")
    for batch in (images(2, 8, 8), images(1, 7, 9)):
        np.testing.assert_array_equal(restored(batch), model(batch))
    batch = images(2, 8, 8)
    expected = model(batch, training=True)
    np.testing.assert_array_equal(restored(batch, training=True), expected)
