import numpy as np
from sklearn.metrics import log_loss

from cirs_tf.losses.cross_entropy import segmentation_cross_entropy


def test_equals_scikit_learn_on_the_counted_pixels():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 4, 5, 6)).astype(np.float32)
    masks = rng.integers(0, 6, (3, 4, 5)).astype(np.uint8)
    masks[rng.random(masks.shape) < 0.3] = 255
    masks[2] = 255
    found = segmentation_cross_entropy(logits, masks).numpy()
    for one, mask, value in zip(logits[:2], masks[:2], found[:2], strict=True):
        counted = mask != 255
        exponent = np.exp(one[counted].astype(np.float64))
        softmax = exponent / exponent.sum(-1, keepdims=True)
        expected = log_loss(mask[counted], softmax, labels=range(6))
        np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert found[2] == 0
