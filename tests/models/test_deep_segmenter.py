"""The segmenter of frozen features, put together by hand from its parts."""

import numpy as np
import pytest
import tensorflow as tf

from cirs_tf.errors import ConfigError
from cirs_tf.layers.guided_filter import GuidedFilter
from cirs_tf.models.deep_segmenter import deep_segmenter

RNG = np.random.default_rng(0)
SETTINGS = dict(stride=4, components=3, clusterings=2, clusters=5, edge_epsilon=1e-3)


def built(edge_radius, layers=("b0", "b2")):
    parts = deep_segmenter(
        "efficientnet_lite0", layers, 3, edge_radius=edge_radius, seed=0, **SETTINGS
    )
    for layer in parts.projections.values():
        shapes = [weight.shape for weight in layer.get_weights()]
        layer.set_weights([RNG.normal(size=shape) for shape in shapes])
    length = 3 * len(layers)
    centers = RNG.normal(size=(2, 5, length)) * 3
    parts.votes.assign(centers, RNG.integers(0, 3, (2, 5)))
    return parts


def resized(values, height, width):
    return tf.image.resize(values, (height, width)).numpy()


@pytest.mark.parametrize("edge_radius", [0, 2])
def test_logits_are_the_shares_of_the_votes(edge_radius):
    parts = built(edge_radius)
    images = RNG.random((2, 32, 64, 3)).astype(np.float32)
    maps = parts.backbone(images)
    projected = []
    for name in ("b0", "b2"):
        kernel, bias = parts.projections[name].get_weights()
        projected.append(resized(maps[name], 8, 16) @ kernel + bias)
    features = np.concatenate(projected, -1)
    np.testing.assert_allclose(parts.features(images), features, rtol=1e-3, atol=1e-3)
    centers = parts.votes.centers.numpy().reshape(2, 5, 6)
    nearest = ((features[..., None, None, :] - centers) ** 2).sum(-1).argmin(-1)
    segment_of = parts.votes.segment_of.numpy().reshape(2, 5)
    shares = np.mean(
        [np.eye(3)[segment_of[run][nearest[..., run]]] for run in range(2)], axis=0
    )
    expected = resized(shares.astype(np.float32), 32, 64)
    if edge_radius:
        expected = GuidedFilter(edge_radius, 1e-3)(expected, images).numpy()
    found = tf.nn.softmax(parts.segmenter(images)).numpy()
    assert np.mean(np.abs(found - expected) < 2e-3) > 0.99  # near ties may fall apart
    assert len(np.unique(found.argmax(-1))) > 1


def test_any_size_and_no_weight_to_train():
    parts = built(edge_radius=2, layers=("b0",))
    images = RNG.random((1, 30, 45, 3)).astype(np.float32)
    logits = parts.segmenter(images)
    assert logits.shape == (1, 30, 45, 3)
    # Beyond the edge, what is at the edge; features are of the image's own places.
    padded = np.pad(images, ((0, 0), (0, 2), (0, 19), (0, 0)), "edge")
    features = parts.features(images)
    assert features.shape == (1, 8, 12, 3)
    np.testing.assert_allclose(features, parts.features(padded)[:, :, :12], atol=1e-4)
    assert parts.layer_maps(images)["b0"].shape == (1, 8, 12, 16)
    assert parts.segmenter.trainable_weights == []


def test_the_seed_gives_the_backbone_and_an_unknown_layer_is_one_line():
    first, same, other = (
        deep_segmenter(
            "efficientnet_lite0", ("b0",), 3, edge_radius=0, seed=seed, **SETTINGS
        ).backbone.get_weights()[0]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    with pytest.raises(ConfigError, match=r"efficientnet_lite0: .*b0 to b15"):
        built(0, layers=("b16",))
