"""Networks of every method as `.keras` files, loaded in a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cirs_tf.methods.registry import METHODS, build_method, load_config

ROOT = Path(__file__).parents[2]
OVERRIDES = {
    "cirs": ["segmenter.dropout=0.1", "cirs.heads=2", "feature_net.kind=words"],
    "air": ["air.variational=true"],
    "supervised": ["segmenter.upsampling=bilinear"],
}
# Keras is told nothing but `import cirs_tf`.
LOAD = """
import sys
from pathlib import Path
import cirs_tf
import keras
import numpy as np
for file in sorted(Path(sys.argv[1]).glob("*.keras")):
    network = keras.saving.load_model(file)
    values = [variable.numpy() for variable in network.variables]
    np.savez(file.with_suffix(".loaded"), *values)
    for layer in network.layers:
        if "cirs_tf" in type(layer).__module__:
            copy = type(layer).from_config(layer.get_config())
            assert copy.get_config() == layer.get_config()
            print(type(layer).__name__)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Return the folder of saved and loaded networks, and the layers in them."""
    folder = tmp_path_factory.mktemp("keras")
    for method in METHODS:
        overrides = [f"method={method}", *OVERRIDES.get(method, [])]
        for name, network in networks(overrides).items():
            path = folder / f"{method}.{name}.keras"
            network.save(path)
            values = [variable.numpy() for variable in network.variables]
            np.savez(path.with_suffix(".saved"), *values)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return folder, set(process.stdout.split())


def networks(overrides):
    return build_method(load_config(None, overrides), 16, 16).networks


def test_every_network_is_loaded_with_its_weights(loaded):
    folder, _ = loaded
    saved = sorted(folder.glob("*.saved.npz"))
    assert {path.name.partition(".")[0] for path in saved} == set(METHODS)
    for path in saved:
        copy = path.with_name(path.name.replace(".saved", ".loaded"))
        with np.load(path) as before, np.load(copy) as after:
            assert before.files == after.files
            for name in before.files:
                np.testing.assert_array_equal(before[name], after[name])


def test_layers_of_ours_are_in_them(loaded):
    _, layers = loaded
    assert layers == {
        "BackgroundDifference",
        "BatchNormalization",
        "BestHead",
        "BilinearUpsampling",
        "CenterVotes",
        "CropToSize",
        "CutOutBank",
        "GaussianCode",
        "GuidedFilter",
        "OtsuMasks",
        "PadToMultiple",
        "ReplicaDropout",
        "ResizeLike",
        "SegmentConv2D",
        "SegmentDense",
        "SegmentPooling",
        "Templates",
        "WordEmbedding",
    }
