"""Which images show a quantized model the range of its activations."""

import numpy as np
import pytest

from cirs_tf import export
from cirs_tf.data.splits import load_split
from cirs_tf.runs import exporting

INT8 = ["--format", "litert", "--quantize", "int8_full"]


@pytest.fixture
def given(monkeypatch):
    """Note what the writer of the file is given; writing is tests/serving's."""
    images = []

    def write(segmenter, out, export_format, card, quantize, chosen):
        images.append(chosen)
        return out

    monkeypatch.setattr(exporting, "write_format", write)
    return images


def test_ranges_are_those_of_training_images(
    finished, fruit, given, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "_REPRESENTATIVE", 6)
    argv = [str(finished), "--out", str(tmp_path / "m"), *INT8]
    assert export.main(argv) == 0
    assert export.main([*argv, "--data", str(fruit)]) == 0
    training = load_split(fruit, "train", with_masks=False).images
    for images in given:
        np.testing.assert_array_equal(images, training[::8])
    assert len(given) == 2


def test_without_training_images_it_is_one_line(finished, given, tmp_path, capsys):
    gone = tmp_path / "gone"
    argv = [str(finished), "--out", str(tmp_path / "m"), *INT8, "--data", str(gone)]
    assert export.main(argv) == 1
    error = capsys.readouterr().err
    assert f"{gone} is not there; say where it is with --data" in error
    assert error.count("\n") == 1 and not given
