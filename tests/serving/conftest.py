"""One tiny exported model, and servers and images, for all tests of what serves it."""

import numpy as np
import pytest
import tensorflow as tf
from client_runs import noise
from model_servers import SERVERS, Served


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Return the folder of a segmenter that was not trained; tests must not change it.

    Its weights are random, larger than training begins with: all segments occur.
    """
    from cirs_tf.config.sections import SegmenterConfig
    from cirs_tf.models.unet import unet
    from cirs_tf.serving.model_card import ModelCard
    from cirs_tf.serving.savedmodel import load_savedmodel, write_savedmodel

    folder = tmp_path_factory.mktemp("exported") / "fruit"
    segmenter = unet(SegmenterConfig(width=2, depth=1), 4, seed=0)
    rng = np.random.default_rng(0)
    for weight in segmenter.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    write_savedmodel(segmenter, folder, ModelCard(16, 16, num_segments=4))
    image = np.asarray(noise(0, (16, 16)))
    assert len(np.unique(load_savedmodel(folder).predict(image))) > 2
    return folder


@pytest.fixture(scope="module")
def versions(exported):
    """Yield the exported model as version 2, and a version 1 that finds nothing."""

    def blank(image_bytes):
        height, width, _ = tf.io.decode_image(image_bytes[0]).shape
        mask = tf.io.encode_png(tf.zeros((height, width, 1), tf.uint8))
        return {"mask_png_bytes": mask[None]}

    model = tf.saved_model.load(str(exported / "1"))
    yield {1: {"serve_bytes": blank}, 2: dict(model.signatures)}


@pytest.fixture
def served(versions):
    return Served(versions, {"stable": 1, "canary": 2})


@pytest.fixture(params=SERVERS)
def url(request, served):
    with SERVERS[request.param](served) as address:
        yield address


@pytest.fixture
def photos(tmp_path):
    """Return a folder of three plain images of different sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, size in enumerate(((16, 16), (7, 21), (30, 9))):
        noise(number, size).save(folder / f"{number}.png")
    return folder
