"""What a large picture costs, measured as benchmarks/large_pictures.py measures it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cirs_tf
from cirs_tf.serving import image_files
from cirs_tf.serving.image_files import write_overlay
from cirs_tf.visualization import palette

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "large_pictures.py"
MEGAPIXELS = 25


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("large_pictures", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("way", ["segment", "serve_bytes"])
def test_memory_is_that_of_the_picture(way, benchmark, finished, tmp_path):
    """Of 25 million pixels; probabilities of 4 segments alone would be 400 MB."""
    model, picture = tmp_path / "model", tmp_path / "picture.jpg"
    cirs_tf.export(finished, model)
    benchmark.draw(picture, MEGAPIXELS)
    command = [sys.executable, SCRIPT, "--one", way, model, picture]
    environment = {"PYTHONPATH": str(SCRIPT.parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )
    _, memory, _ = map(float, done.stdout.split()[-3:])  # MiB
    # The decoded picture is 72 MiB, of which some fits into what was freed before.
    assert 2 * MEGAPIXELS < memory < 12 * MEGAPIXELS + 120


def test_overlays_are_blended_strip_by_strip(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "_STRIP_PIXELS", 25)  # three rows at a time
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (10, 8, 3), dtype=np.uint8)
    labels = rng.integers(0, 5, (10, 8), dtype=np.uint8)
    write_overlay(image, labels, tmp_path / "a.png")
    half = (image.astype(float) + palette(5)[labels]) / 2
    written = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_allclose(written, half, atol=0.5)  # rounded to 8 bits
