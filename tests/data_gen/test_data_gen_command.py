import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import data_gen.write_records
from cirs_tf.data.manifest import Manifest
from data_gen.__main__ import main

SMALL = ["--train", "6", "--val", "2", "--test", "2", "--workers", "1"]
needs_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="reads processes from /proc"
)


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


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
    ("arguments", "num_classes"),
    [
        (["fruit", "--background", "shift"], 4),
        (["fruit", "--background", "static"], 4),
        (["dsprites", "--background", "color", "--objects", "2-5"], 4),
        (["tetrominoes", "--with-train-masks"], 20),
    ],
)
def test_scenes_are_made_as_asked(capsys, tmp_path, arguments, num_classes):
    assert run(capsys, *arguments, "--out", tmp_path, *SMALL)[::2] == (0, "")
    manifest = Manifest.read(tmp_path)
    assert len(manifest.classes) == num_classes
    assert manifest.split("train").masks == ("--with-train-masks" in arguments)
    stored = manifest.generator["arguments"]
    background = arguments[2] if len(arguments) > 2 else None
    assert stored["background"] == (background if background != "static" else None)
    assert stored.get("objects") == ("2-5" if "2-5" in arguments else None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fruit", "--train", "0"], "train: expected an integer >= 1, got 0"),
        (["fruit", "--val", "-3"], "val: expected an integer >= 0, got -3"),
        (["fruit", "--workers", "0"], "workers: expected an integer >= 1, got 0"),
        (["fruit", "--sprites", "nowhere"], "nowhere: not found"),
        (["fruit", "--background", "nowhere.png"], "nowhere.png: not found"),
        (["fruit", "--background", "shifted"], "shifted: not found"),
        (["tetrominoes", "--size", "64"], "size: expected a multiple of 7"),
        (["dsprites", "--objects", "5-2"], "objects: expected MIN <= MAX, got 5-2"),
        (["dsprites", "--objects", "some"], "objects: expected MIN-MAX"),
        (["dsprites", "--background", "sky.png"], "expected gray or color, got 'sky"),
        (["dsprites", "--background", "grey"], "'grey' is now called 'gray'"),
        (["dsprites", "--background", "colour"], "'colour' is now called 'color'"),
    ],
)
def test_bad_input_is_one_line_and_a_status(capsys, tmp_path, arguments, message):
    out = tmp_path / "out"
    kind, *options = arguments
    status, printed, error = run(capsys, kind, "--out", out, *SMALL, *options)
    assert (status, printed) == (1, "")
    assert error.startswith("error: ") and error.count("\n") == 1
    assert message in error
    assert not out.exists()


def test_a_file_in_place_of_the_folder_is_left_alone(capsys, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    status, _, error = run(capsys, "fruit", "--out", out, *SMALL)
    assert status == 1 and f"{out}: is a file; expected a folder" in error
    status, _, error = run(capsys, "fruit", "--out", out / "below", *SMALL)
    assert status == 1 and "Not a directory" in error
    assert out.read_text() == "mine"


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


def test_help_names_the_command_as_it_was_called(capsys):
    for prog in ("cirs-tf data", "python -m data_gen"):
        with pytest.raises(SystemExit) as stop:
            main(["fruit", "--help"], prog=prog)
        assert stop.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: {prog} fruit [-h]")


@pytest.mark.parametrize("arguments", ["--help", "fruit --help", "fruit", "kiwi"])
def test_help_and_wrong_arguments_need_no_tensorflow(arguments):
    code = (
        "import sys\n"
        "from data_gen.__main__ import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit:\n"
        "    assert not {'tensorflow', 'keras', 'scipy'} & set(sys.modules)\n"
        "else:\n"
        "    raise AssertionError('no usage')\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    assert "usage: " in process.stdout + process.stderr


def start(code, *arguments):
    """Start Python in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


# Runs the command with at most 200 kB per file, as a full disk would stop it. Without
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
    process = start(FULL_DISK, *arguments)
    printed, error = process.communicate(timeout=60)
    assert process.returncode == 1
    shard = out / "train-00000-of-00002.tfrecord"
    assert error == f"error: no space left while writing {shard}\n"
    assert printed == ""
    assert not out.exists()


# A test run in the background ignores Ctrl-C, and so would what it starts.
AS_IN_A_TERMINAL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from data_gen.__main__ import main
print("started", flush=True)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def big_set(tmp_path):
    """Start drawing a set that takes long, with jobs that do not fit into a pipe."""
    options = ["--train", 10**6, "--background", "shift", "--workers", 3]
    out = tmp_path / "new" / "out"
    process = start(AS_IN_A_TERMINAL, "fruit", "--out", out, *options)
    assert process.stdout.readline() == "started\n"
    yield process
    process.kill()
    process.communicate()


def wait_for(condition, seconds=60):
    """Return what `condition` returns, once that is true."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)
    return result


def workers_of(process):
    """Return the process ids of the workers of a command."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [pid for pid in map(int, children.read_text().split()) if is_worker(pid)]


def is_worker(pid):
    try:
        return b"worker_pool" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return False


def check_stopped(process, tmp_path, status, error, workers=()):
    """Check that a command ends soon, in one line, without leaving anything."""
    printed, errors = process.communicate(timeout=30)
    assert (process.returncode, printed, errors) == (status, "", error)
    assert not list(tmp_path.iterdir())
    assert not any(is_worker(pid) for pid in workers)


@needs_proc
@pytest.mark.parametrize("seconds", [0, 0.1])
def test_a_worker_killed_at_any_moment_ends_the_command(big_set, tmp_path, seconds):
    first = wait_for(lambda: workers_of(big_set))[0]
    time.sleep(seconds)
    workers = workers_of(big_set)
    os.kill(first, signal.SIGKILL)
    error = "error: a process that draws died (killed, or out of memory); "
    check_stopped(big_set, tmp_path, 1, f"{error}nothing was written\n", workers)


@needs_proc
@pytest.mark.parametrize(
    ("number", "status", "when"),
    [
        (signal.SIGINT, 130, "importing"),
        (signal.SIGINT, 130, "starting workers"),
        (signal.SIGINT, 130, "writing"),
        (signal.SIGTERM, 143, "importing"),
        (signal.SIGTERM, 143, "writing"),
    ],
)
def test_ctrl_c_and_sigterm_stop_it_in_one_line(
    big_set, tmp_path, number, status, when
):
    workers = []
    if when == "importing":
        libraries = Path(f"/proc/{big_set.pid}/maps")
        wait_for(lambda: b"tensorflow" in libraries.read_bytes())
    else:
        workers = wait_for(lambda: workers_of(big_set))
    if when == "writing":
        shards = tmp_path / "new" / "out" / ".writing"
        wait_for(lambda: any(file.stat().st_size for file in shards.glob("train-*")))
        workers = workers_of(big_set)
    os.killpg(big_set.pid, number)  # as a terminal does: to every process of the group
    check_stopped(big_set, tmp_path, status, "stopped\n", workers)


@needs_proc
def test_workers_end_when_the_command_is_killed(big_set, tmp_path):
    wait_for(lambda: len(workers_of(big_set)) == 3)
    workers = workers_of(big_set)
    big_set.kill()
    _, errors = big_set.communicate(timeout=30)
    wait_for(lambda: not any(is_worker(pid) for pid in workers), seconds=10)
    assert errors == ""
    assert not list(tmp_path.rglob("manifest.json"))
