"""Images in which nothing stands out, given to methods that start from parts."""

import pytest
from command_line import set_flags
from PIL import Image

from cirs_tf import train
from data_gen.__main__ import main as data_gen

TINY = ("segmenter.width=4", "segmenter.depth=2", "training.strategy=one")


@pytest.mark.parametrize("method", ["cirs_aligned", "cut_and_paste"])
def test_is_one_line(method, tmp_path, capsys):
    for index in range(12):
        path = tmp_path / "images" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (16, 16), (9, 9, 9)).save(path)
    argv = ["images", "--images", tmp_path / "images", "--out", tmp_path / "data"]
    assert data_gen([str(one) for one in (*argv, "--size", 16)]) == 0
    capsys.readouterr()
    argv = ["--model", method, "--data", str(tmp_path / "data")]
    argv += ["--run", str(tmp_path / "run"), *set_flags(TINY)]
    assert train.main([*argv, "--batch-size", "4"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"error: {method}: 0 connected parts differ from the ")
