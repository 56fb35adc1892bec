import json
import sys

import pytest
from tfrecords import file_contents

from cirs_tf.data.manifest import MANIFEST
from cirs_tf.errors import ConfigError, DataError
from data_gen.__main__ import main
from data_gen.draw_dataset import Drawing, draw
from data_gen.options import SceneOptions
from data_gen.staging import staging_folder

OPTIONS = SceneOptions(train=7, val=4, test=1, size=16, seed=3, shards=3)
ARGUMENTS = "fruit --train 7 --val 4 --test 1 --size 16 --seed 3 --shards 3".split()
WORKERS = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]


def refused(capsys, *arguments):
    """Return the one line in which a command fails."""
    assert main([str(argument) for argument in arguments]) == 1
    printed, error = capsys.readouterr()
    assert printed == "" and error.count("\n") == 1
    return error[:-1]


def test_without_beam_the_extra_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    out = tmp_path / "out"
    assert refused(capsys, *ARGUMENTS, "--out", out, "--beam") == (
        "error: --beam: Apache Beam is not installed: pip install 'cirs-tf[beam]'"
    )
    assert not out.exists()


def test_beam_or_parts(capsys, tmp_path):
    parts = ["--shard", "0", "--num-shards", "2"]
    error = refused(capsys, *ARGUMENTS, "--out", tmp_path / "out", *parts, "--beam")
    assert error == "error: --beam: expected no --shard; Beam divides the work"


@pytest.mark.filterwarnings("ignore")  # Beam's own
@pytest.mark.parametrize("flags", [[], WORKERS], ids=["one worker", "two processes"])
def test_a_set_written_with_beam_is_the_same_byte_for_byte(capsys, tmp_path, flags):
    pytest.importorskip("apache_beam")
    draw(OPTIONS, tmp_path / "local")
    out = tmp_path / "beam"
    assert main([*ARGUMENTS, "--out", str(out), "--beam", *flags]) == 0
    assert f"wrote 7 train, 4 val, 1 test images to {out}" in capsys.readouterr().out
    assert file_contents(out) == file_contents(tmp_path / "local")


@pytest.mark.filterwarnings("ignore")  # Beam's own
def test_what_goes_wrong_with_beam_is_one_line(tmp_path, monkeypatch):
    pytest.importorskip("apache_beam")
    from data_gen.beam_pipeline import write_with_beam

    drawing = Drawing.prepare(OPTIONS)
    out = tmp_path / "out"
    for flags, message in (
        (["--workers", "3"], "^--beam: --workers is no option of Apache Beam"),
        (["--direct_num_workers=few"], "^--beam: argument --direct_num_workers: inv"),
    ):
        with pytest.raises(ConfigError, match=message):
            write_with_beam(drawing, out, flags)
    with pytest.raises(DataError, match="^the Beam pipeline failed: .*Nowhere"):
        write_with_beam(drawing, out, ["--runner=Nowhere"])
    # A worker of another version would write other bytes.
    monkeypatch.setattr("data_gen.__version__", "0.9.0")
    with pytest.raises(DataError, match=r"a worker has version 0\.9\.0 .* 1\.0\.0$"):
        write_with_beam(drawing, out, [])
    assert not out.exists()


def test_the_lock_of_the_folder_stays_until_the_set_is_whole(tmp_path):
    """What a killed worker left goes; without the lock two commands could mix."""
    from data_gen import beam_pipeline

    divided = Drawing.prepare(OPTIONS)
    with staging_folder(tmp_path / "out") as folder:
        for file in divided.files:
            beam_pipeline._FileWriter(divided, str(folder))(file)
        (folder / "left.tmp").write_text("of a worker")
        (folder / "scratch").mkdir()
        manifest = beam_pipeline._collect(divided, folder)
        names = {file.name for file in divided.files}
        assert {file.name for file in folder.iterdir()} == {".lock", *names}
        (folder / MANIFEST).write_text(json.dumps(manifest.as_content()))
