"""Golden files from TensorFlow Addons: `addons_*.npz` beside this script.

TensorFlow Addons was archived in 2024 and does not import on TensorFlow >= 2.16, so the
tests compare with what it returned once. To write the files anew, on Python 3.11 and in
an environment of its own:

    python3.11 -m venv /tmp/addons
    /tmp/addons/bin/pip install tensorflow-cpu==2.15.1 tensorflow-addons==0.23.0 \
        'numpy<2' 'keras<3'
    /tmp/addons/bin/python tests/golden/make_addons_golden.py

The script prints the versions and stores them in each file. It imports nothing of
cirs_tf. What is compared with what: docs/tensorflow_addons.md.
"""

import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")  # "TensorFlow Addons has ended development"

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tensorflow_addons as tfa  # noqa: E402

FOLDER = Path(__file__).parent
CANVAS = 7  # height and width of the template, in pixels
HEIGHT, WIDTH = 11, 13  # of the image it is laid into
# x, y and angle in radians (clockwise as y points down). The first four are moves by
# whole pixels, by parts of a pixel, a quarter turn, and over the border of the image.
POSES = [
    (6.0, 4.0, 0.0),
    (6.3, 4.8, 0.0),
    (6.0, 5.0, np.pi / 2),
    (0.5, 9.75, 0.0),
    (6.3, 4.8, 0.3),
    (5.6, 5.1, 2.0),
    (11.7, 1.2, -1.2),
]
TRANSLATIONS = [(1.0, -2.0), (0.25, 0.5), (-3.4, 1.7)]
ANGLES = [0.3, np.pi / 2, -2.2]
STEPS = 5  # updates of each optimizer


def main() -> int:
    """Write the golden files and print the versions and sizes."""
    versions = {
        "python": sys.version.split()[0],
        "tensorflow": tf.__version__,
        "tensorflow_addons": tfa.__version__,
        "numpy": np.__version__,
    }
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    files = {
        "addons_transform.npz": transforms(np.random.default_rng(0)),
        "addons_blur.npz": blurs(np.random.default_rng(1)),
        "addons_optimizers.npz": optimizers(np.random.default_rng(2)),
    }
    for name, arrays in files.items():
        path = FOLDER / name
        np.savez_compressed(path, **arrays, **versions)
        print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


def transforms(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a template at poses, moved and turned, and gradients of the template."""
    template = rng.random((CANVAS, CANVAS, 2), np.float32)
    weights = rng.random((len(POSES), HEIGHT, WIDTH, 2), np.float32)
    matrices = np.array([matrix(*pose) for pose in POSES], np.float32)
    variable = tf.Variable(template)
    images, gradients = [], []
    for pose_matrix, pose_weights in zip(matrices, weights, strict=True):
        with tf.GradientTape() as tape:
            image = transform(variable[None], pose_matrix)[0]
            total = tf.reduce_sum(pose_weights * image)
        images.append(image.numpy())
        gradients.append(tape.gradient(total, variable).numpy())
    return {
        "template": template,
        "poses": np.array(POSES),
        "weights": weights,
        "matrices": matrices,
        "images": np.array(images),
        "tape_gradients": np.array(gradients),
        "exact_gradients": exact_gradients(matrices, weights),
        "translations": np.array(TRANSLATIONS),
        "translated": tfa.image.translate(
            np.repeat(template[None], len(TRANSLATIONS), axis=0),
            TRANSLATIONS,
            interpolation="bilinear",
        ).numpy(),
        "angles": np.array(ANGLES),
        "rotated": tfa.image.rotate(
            np.repeat(template[None], len(ANGLES), axis=0),
            ANGLES,
            interpolation="bilinear",
        ).numpy(),
    }


def exact_gradients(matrices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return gradients of `sum(weights * image)`, from Addons' forward pass alone.

    The image is linear in the template, so the gradient of a template's pixel is the
    weighted sum of the image of a template that is 1 at that pixel and 0 elsewhere.
    Addons' own gradient transforms the weights by the inverse matrix, which is this
    sum for moves and quarter turns, and an approximation of it at other angles.
    """
    pixels = CANVAS * CANVAS
    units = np.eye(pixels, dtype=np.float32).reshape(pixels, CANVAS, CANVAS, 1)
    gradients = []
    for pose_matrix, pose_weights in zip(matrices, weights, strict=True):
        images = transform(units, pose_matrix).numpy()[..., 0].astype(np.float64)
        sums = np.einsum("phw,hwc->pc", images, pose_weights)
        gradients.append(sums.reshape(CANVAS, CANVAS, -1))
    return np.array(gradients, np.float32)


def transform(images, pose_matrix) -> tf.Tensor:
    """Return images of `HEIGHT` by `WIDTH` with the templates at a pose."""
    return tfa.image.transform(
        images, pose_matrix, interpolation="bilinear", output_shape=[HEIGHT, WIDTH]
    )


def matrix(x: float, y: float, angle: float) -> list[float]:
    """Return Addons' eight numbers: where in the template a pixel looks."""
    cosine, sine = np.cos(angle), np.sin(angle)
    center = (CANVAS - 1) / 2
    column = [cosine, sine, center - cosine * x - sine * y]
    row = [-sine, cosine, center + sine * x - cosine * y]
    return [*column, *row, 0.0, 0.0]


def blurs(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return an image blurred with a 5x5 Gaussian of sigma 0.7, per padding."""
    image = rng.random((2, 9, 12, 3), np.float32)
    weights = rng.random(image.shape, np.float32)
    arrays = {"image": image, "weights": weights}
    for padding in ("CONSTANT", "REFLECT", "SYMMETRIC"):
        variable = tf.Variable(image)
        with tf.GradientTape() as tape:
            blurred = tfa.image.gaussian_filter2d(variable, (5, 5), 0.7, padding)
            total = tf.reduce_sum(weights * blurred)
        arrays[padding.lower()] = blurred.numpy()
        arrays[f"{padding.lower()}_gradient"] = tape.gradient(total, variable).numpy()
    return arrays


def optimizers(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a variable after each of a few updates with given gradients."""
    start = rng.normal(size=(4, 3)).astype(np.float32)
    gradients = rng.normal(size=(STEPS, 4, 3)).astype(np.float32)
    gradients[:, 0] *= 1e-4  # so small that the optimizers' epsilon shows
    arrays = {"start": start, "gradients": gradients}
    makers = {
        "lamb": lambda: tfa.optimizers.LAMB(0.01),
        "adamw": lambda: tfa.optimizers.AdamW(weight_decay=0.002, learning_rate=0.01),
        "average": lambda: tfa.optimizers.MovingAverage(
            tf.keras.optimizers.legacy.SGD(0.1), average_decay=0.9
        ),
    }
    for name, make in makers.items():
        optimizer = make()
        variable = tf.Variable(start)
        values = []
        for gradient in gradients:
            optimizer.apply_gradients([(tf.constant(gradient), variable)])
            values.append(variable.numpy())
        arrays[name] = np.array(values)
        if name == "average":
            optimizer.assign_average_vars([variable])
            arrays["average_at_the_end"] = variable.numpy()
    return arrays


if __name__ == "__main__":
    raise SystemExit(main())
