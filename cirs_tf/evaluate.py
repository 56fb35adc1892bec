"""Evaluate a run on a split: `python -m cirs_tf.evaluate RUN --split test`."""

import argparse
import functools
from pathlib import Path

from cirs_tf.atomic_write import atomic_path
from cirs_tf.callable_module import make_callable
from cirs_tf.errors import DataError, command
from cirs_tf.postprocessing.arguments import add_postprocessing, postprocessing_of
from cirs_tf.runs.arguments import add_renamed, add_verify


@command
def main(
    argv: list[str] | None = None, prog: str = "python -m cirs_tf.evaluate"
) -> None:
    """Parse the command line, print a table, write the JSON and a picture.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    crf, min_size = postprocessing_of(arguments)
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.data.manifest import Manifest
    from cirs_tf.postprocessing.postprocess import postprocess
    from cirs_tf.runs.evaluation import evaluate_run, write_json
    from cirs_tf.runs.evaluation_report import evaluation_report
    from cirs_tf.runs.restore import open_run, read_config

    run = open_run(arguments.run)
    config, postprocessing = read_config(run), None
    data = Path(arguments.data or config.data)
    steps = ["dense CRF"] if crf else []
    if min_size:
        steps.append(f"regions below {min_size} pixels merged")
    if steps:
        postprocessing = functools.partial(
            postprocess, crf=crf, min_region_size=min_size
        )
    evaluation = evaluate_run(
        run,
        arguments.split,
        arguments.data,
        arguments.checkpoint,
        postprocessing,
        verify=arguments.verify,
    )
    name = arguments.split
    # The run's own set may have been moved.
    if Manifest.read(data) != Manifest.read(run.path):
        name += f"_of_{data.resolve().name}"
    if arguments.checkpoint and evaluation.checkpoint != config.training.selection:
        name += f"_{evaluation.checkpoint}"
    if steps:
        name += "_postprocessed"
    out = Path(arguments.out or run.evaluation)
    file = Path(arguments.json or out / f"{name}.json")
    picture = out / f"{name}.png"
    numbers = evaluation.as_json() | {
        "data": str(data.resolve()),
        "split": arguments.split,
    }
    if steps:
        numbers["postprocessing"] = {"crf": crf, "min_region_size": min_size}
    print(f"run       {run.path}, {evaluation.checkpoint_text}")
    images = f"{len(evaluation.labels):,} images"
    print(f"split     {arguments.split} of {data}, {images}")
    if steps:
        print(f"then      {', '.join(steps)}")
    print()
    print(evaluation_report(evaluation), flush=True)  # whatever can be written
    write_json(file, numbers)
    print(f"numbers   {file}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with atomic_path(picture) as temporary:
            evaluation.picture().save(temporary, format="PNG")
    except OSError as error:
        raise DataError(
            f"{picture}: cannot be written: {error.strerror}; say where with --out"
        ) from None
    print(f"picture   {picture}")


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print how a run's segments compare with the truth of a split.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder")
    add("--split", default="test", help="train, val or test (default)")
    add(
        "--checkpoint",
        metavar="NAME",
        help="loss, oracle, last, or the step of one that is kept; default: "
        "training.selection",
    )
    add("--data", metavar="DIR", help="another data set than the run's own")
    add("--out", metavar="DIR", help="of numbers and picture; default: RUN/eval")
    add(
        "--json",
        metavar="FILE",
        help="of the numbers; default: there, named after "
        "the split and what differs from the run",
    )
    add_verify(parser)
    add_postprocessing(parser)
    add_renamed(parser, "--merge-regions", "--min-region-size")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
make_callable(__name__)
