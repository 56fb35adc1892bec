"""One page about runs: `python -m cirs_tf.report RUN... --out report.html`."""

import argparse
import errno
import os
from pathlib import Path

from cirs_tf.errors import ConfigError, command


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.report") -> int:
    """Parse the command line, evaluate the runs, write the page.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    out = Path(arguments.out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out {out}: expected a name that ends in .html")
    # Late, so that help does not wait for TensorFlow.
    import cirs_tf
    from cirs_tf.atomic_write import write_text_atomically
    from cirs_tf.pages.run_facts import find_runs, gather
    from cirs_tf.pages.run_report import report_page
    from cirs_tf.training.run_folder import write_errors

    found = find_runs(arguments.runs)
    with write_errors(out):  # before hours of evaluation, not after
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(out.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    runs = gather(found, arguments.split, arguments.data)
    page = report_page(runs, arguments.split, cirs_tf.__version__)
    with write_errors(out):
        write_text_atomically(out, page)
    for run in runs:
        print(f"{run.name}: {run.remark or run.outcome.checkpoint}")
    print(f"report    {out} ({len(page) / 2**20:.1f} MB)")
    return 1 if any(run.outcome is None for run in runs) else 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write one HTML file, which loads nothing from elsewhere: scores, "
        "curves, segments, confusion, epochs, settings that differ, cost.",
    )
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help="a run folder, or a folder of some")
    add("--out", required=True, metavar="HTML")
    add(
        "--split",
        choices=("train", "val", "test"),
        default="val",
        help="default: %(default)s",
    )
    add("--data", metavar="DIR", help="another data set than the runs' own")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
