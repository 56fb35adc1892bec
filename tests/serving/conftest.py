"""One tiny exported model for all tests of what serves it."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Return the folder of a segmenter that was not trained; tests must not change it.

    Its weights are random, larger than training begins with: all segments occur.
    """
    from cirs_tf.config.sections import SegmenterConfig
    from cirs_tf.models.unet import unet
    from cirs_tf.serving.savedmodel import load_savedmodel, write_savedmodel

    folder = tmp_path_factory.mktemp("exported") / "fruit"
    segmenter = unet(SegmenterConfig(width=2, depth=1), 4, seed=0)
    rng = np.random.default_rng(0)
    for weight in segmenter.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    write_savedmodel(segmenter, folder, 16, 16)
    noise = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert len(np.unique(load_savedmodel(folder).predict(noise))) > 2
    return folder
