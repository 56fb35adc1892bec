"""Exports that planned runs start from."""

import os
import shutil

from cirs_tf.methods.registry import load_config
from cirs_tf.runs.queue import _export
from cirs_tf.runs.session import config_difference


def test_a_segmenter_is_exported_once_and_again_after_more_training(finished, tmp_path):
    run, model_dir = tmp_path / "run", tmp_path / "model"
    shutil.copytree(finished, run)
    # What an export that was killed leaves behind is no version.
    (model_dir / ".1.tmp").mkdir(parents=True)

    def versions():
        _export(run, model_dir)
        return sorted(path.parent.name for path in model_dir.glob("*/saved_model.pb"))

    assert versions() == ["1"]
    assert versions() == ["1"]
    later = (model_dir / "1" / "saved_model.pb").stat().st_mtime + 10
    os.utime(run / "checkpoints" / "checkpoints.json", (later, later))
    assert versions() == ["1", "2"]


def test_where_the_segmenter_lies_makes_no_other_run():
    start = "pretraining.pseudo_labels=segmenter"
    one, other = (
        load_config("cirs_plus", [start, f"pretraining.segmenter={folder}"])
        for folder in ("a", "b")
    )
    assert config_difference(one, other) is None
    assert "pseudo_labels" in config_difference(one, load_config("cirs_plus"))
