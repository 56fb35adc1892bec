"""Export a run's segmenter for serving: `python -m cirs_tf.export RUN --out DIR`."""

import argparse

from cirs_tf.callable_module import make_callable
from cirs_tf.data.image_files import LARGEST, MAX_PIXELS
from cirs_tf.errors import ConfigError, command


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.export") -> None:
    """Parse the command line and write the model; `--push-to-hub` alone uploads.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description="Write a run's segmenter for others to use."
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder")
    add("--out", required=True, metavar="MODEL_DIR")
    add(
        "--checkpoint",
        metavar="NAME",
        help="loss, oracle, last, or the step of one that is kept; default: the run's "
        "training.selection",
    )
    add(
        "--names",
        metavar="NAME,...",
        help="a name for each segment, in their order, kept in the model's description",
    )
    add(
        "--max-pixels",
        type=int,
        default=MAX_PIXELS,
        metavar="N",
        help="larger files are refused by the signature serve_bytes (default: "
        "%(default)s)",
    )
    add(
        "--format",
        default="saved_model",
        help="saved_model (default, for TensorFlow Serving), keras, onnx, litert, "
        "openvino, or hub (a folder for the Hugging Face hub); all but the first "
        "want a new folder",
    )
    add(
        "--quantize",
        metavar="TYPE",
        help="of litert: float16 or int8 weights, or int8_full: activations too",
    )
    add(
        "--data",
        metavar="DIR",
        help="of int8_full: whose training images show the range of activations; "
        "default: the run's own",
    )
    add("--license", metavar="ID", help="of the weights, for the card of hub")
    add(
        "--push-to-hub",
        metavar="USER/NAME",
        help="upload the folder of hub; without it nothing is uploaded",
    )
    arguments = parser.parse_args(argv)
    if arguments.push_to_hub and arguments.format != "hub":
        raise ConfigError(
            f"--push-to-hub: expected --format hub, not {arguments.format}"
        )
    if not 1 <= arguments.max_pixels <= LARGEST:
        raise ConfigError(
            f"--max-pixels: expected 1 to {LARGEST:,}, got {arguments.max_pixels:,}"
        )
    names = arguments.names.split(",") if arguments.names else []
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.runs.exporting import export_run
    from cirs_tf.runs.hub_folder import hub_client, push_to_hub
    from cirs_tf.runs.restore import open_run

    if arguments.push_to_hub:
        hub_client()  # before the work
    written, restored = export_run(
        open_run(arguments.run),
        arguments.out,
        arguments.checkpoint,
        arguments.format,
        arguments.quantize,
        arguments.license,
        arguments.data,
        segment_names=tuple(name.strip() for name in names),
        max_pixels=arguments.max_pixels,
    )
    print(
        f"{written}: segmenter of checkpoint {restored.checkpoint!r} "
        f"(step {restored.step})"
    )
    if restored.origin:
        print(f"backbone  {restored.origin}")
    if arguments.push_to_hub:
        print(f"uploaded  {push_to_hub(written, arguments.push_to_hub)}")


if __name__ == "__main__":
    raise SystemExit(main())
make_callable(__name__)
