"""A page to try a segmenter on: `python -m cirs_tf.demo MODEL`."""

import argparse
import os
import tempfile
from pathlib import Path

from cirs_tf.errors import ConfigError, command


@command
def main(argv: list[str] | None = None, prog: str = "python -m cirs_tf.demo") -> None:
    """Parse the command line and serve the page until Ctrl-C.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    if not 0 <= arguments.port <= 65_535:
        raise ConfigError(f"--port: expected 0 to 65535, got {arguments.port}")
    if arguments.max_megabytes < 1:
        raise ConfigError(
            f"--max-megabytes: expected at least 1, got {arguments.max_megabytes}"
        )
    # Gradio asks its makers for newer versions unless told not to.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError:
        raise ConfigError(
            "demo: Gradio is not installed: pip install 'cirs-tf[demo]'"
        ) from None
    # Late, so that help does not wait for TensorFlow.
    from cirs_tf.api import load
    from cirs_tf.data.image_files import MAX_PIXELS
    from cirs_tf.pages.demo_app import demo_app
    from cirs_tf.pages.pose_view import pose_view
    from cirs_tf.serving.image_files import find_images

    examples = []
    if arguments.examples:
        examples = list(find_images([arguments.examples]).values())[:8]
    segmenter = load(arguments.model)
    poses = pose_view(arguments.model)
    title = Path(arguments.model).resolve().name
    system = ["system-ui", "sans-serif"]  # no font of another host
    with tempfile.TemporaryDirectory(prefix="cirs_tf_demo_") as masks:
        app = demo_app(segmenter, title, examples, MAX_PIXELS, masks, poses)
        try:
            app.launch(
                server_name=arguments.host,
                server_port=arguments.port or None,
                max_file_size=f"{arguments.max_megabytes}mb",
                share=False,
                footer_links=[],
                theme=gradio.themes.Default(font=system, font_mono=["monospace"]),
                allowed_paths=[str(path) for path in examples],
            )
        except OSError as error:
            raise ConfigError(f"--port {arguments.port}: {error}") from None


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve a page to try a segmenter on: drop a picture, see its "
        "segments, name them, download the mask.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run folder, or what export wrote")
    add("--examples", metavar="DIR", help="the first 8 pictures in it can be taken")
    add(
        "--host",
        default="127.0.0.1",
        help="address that is listened to; default: this machine alone",
    )
    add("--port", type=int, default=7860, help="0: any free one (default: %(default)s)")
    add(
        "--max-megabytes",
        type=int,
        default=50,
        metavar="N",
        help="of a picture's file (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
