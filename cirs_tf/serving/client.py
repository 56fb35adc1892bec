"""Segment images with a model server: `python -m cirs_tf.serving.client URL IMAGES`."""

import argparse
import contextlib
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from cirs_tf.errors import (
    ConfigError,
    ImageError,
    ServerError,
    UnusableServerError,
    command,
)
from cirs_tf.serving.image_files import (
    check_apart,
    find_images,
    make_folders,
    write_mask,
    write_overlay,
)
from cirs_tf.serving.mask_exchange import read_mask, read_request
from cirs_tf.serving.served_model import ServedModel, served_model

_GIVE_UP = 10  # images in a row that the server does not segment


class Predictor(Protocol):
    """A connection to a model server."""

    def predict(self, file: bytes) -> tuple[bytes, str]:
        """Return the mask of an image file, and what is wrong with the file."""

    def close(self) -> None:
        """Close it."""


@command
def main(
    argv: list[str] | None = None, prog: str = "python -m cirs_tf.serving.client"
) -> int:
    """Parse the command line and write a mask for every image.

    Args:
        argv: Arguments; None: those of the process.
        prog: What help calls this command.
    """
    arguments = _parser(prog).parse_args(argv)
    _check(arguments)
    model = served_model(arguments.url, arguments.version, arguments.label)
    out = Path(arguments.out)
    suffixes = (".png", "_overlay.png") if arguments.overlay else (".png",)
    found = find_images(arguments.images, arguments.recursive, suffixes)
    check_apart(out, arguments.images, found, arguments.recursive, suffixes)
    predictor = connect(
        model, arguments.timeout, arguments.retries, arguments.max_bytes
    )
    with contextlib.closing(predictor):
        make_folders(out, found)
        done = 0
        pool = ThreadPoolExecutor(arguments.concurrency)
        try:
            answers = [
                pool.submit(
                    segment_file,
                    predictor,
                    path,
                    out / name,
                    arguments.max_bytes,
                    arguments.overlay,
                )
                for name, path in found.items()
            ]
            for is_written in _report(answers):
                done += is_written
        finally:
            pool.shutdown(cancel_futures=True)
            print(f"{done} of {len(found)} images segmented into {out}")
    return 0 if done == len(found) else 1


def segment_file(
    predictor: Predictor, path: Path, target: Path, max_bytes: int, with_overlay: bool
) -> None:
    """Send an image file and write the mask that comes back.

    Args:
        predictor: Where to.
        path: The file.
        target: Its mask without `.png`, its overlay without `_overlay.png`.
        max_bytes: Larger files are refused.
        with_overlay: Whether an overlay is written too.

    Raises:
        ImageError: It cannot be read or segmented, or the mask cannot be written.
        ServerError: The answer is an error, or no mask of this image.
        UnusableServerError: No image can be segmented.
    """
    file, image = read_request(path, max_bytes)
    try:
        answer, wrong = predictor.predict(file)
        if wrong:
            raise ImageError(f"{path}: {' '.join(wrong.split())}")
        labels = read_mask(answer, *image.shape[:2])
    except UnusableServerError:
        raise
    except ServerError as error:
        raise ServerError(f"{path}: {error}") from None
    # The suffix is added to the name: `a.b` is no name with a suffix.
    write_mask(labels, f"{target}.png")
    if with_overlay:
        write_overlay(image, labels, f"{target}_overlay.png")


def _report(answers: Iterable[Future]) -> Iterable[bool]:
    """Yield, as answers come, whether a mask was written, and print what went wrong.

    Raises:
        UnusableServerError: No image can be segmented, or none was for a while.
    """
    answers = list(answers)
    in_a_row = 0
    for answer in tqdm(
        as_completed(answers), total=len(answers), unit="img", disable=None
    ):
        try:
            answer.result()
        except UnusableServerError:
            raise
        except (ImageError, ServerError) as error:
            # The other images do not wait for this one to be mended.
            tqdm.write(f"error: {error}", file=sys.stderr)
            in_a_row = in_a_row + 1 if isinstance(error, ServerError) else 0
            if in_a_row == _GIVE_UP:
                raise UnusableServerError(
                    f"the server segmented none of {_GIVE_UP} images in a row: stopped"
                ) from None
            yield False
        else:
            in_a_row = 0
            yield True


def connect(
    model: ServedModel, timeout: float, retries: int, max_bytes: int
) -> Predictor:
    """Return what sends files to a model, by REST or gRPC as its URL says.

    Args:
        model: Where it is.
        timeout: Seconds to wait for an answer.
        retries: How often a request is sent again, in [0, 4].
        max_bytes: Largest mask that is received.

    Raises:
        ConfigError: A package of the extra `serving` is not installed.
    """
    if model.protocol.startswith("http"):
        from cirs_tf.serving.rest_predictor import RestPredictor as Connection
    else:
        from cirs_tf.serving.grpc_predictor import GrpcPredictor as Connection
    return Connection(model, timeout, retries, max_bytes)


def _check(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.concurrency <= 1_000:
        raise ConfigError(
            f"--concurrency: expected 1 to 1,000, got {arguments.concurrency}"
        )
    if not 0 < arguments.timeout < float("inf"):
        raise ConfigError(f"--timeout: expected more than 0, got {arguments.timeout:g}")
    if not 0 <= arguments.retries <= 4:
        raise ConfigError(f"--retries: expected 0 to 4, got {arguments.retries}")
    if not 1 <= arguments.max_bytes <= 1 << 30:
        raise ConfigError(
            f"--max-bytes: expected 1 to {1 << 30:,}, got {arguments.max_bytes:,}"
        )


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Send every image to a model server and write the mask that comes "
        "back as NAME.png (palette image, pixel value = segment index).",
        epilog="The model is one that export wrote, served by TensorFlow Serving. "
        "Needs the extra serving, no TensorFlow at work.",
    )
    add = parser.add_argument
    add(
        "url",
        metavar="URL",
        help="http://HOST:8501/v1/models/NAME, or grpc://HOST:8500/NAME; https and "
        "grpcs by TLS",
    )
    add("images", nargs="+", metavar="IMAGE_OR_FOLDER")
    add("--recursive", action="store_true", help="read sub-folders too")
    add("--out", required=True, metavar="DIR", help="made if missing")
    add("--overlay", action="store_true", help="write NAME_overlay.png too")
    add("--version", type=int, metavar="N", help="of the model; default: the newest")
    add("--label", metavar="NAME", help="of the version, such as canary")
    add(
        "--concurrency",
        type=int,
        default=4,
        metavar="N",
        help="images sent at the same time (default: %(default)s)",
    )
    add(
        "--timeout",
        type=float,
        default=60,
        metavar="SECONDS",
        help="how long to wait for the mask of an image (default: %(default)s)",
    )
    add(
        "--retries",
        type=int,
        default=3,
        metavar="N",
        help="how often to ask a busy server again, after 0.5 s, 1 s, 2 s, ... "
        "(default: %(default)s)",
    )
    add(
        "--max-bytes",
        type=int,
        default=64 << 20,
        metavar="N",
        help="larger files are not sent, larger masks not read (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
