"""Runs of `fixed_camera` on CDnet's highway, in its own light and in changed light.

    python benchmarks/fixed_camera_highway.py RUN ... --data DIR [--frames FRAMES]

Prints precision, recall and F of the moving class over the test split, in which shadows
count as background and pixels without a label (255) not at all. *Changed light*: each
frame times a factor of 0.65 to 1.3, and each channel by itself times 0.93 to 1.07,
drawn with seed 0. --frames: the folder of all frames, inNNNNNN.jpg; OpenCV's MOG2 then
runs through them in order (`pip install opencv-python-headless`), and its masks of the
test frames are cleaned as ours are; its time holds that of the frames before. DIR has
the frames in their own size. DIR: frames 1 to 469 as images, 470 to 1,199 as
test images with masks (docs/methods/fixed_camera.md).
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from cirs_tf.data.image_files import read_image
from cirs_tf.data.image_split import LoadedSplit
from cirs_tf.data.splits import load_split
from cirs_tf.layers.binary_morphology import (
    close,
    fill_holes,
    majority,
    open_by_reconstruction,
)
from cirs_tf.runs.restore import load_segmenter, open_run
from cirs_tf.training.validation import Predictor

CLEANING = 7  # as fixed_camera.cleaning
MOVING = 255  # of MOG2; shadows are 127


def main() -> None:
    """Score the runs, then MOG2."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--frames", metavar="FRAMES")
    arguments = parser.parse_args()
    split = load_split(arguments.data, "test", with_masks=True)
    changed = in_changed_light(split.images)
    print(f"{'':44} {'own light':26} {'changed light':26} ms a frame")
    for run in arguments.runs:
        restored = load_segmenter(open_run(run))
        predict = Predictor(restored.segmenter, 4)
        predict(split.images[:4])  # traced
        show(run, split, changed, lambda images, p=predict: p(images) == 1)
    if arguments.frames:
        frames = sorted(Path(arguments.frames).glob("in*.jpg"))
        missing = {Path(name).stem for name in split.filenames} - {
            f.stem for f in frames
        }
        if missing:
            parser.error(f"--frames {arguments.frames}: no {min(missing)}.jpg")
        show("MOG2 of OpenCV", split, changed, Mog2(frames, split.filenames))


def show(
    name: str,
    split: LoadedSplit,
    changed: np.ndarray,
    moving: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Print a row: what `moving` finds in the images, and in changed light."""
    began = time.perf_counter()
    found = moving(split.images)
    milliseconds = (time.perf_counter() - began) / len(split.images) * 1e3
    own, other = scores(found, split.masks), scores(moving(changed), split.masks)
    print(f"{name:44} {own:26} {other:26} {milliseconds:.0f}", flush=True)


def scores(found: np.ndarray, masks: np.ndarray) -> str:
    """Return F, precision and recall of the moving class, as text."""
    hits = np.sum(found & (masks == 1))
    precision = hits / np.sum(found & (masks != 255))
    recall = hits / np.sum(masks == 1)
    f = 2 * precision * recall / (precision + recall)
    return f"{f:.3f} (P {precision:.3f} R {recall:.3f})"


def in_changed_light(images: np.ndarray) -> np.ndarray:
    """Return the images, each in a light of its own."""
    rng = np.random.default_rng(0)
    bright = rng.uniform(0.65, 1.3, (len(images), 1, 1, 1))
    tint = rng.uniform(0.93, 1.07, (len(images), 1, 1, 3))
    return np.uint8(np.clip(images * (bright * tint), 0, 255))


class Mog2:
    """OpenCV's mixture of Gaussians, with detection of shadows, on frames in order.

    Args:
        frames: All frames, in order.
        names: Names of the frames that are asked for; those before are learned from.
    """

    def __init__(self, frames: list[Path], names: tuple[str, ...]):
        self.row_of = {Path(name).stem: row for row, name in enumerate(names)}
        self.frames = frames

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return masks of the frames asked for, shown as in `images`."""
        import cv2

        subtractor = cv2.createBackgroundSubtractorMOG2(detectShadows=True)
        found = np.zeros(images.shape[:3], np.float32)
        for frame in self.frames:
            row = self.row_of.get(frame.stem)
            image = read_image(frame) if row is None else images[row]
            mask = subtractor.apply(image) == MOVING
            if row is not None:
                found[row] = mask
        cleaned = [cleaned_mask(mask) for mask in found]
        return np.stack(cleaned)


def cleaned_mask(mask: np.ndarray) -> np.ndarray:
    """Return `[height, width]` bool, cleaned as by `BackgroundDifference`."""
    smooth = close(majority(tf.constant(mask[None, ..., None]), CLEANING), CLEANING)
    opened = open_by_reconstruction(smooth, CLEANING)
    return fill_holes(opened).numpy()[0, ..., 0] > 0


if __name__ == "__main__":
    main()
