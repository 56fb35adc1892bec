"""Does any damaged file crash, hang or grow a reader? Coverage-guided, by Atheris.

    python benchmarks/fuzz_files.py TARGET [--seconds N]     # all: each in turn

Targets and their valid files are those of tests/fuzz_targets.py; Atheris
(`pip install atheris`) changes them so that new lines of the readers run. An error that
a user sees in one line is right, anything else ends the run and leaves the file.
Bounds: 1 GB more memory than at the start, 10 seconds for a file.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).parent.parent
# The root first: tests has folders of the packages' names.
_PATHS = [str(_ROOT), str(_ROOT / "tests")]
# In which readers of ours spend their time.
_LIBRARIES = ["zipfile", "numpy.lib", "scipy.io", "yaml", "omegaconf"]


def main() -> None:
    """Fuzz targets one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="of each")
    parser.add_argument("--one", action="store_true", help="internal")
    arguments = parser.parse_args()
    if arguments.one:
        _fuzz(arguments.targets[0], arguments.seconds)
        return
    sys.path[:0] = _PATHS
    from fuzz_targets import TARGETS

    names = list(TARGETS) if arguments.targets == ["all"] else arguments.targets
    failed = []
    for name in names:
        begin = time.monotonic()
        command = [sys.executable, __file__, name, "--seconds", str(arguments.seconds)]
        done = subprocess.run([*command, "--one"], capture_output=True, text=True)
        lines = [line for line in done.stderr.splitlines() if "cov:" in line]
        last = lines[-1].split() if lines else ["#0"]
        print(
            f"{name:18}{'failed' if done.returncode else 'ok':8}"
            f"{last[0].removeprefix('#'):>10} files {time.monotonic() - begin:6.0f} s"
            f"   {' '.join(last[1:6])}",
            flush=True,
        )
        if done.returncode:
            failed.append(name)
            print(done.stdout[-2000:], done.stderr[-2000:])
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; does not return."""
    import atheris

    sys.path[:0] = _PATHS
    with atheris.instrument_imports(
        include=["cirs_tf", "data_gen", "PIL", "fuzz_targets", *_LIBRARIES]
    ):
        import resource

        from fuzz_targets import TARGETS

        from cirs_tf.errors import CirsError
    target, files = TARGETS[name]
    corpus, work = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    for index, content in enumerate(files):
        (corpus / str(index)).write_bytes(content)
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 + 1024

    def one(content: bytes) -> None:
        for path in work.iterdir():
            if path.is_file():
                path.unlink()
        with contextlib.suppress(CirsError):  # one line, always
            target(content, work)

    flags = [f"-max_total_time={seconds}", "-timeout=10", f"-rss_limit_mb={limit}"]
    flags += ["-max_len=65536", f"-artifact_prefix={tempfile.gettempdir()}/fuzz-"]
    atheris.Setup([sys.argv[0], str(corpus), *flags], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
