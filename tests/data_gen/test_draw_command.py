import os
import re
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest
from PIL import Image

import data_gen.write_records
from cirs_tf.data.manifest import Manifest
from data_gen.__main__ import main

SMALL = ["--train", "6", "--val", "2", "--test", "2", "--workers", "1"]


def run(capsys, *arguments):
    status = main([str(one) for one in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def start(code_or_arguments, **kwargs):
    return subprocess.Popen(
        [sys.executable, *map(str, code_or_arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def test_it_says_what_it_wrote_and_where_the_sheet_is(capsys, tmp_path):
    out = tmp_path / "new" / "fruit"
    status, printed, error = run(capsys, "fruit", "--out", out, *SMALL)
    assert (status, error) == (0, "")
    assert re.fullmatch(
        rf"wrote 6 train, 2 val, 2 test images to {out}: \d\.\d MB in \d+\.\d s; "
        rf"see {out}/contact_sheet\.png\n",
        printed,
    )
    assert (out / "contact_sheet.png").is_file()
    status, printed, error = run(capsys, "fruit", "--out", out, *SMALL)
    assert (status, error) == (0, "")
    assert "already holds this data set" in printed


def test_every_option_reaches_the_set(capsys, tmp_path):
    sprites = tmp_path / "sprites"
    sprites.mkdir()
    Image.new("RGBA", (5, 5), "red").save(sprites / "dice.png")
    Image.new("RGB", (5, 5), "blue").save(tmp_path / "ground.png")
    changed = ["--size", 32, "--seed", 4, "--shards", 2, "--with-train-masks"]
    own = ["--sprites", sprites, "--background", tmp_path / "ground.png"]
    out = tmp_path / "out"
    assert run(capsys, "fruit", "--out", out, *SMALL, *changed, *own)[0] == 0
    manifest = Manifest.read(out)
    assert manifest.classes == ("background", "dice")
    assert manifest.height == 32
    assert manifest.generator["seed"] == 4
    assert len(manifest.split("train").shards) == 2
    assert manifest.split("train").masks


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--train", "0"], "train: expected an integer >= 1, got 0"),
        (["--val", "-3"], "val: expected an integer >= 0, got -3"),
        (["--workers", "0"], "workers: expected an integer >= 1, got 0"),
        (["--sprites", "nowhere"], "nowhere: not found"),
        (["--background", "nowhere.png"], "nowhere.png: not found"),
    ],
)
def test_bad_input_is_one_line_and_a_status(capsys, tmp_path, arguments, says):
    out = tmp_path / "out"
    status, printed, error = run(capsys, "fruit", "--out", out, *SMALL, *arguments)
    assert (status, printed) == (1, "")
    assert error.startswith("error: ") and says in error and error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tetrominoes", "--size", "64"], "size: expected a multiple of 7"),
        (["dsprites", "--objects", "5-2"], "objects: expected MIN <= MAX, got 5-2"),
        (["dsprites", "--objects", "some"], "objects: expected MIN-MAX"),
        (["fruit", "--background", "shifted"], "shifted: not found"),
        (["dsprites", "--background", "sky.png"], "expected gray or color, got 'sky"),
    ],
)
def test_bad_options_of_a_scene_are_one_line(capsys, tmp_path, arguments, says):
    out = tmp_path / "out"
    status, printed, error = run(capsys, *arguments, "--out", out, *SMALL)
    assert (status, printed) == (1, "")
    assert error.startswith("error: ") and says in error and error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["dsprites", "--sprites", "mine"],
        ["tetrominoes", "--objects", "1-4"],
        ["fruit", "--objects", "1-4"],
    ],
)
def test_options_of_another_scene_are_refused(capsys, tmp_path, arguments):
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "classes"),
    [
        (["fruit", "--background", "shift"], 4),
        (["fruit", "--background", "static"], 4),
        (["dsprites", "--background", "color", "--objects", "2-5"], 4),
        (["tetrominoes", "--with-train-masks"], 20),
    ],
)
def test_scenes_are_made_as_asked(capsys, tmp_path, arguments, classes):
    assert run(capsys, *arguments, "--out", tmp_path, *SMALL)[::2] == (0, "")
    manifest = Manifest.read(tmp_path)
    assert len(manifest.classes) == classes
    assert manifest.split("train").masks == ("--with-train-masks" in arguments)
    held = manifest.generator["arguments"]
    assert held["background"] == {"shift": "shift", "color": "color"}.get(
        arguments[2] if len(arguments) > 2 else None
    )
    assert held.get("objects") == ("2-5" if "2-5" in arguments else None)


