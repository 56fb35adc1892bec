"""All commands under one name: `cirs-tf train ...` is `python -m cirs_tf.train ...`."""

import difflib
import importlib
import sys

import cirs_tf
from cirs_tf.default_data import import_data_gen
from cirs_tf.errors import ConfigError, command

COMMANDS = {
    "data": ("data_gen.__main__", "draw or import a data set"),
    "advise": ("cirs_tf.advise", "say which method fits images, and how many segments"),
    "train": ("cirs_tf.train", "train a segmenter without labels"),
    "sweep": ("cirs_tf.sweep", "train several seeds, pick one without labels"),
    "evaluate": ("cirs_tf.evaluate", "compare a run with the truth of a split"),
    "report": ("cirs_tf.report", "write one page about runs, with all its pictures"),
    "demo": ("cirs_tf.demo", "serve a page to try a segmenter on"),
    "baselines": ("cirs_tf.baselines", "score k-means, thresholds, one segment"),
    "export": ("cirs_tf.export", "write a SavedModel for serving"),
    "segment": ("cirs_tf.segment", "segment images with a SavedModel"),
    "client": ("cirs_tf.serving.client", "segment images with a model server"),
    "regions": ("cirs_tf.regions", "divide single photographs, nothing to train"),
    "generate": ("cirs_tf.generate", "draw new styles for segmentations"),
    "oned": ("cirs_tf.oned.__main__", "the one-dimensional proof, on strings"),
    "reproduce": ("cirs_tf.reproduce.__main__", "tables and figures of the thesis"),
}


@command
def main(argv: list[str] | None = None) -> int:
    """Run the command that the first argument names.

    Args:
        argv: Arguments; None: those of the process.
    """
    arguments = sys.argv[1:] if argv is None else argv
    name = arguments[0] if arguments else None
    if name == "--version":
        print(f"cirs-tf {cirs_tf.__version__}")
        return 0
    if name in (None, "-h", "--help"):
        print("usage: cirs-tf COMMAND ...   (COMMAND --help lists its options)\n")
        for known, (_, meaning) in COMMANDS.items():
            print(f"  {known:10}{meaning}")
        print("\n  --version   print the version")
        return 0 if name else 2
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"see {', '.join(COMMANDS)}"
        raise ConfigError(f"{name}: no such command; {hint}")
    if name == "data":  # a name that others use, too
        module = import_data_gen("__main__")
    else:
        module = importlib.import_module(COMMANDS[name][0])
    return module.main(arguments[1:], prog=f"cirs-tf {name}")


if __name__ == "__main__":
    raise SystemExit(main())
