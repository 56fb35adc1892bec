"""All commands under one name: `cirs-tf train ...` is `python -m cirs_tf.train ...`."""

import importlib
import sys

from cirs_tf.errors import command

COMMANDS = {
    "data": ("data_gen.__main__", "draw a data set"),
    "train": ("cirs_tf.train", "train a segmenter without labels"),
    "sweep": ("cirs_tf.sweep", "train several seeds, pick one without labels"),
    "evaluate": ("cirs_tf.evaluate", "compare a run with the truth of a split"),
    "baselines": ("cirs_tf.baselines", "score k-means and one segment everywhere"),
    "export": ("cirs_tf.export", "write a SavedModel for serving"),
    "segment": ("cirs_tf.segment", "segment images with a SavedModel"),
    "generate": ("cirs_tf.generate", "draw new styles for segmentations"),
    "oned": ("cirs_tf.oned.__main__", "the one-dimensional proof, on strings"),
    "reproduce": ("cirs_tf.reproduce.__main__", "tables and figures of the thesis"),
}


@command
def main(argv: list[str] | None = None) -> int:
    """Run the command that the first argument names."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] not in COMMANDS:
        lines = [f"  {name:10}{meaning}" for name, (_, meaning) in COMMANDS.items()]
        print("usage: cirs-tf COMMAND ...   (COMMAND --help lists its options)\n")
        print("\n".join(lines))
        asked_for_help = arguments and arguments[0] in ("-h", "--help")
        return 0 if asked_for_help else 2
    module, _ = COMMANDS[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


if __name__ == "__main__":
    raise SystemExit(main())