def test_a_file_in_place_of_the_folder_is_left_alone(capsys, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    status, _, error = run(capsys, "fruit", "--out", out, *SMALL)
    assert status == 1 and f"{out}: is a file; expected a folder" in error
    status, _, error = run(capsys, "fruit", "--out", out / "below", *SMALL)
    assert status == 1 and "Not a directory" in error
    assert out.read_text() == "mine"


# Runs the command with at most 200 kB a file, as a full disk would stop it. Without
# the signal's default action the write fails instead of killing the process.
FULL_DISK = """
import resource, signal, sys
from data_gen.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    out = tmp_path / "out"
    arguments = ["fruit", "--out", out, "--train", 400, "--shards", 2, "--workers", 1]
    process = start(["-c", FULL_DISK, *arguments])
    printed, error = process.communicate(timeout=60)
    assert process.returncode == 1
    shard = out / "train-00000-of-00002.tfrecord"
    assert error == f"error: no space left while writing {shard}\n"
    assert printed == ""
    assert not out.exists()


def test_a_failure_keeps_the_set_that_was_there(capsys, tmp_path, monkeypatch):
    run(capsys, "fruit", "--out", tmp_path, *SMALL)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_gen.write_records, "encode_example", fail)
    status, _, error = run(
        capsys, "fruit", "--out", tmp_path, *SMALL, "--seed", "9", "--overwrite"
    )
    assert status == 1 and "no space left while writing" in error
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_process_that_dies_is_reported(capsys, tmp_path, monkeypatch):
    encode = data_gen.write_records.encode_example
    killed = []

    def encode_and_kill(*arguments):
        if not killed:
            killed.extend(child.pid for child in active_children())
            os.kill(killed[0], signal.SIGKILL)
        return encode(*arguments)

    monkeypatch.setattr(data_gen.write_records, "encode_example", encode_and_kill)
    out = tmp_path / "out"
    status, _, error = run(
        capsys, "fruit", "--out", out, "--train", "9000", "--workers", "2"
    )
    assert status == 1
    assert error.startswith("error: a process that draws died")
    assert error.count("\n") == 1
    assert not out.exists()


def wait_for(condition, seconds=40):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def processes_that_draw(pid):
    """Return the started workers of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = {one: Path(f"/proc/{one}/cmdline").read_bytes() for one in children}
    return [int(one) for one, line in lines.items() if b"spawn_main" in line]


# A test run in the background ignores Ctrl-C, and so would what it starts.
AS_IN_A_TERMINAL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from data_gen.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def big_set(out):
    arguments = ["-c", AS_IN_A_TERMINAL, "fruit", "--out", out, "--train", 10**6]
    return start(arguments, start_new_session=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("when", ["at the start", "while drawing"])
def test_ctrl_c_stops_it_in_one_line(tmp_path, when):
    out = tmp_path / "out"
    process = big_set(out)
    if when == "at the start":
        wait_for(lambda: processes_that_draw(process.pid))
    else:
        shard = out / ".writing" / "train-00000-of-00008.tfrecord"
        wait_for(lambda: shard.exists() and shard.stat().st_size)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
    printed, error = process.communicate(timeout=20)
    assert (process.returncode, printed, error) == (130, "", "stopped\n")
    assert not out.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_processes_end_when_the_command_is_killed(tmp_path):
    process = big_set(tmp_path / "out")
    workers = wait_for(lambda: processes_that_draw(process.pid))
    process.kill()
    process.communicate(timeout=20)

    def gone():
        return not any(Path(f"/proc/{one}/exe").exists() for one in workers)

    wait_for(gone, seconds=10)
    assert not list((tmp_path / "out").glob("*.tfrecord"))
