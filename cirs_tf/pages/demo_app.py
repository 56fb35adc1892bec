"""A page on which people try a segmenter on pictures of their own."""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from cirs_tf.data.image_files import read_image
from cirs_tf.errors import ImageError
from cirs_tf.hierarchy.photograph import enlarge, region_tree
from cirs_tf.hierarchy.region_tree import RegionTree
from cirs_tf.pages.pose_view import PoseView
from cirs_tf.serving.segmenter import Segmenter
from cirs_tf.visualization import colorize, overlay, palette_image, with_legend

_LARGEST_SIDE = 1_024  # pixels of a picture that is shown
_DELETE_CACHE = (3_600, 3_600)  # seconds: how often, and from which age on
_POSES = ["segment", "share %", "x", "y", "degrees"]
_HEADERS = ["segment", "name", "share of pixels in %"]


@dataclasses.dataclass(frozen=True)
class Shown:
    """A picture on the page.

    Attributes:
        image: `[height, width, 3]` uint8, as large as it is shown.
        labels: `[height, width]` uint8, its segments.
        mask: File of the segments at the picture's own size.
        shares: `[K]`, of its pixels, in [0, 1].
    """

    image: np.ndarray
    labels: np.ndarray
    mask: str
    shares: tuple[float, ...]


def demo_app(
    segmenter: Segmenter,
    title: str,
    examples: Sequence[Path],
    max_pixels: int,
    masks: str | Path,
    poses: PoseView | None = None,
) -> gr.Blocks:
    """Return the page; `launch` serves it.

    Args:
        segmenter: What divides the pictures.
        title: Stands at the top.
        examples: Pictures to take, for who has none.
        max_pixels: Larger pictures are refused before they are decoded.
        masks: Folder in which masks are written to be downloaded.
        poses: What finds templates in pictures; None: there are none to show.
    """

    def read(path: str) -> np.ndarray:
        try:
            return read_image(path, max_pixels)
        except ImageError as error:
            # Not the folder of the server: what is wrong.
            reason = str(error).removeprefix(f"{path}: ")
            raise gr.Error(
                f"{Path(path).name}: {reason}", print_exception=False
            ) from None

    def segment(path: str | None, opacity: float, names: list[list]):
        if path is None:
            return None, None, names, None
        image = read(path)
        labels = segmenter.predict(image)
        counts = np.bincount(labels.ravel(), minlength=segmenter.num_segments)
        folder = Path(tempfile.mkdtemp(dir=masks))
        mask = folder / f"{Path(path).stem}.png"
        palette_image(labels).save(mask, format="PNG")
        shares = tuple(map(float, counts / counts.sum()))
        shown = Shown(_small(image), _small(labels), str(mask), shares)
        rows = [
            [number, _name(names, number), round(100 * share, 1)]
            for number, share in enumerate(shares)
        ]
        return shown, _picture(shown, opacity, rows), rows, str(mask)

    def draw(shown: Shown | None, opacity: float, names: list[list]):
        return None if shown is None else _picture(shown, opacity, names)

    def grow_tree(path: str | None, level: float):
        if path is None:
            return None, None, None
        image = _small(read(path))
        tree = region_tree(image)
        return image, tree, cut(image, tree, level)

    def cut(image: np.ndarray | None, tree: RegionTree | None, level: float):
        if tree is None:
            return None
        regions = enlarge(tree.cut(level), *image.shape[:2])
        means = [
            np.bincount(regions.ravel(), image[..., channel].ravel())
            / np.bincount(regions.ravel())
            for channel in range(3)
        ]
        colors = np.stack(means, axis=-1)[regions]
        return np.uint8(colors.round())

    def find_poses(path: str | None):
        return (None, None) if path is None else poses.show(read(path))

    card = segmenter.card
    given = card.segment_names if card else ()
    start = [
        [number, given[number] if given else "", None]
        for number in range(segmenter.num_segments)
    ]
    paths = [str(path) for path in examples]
    types = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"]
    with gr.Blocks(
        title=title, analytics_enabled=False, delete_cache=_DELETE_CACHE
    ) as app:
        gr.Markdown(f"# {title}")
        with gr.Tab("Segments"):
            state = gr.State()
            with gr.Row():
                with gr.Column(scale=1):
                    file = gr.File(label="Picture", file_types=types, elem_id="picture")
                    opacity = gr.Slider(0, 1, 0.5, label="Opacity of the segments")
                    table = gr.Dataframe(
                        start,
                        headers=_HEADERS,
                        type="array",
                        interactive=True,
                        static_columns=[0, 2],
                        label="Segments; give them names",
                    )
                    mask = gr.DownloadButton("Download the mask", elem_id="mask")
                with gr.Column(scale=2):
                    result = gr.Image(
                        label="Segments",
                        interactive=False,
                        format="png",
                        elem_id="segments",
                    )
            if paths:
                gr.Examples(paths, file, label="Or take one of these")
            outputs = [state, result, table, mask]
            file.change(segment, [file, opacity, table], outputs, api_name="segment")
            for changed in (opacity.release, table.input):
                changed(draw, [state, opacity, table], result, api_visibility="private")
        with gr.Tab("Regions"):
            image, tree = gr.State(), gr.State()
            with gr.Row():
                with gr.Column(scale=1):
                    photo = gr.File(label="Photograph", file_types=types)
                    level = gr.Slider(0, 3, 1, label="Level: how coarse")
                with gr.Column(scale=2):
                    regions = gr.Image(
                        label="Regions in their mean colors",
                        interactive=False,
                        format="png",
                    )
            gr.Markdown("Of one photograph alone; nothing is trained.")
            if paths:
                gr.Examples(paths, photo, label="Or take one of these")
            photo.change(
                grow_tree, [photo, level], [image, tree, regions], api_name="regions"
            )
            level.release(cut, [image, tree, level], regions, api_visibility="private")
        if poses is not None:
            with gr.Tab("Templates and poses"):
                _poses_tab(poses, find_poses, types, paths)
    return app


