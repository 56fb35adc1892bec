import keras
import numpy as np

from cirs_tf.models.autoencoder import autoencoder


def build(seed=1, **options):
    options = {"hidden": (64,), "bottleneck": 16, "dropout": 0.2, **options}
    return autoencoder(4, 5, **options, seed=seed)


def test_four_and_four_dense_layers_mirrored():
    encoder, decoder = build(hidden=(30, 20, 10), bottleneck=3)
    kinds = [
        [
            layer.units
            for layer in network.layers
            if isinstance(layer, keras.layers.Dense)
        ]
        for network in (encoder, decoder)
    ]
    assert kinds == [[30, 20, 10, 3], [10, 20, 30, 4 * 5 * 3]]


def test_codes_are_linear_and_images_in_range():
    encoder, decoder = build(hidden=(64,), bottleneck=16, dropout=0.5)
    images = np.random.default_rng(0).random((7, 4, 5, 3), np.float32)
    codes = encoder(images, training=False).numpy()
    assert codes.shape == (7, 16)
    assert (codes < 0).any()
    rebuilt = decoder(100 * codes, training=False).numpy()
    assert rebuilt.shape == images.shape
    assert 0 <= rebuilt.min() < rebuilt.max() <= 1


def test_dropout_is_at_work_in_training_alone():
    encoder, decoder = build(hidden=(64,), dropout=0.5)
    images = np.ones((1, 4, 5, 3), np.float32)
    for network, given in ((encoder, images), (decoder, encoder(images))):
        quiet = [network(given, training=False).numpy() for _ in range(2)]
        noisy = [network(given, training=True).numpy() for _ in range(2)]
        np.testing.assert_array_equal(*quiet)
        assert np.abs(noisy[0] - noisy[1]).max() > 1e-3


def test_seed_decides_the_weights():
    first, same = (build()[0].get_weights() for _ in range(2))
    other = build(seed=2)[0].get_weights()
    np.testing.assert_array_equal(first[0], same[0])
    assert np.abs(first[0] - other[0]).max() > 0.01
