"""Export a run's segmenter for serving: `python -m cirs_tf.export RUN --out DIR`."""

import argparse

from cirs_tf.data.manifest import Manifest
from cirs_tf.errors import command
from cirs_tf.methods.build import build_segmenter
from cirs_tf.serving.savedmodel import write_savedmodel
from cirs_tf.training.checkpoints import CheckpointStore
from cirs_tf.training.run_folder import RunFolder


@command
def main(argv: list[str] | None = None) -> None:
    """Parse the command line and write a SavedModel."""
    parser = argparse.ArgumentParser(
        prog="python -m cirs_tf.export",
        description="Write a SavedModel that TensorFlow Serving loads.",
    )
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--out", required=True, metavar="MODEL_DIR")
    parser.add_argument(
        "--checkpoint",
        metavar="NAME",
        help="loss, oracle, last, or the step of one that is kept; default: the run's "
        "training.selection",
    )
    arguments = parser.parse_args(argv)
    run = RunFolder.open(arguments.run)
    config = run.load_config()
    name = arguments.checkpoint or config.training.selection
    images = Manifest.read(run.path)
    segmenter = build_segmenter(config, images.height, images.width)
    store = CheckpointStore(run.checkpoints)
    step = store.restore(name, {"segmenter": segmenter})["step"]
    version = write_savedmodel(segmenter, arguments.out, images.height, images.width)
    print(f"{version}: segmenter of checkpoint {name!r} (step {step})")


if __name__ == "__main__":
    raise SystemExit(main())