def _poses_tab(
    poses: PoseView,
    find: Callable[[str | None], tuple],
    types: list[str],
    examples: list[str],
) -> None:
    height, width = poses.size
    gr.Markdown(
        "What each segment looks like wherever it is, and where it is in a picture. "
        f"Pictures are scaled to fill {width} x {height} pixels and cut; x and y are "
        "of its center in pixels, from the top left; degrees run clockwise."
    )
    gr.Image(
        poses.templates,
        label="Templates",
        interactive=False,
        format="png",
        elem_id="templates",
    )
    with gr.Row():
        with gr.Column(scale=1):
            file = gr.File(label="Picture", file_types=types, elem_id="pose_picture")
            table = gr.Dataframe(headers=_POSES, interactive=False, label="Poses")
        with gr.Column(scale=2):
            found = gr.Image(
                label="Each template where it was found, and all of them",
                interactive=False,
                format="png",
                elem_id="poses",
            )
    if examples:
        gr.Examples(examples, file, label="Or take one of these")
    file.change(find, file, [found, table], api_name="poses")


def _name(rows: list[list], number: int) -> str:
    return str(rows[number][1] or "") if number < len(rows) else ""


def _picture(shown: Shown, opacity: float, names: list[list]) -> Image.Image:
    """Return image and segments, with a legend of all."""
    blended = overlay(shown.image, colorize(shown.labels), opacity)
    legend = [
        f"{_name(names, number) or number}: {share:.0%}"
        for number, share in enumerate(shown.shares)
    ]
    return with_legend(Image.fromarray(blended), legend)


def _small(array: np.ndarray) -> np.ndarray:
    """Return an image, or labels, of at most `_LARGEST_SIDE`."""
    step = max(array.shape[:2]) / _LARGEST_SIDE
    if step <= 1:
        return array
    size = tuple(max(1, round(side / step)) for side in array.shape[1::-1])
    how = Image.NEAREST if array.ndim == 2 else Image.LANCZOS
    return np.asarray(Image.fromarray(array).resize(size, how))
