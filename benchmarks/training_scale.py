"""Are segments better at the scale of the training images, or at the pictures' own?

    python benchmarks/training_scale.py RUN --data DIR [--enlarge F] [--images N]

mIoU of the first N test images of a data set with masks, enlarged F times (bicubic,
masks by repeating), by `predict` as it is and with `native=True`. Sets of another size:
`python -m data_gen fruit --size 256 --train 1 --val 1 --test 60 --out DIR`.
"""

import argparse

import numpy as np
from measuring import machine, write_json
from PIL import Image

import cirs_tf
from cirs_tf.data.manifest import Manifest
from cirs_tf.data.splits import load_split
from cirs_tf.metrics.segmentation import SegmentationMetric


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--enlarge", type=int, default=1, metavar="F")
    parser.add_argument("--images", type=int, default=60, metavar="N")
    parser.add_argument("--json", metavar="FILE", help="also write what was measured")
    arguments = parser.parse_args()
    segmenter = cirs_tf.load(arguments.run)
    split = load_split(arguments.data, "test", True, arguments.images)
    classes, factor = len(Manifest.read(arguments.data).classes), arguments.enlarge
    found = {}
    print(f"{machine()}\n")
    print(f"{len(split.images)} images of {arguments.data}, enlarged {factor} times")
    for native in (False, True):
        metric = SegmentationMetric(segmenter.num_segments, classes)
        for image, mask in zip(split.images, split.masks, strict=True):
            size = (image.shape[1] * factor, image.shape[0] * factor)
            picture = np.asarray(Image.fromarray(image).resize(size, Image.BICUBIC))
            labels = segmenter.predict(picture, native=native)
            truth = np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1)
            metric.update_state(truth[None], labels[None])
        name = "native" if native else "training scale"
        found[name] = metric.result().miou
        print(f"{name:16}{found[name]:.3f}", flush=True)
    write_json(arguments.json, {"machine": machine(), "miou": found})


if __name__ == "__main__":
    main()
