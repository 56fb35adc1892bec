"""Train a segmenter: `python -m cirs_tf.train --model cirs_aligned`."""

import argparse

from cirs_tf.callable_module import make_callable
from cirs_tf.config.settings import path_override
from cirs_tf.errors import ConfigError, command
from cirs_tf.runs.arguments import (
    EPILOG,
    add_settings,
    add_verify,
    check_model,
    config_of,
    overrides_of,
    settings_table,
)


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.train") -> int:
    """Parse the command line, train, and say what to do next.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    config = config_of(arguments) if not arguments.resume else None
    if arguments.show_config and config is not None:
        print("\n".join(settings_table(config)))
        return 0
    # Late, so that help and slips of the finger do not wait for TensorFlow.
    from cirs_tf.config.files import resolve
    from cirs_tf.default_data import default_data
    from cirs_tf.runs.restore import open_run, read_config
    from cirs_tf.runs.session import train

    if arguments.resume:
        if arguments.run or arguments.config:
            given = "--run" if arguments.run else "--config"
            raise ConfigError(f"--resume: {given} does not go with it")
        stored = read_config(open_run(arguments.resume))
        config = resolve(stored, overrides=overrides_of(arguments))
        check_model(arguments, config)
        if arguments.show_config:
            print("\n".join(settings_table(config)))
            return 0
        run = train(config, arguments.resume, resume=True, verify=arguments.verify)
    else:
        if config.data is None:
            config = resolve(config, overrides=[path_override("data", default_data())])
        run = train(config, arguments.run, verify=arguments.verify)
    if run.stopped_by is not None:
        print(
            f"stopped at step {run.step} of {run.total_steps}; go on with: "
            f"{prog} --resume {run.path}"
        )
        return 128 + run.stopped_by
    print(f"done: {prog.replace('train', 'evaluate')} {run.path}")
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Train a segmenter without labels.", epilog=EPILOG
    )
    add_settings(parser)
    add = parser.add_argument
    add(
        "--run",
        metavar="DIR",
        help="run folder, gone on with where it holds this very run; default: "
        "runs/METHOD-DATE-TIME",
    )
    add("--resume", metavar="RUN", help="go on with a run, perhaps for longer")
    add("--seed", type=int, metavar="N", help="seed of weights and shuffling")
    add_verify(parser)
    add("--show-config", action="store_true", help="print every setting and stop")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
make_callable(__name__)
