"""New styles, through the command and piece by piece."""

import numpy as np
import pytest
from command_line import set_flags
from PIL import Image

from cirs_tf import generate, train
from cirs_tf.data.splits import load_split
from cirs_tf.runs.styles import StyleGenerator, code_lengths, draw_codes
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options


@pytest.fixture(scope="module")
def air_command(tiny_air, fruit):
    """Return arguments of `train` for a tiny run of AIR."""
    return ["--data", str(fruit), "--steps-per-epoch", "10", *set_flags(tiny_air)]


@pytest.fixture(scope="module")
def run(air_command, tmp_path_factory):
    """Return a run of variational AIR, of two epochs."""
    folder = tmp_path_factory.mktemp("generate") / "run"
    argv = ["--config", "air_variational", "--epochs", "2", "--run", str(folder)]
    assert train.main([*argv, *air_command]) == 0
    return RunFolder(folder)


@pytest.fixture(scope="module")
def generator(run):
    return StyleGenerator(run, "last")


@pytest.fixture(scope="module")
def images(fruit):
    return load_split(fruit, "test", with_masks=False, limit=3).images


@pytest.fixture(scope="module")
def labels(images):
    """Return a segmentation of every segment, which that of a tiny run may not be."""
    return np.random.default_rng(0).integers(0, 4, images.shape[:3], dtype=np.uint8)


def picture(run, tmp_path, *argv) -> bytes:
    file = tmp_path / "out" / "styles.png"
    assert generate.main([str(run.path), "--out", str(file), *map(str, argv)]) == 0
    return file.read_bytes()


def test_the_divergence_is_logged(run):
    for row in run.read_metrics():
        assert row["train"]["kl"] > 0
        assert row["validation"]["kl"] > 0


def test_draws_the_promised_columns(run, tmp_path, capsys):
    picture(run, tmp_path, "--images", 3, "--samples", 5)
    out = capsys.readouterr().out
    for words in ("checkpoint 'loss'", "test of", "3 images", "prior, seed 0", "nats"):
        assert words in out
    with Image.open(tmp_path / "out" / "styles.png") as grid:
        # Three rows of 32 pixels; eight columns, at least as wide.
        assert 3 * 32 < grid.height < 4 * 32 + 30
        assert grid.width > 8 * 32


def test_by_default_the_picture_is_in_the_run(run):
    assert generate.main([str(run.path), "--split", "val"]) == 0
    assert (run.evaluation / "val_styles.png").is_file()


def test_same_seed_same_bytes_other_seed_other_bytes(run, tmp_path):
    small = ("--images", 2, "--samples", 2)
    first = picture(run, tmp_path, *small, "--seed", 1)
    assert picture(run, tmp_path, *small, "--seed", 1) == first
    assert picture(run, tmp_path, *small, "--seed", 2) != first
    assert (
        picture(run, tmp_path, *small, "--seed", 1, "--sample-from", "posterior")
        != first
    )


def test_the_segmentation_stays(generator, images, labels):
    """A segment's code changes the pixels of that segment, and no other pixel."""
    mean, log_variance = generator.posterior(images, labels)
    codes = draw_codes(mean, log_variance, samples=4, seed=0)
    segment, shown = 2, []
    for one in codes:
        mixed = mean.copy()
        mixed[:, segment] = 5 * one[:, segment]  # far enough to be seen in 8 bits
        shown.append(generator.decode(mixed, labels))
    changed = (np.stack(shown) != shown[0]).any(axis=(0, -1))
    assert changed.any()
    assert (labels[changed] == segment).all()


def test_each_pixel_is_from_the_decoder_of_its_segment(generator, images, labels):
    """Put together pixel by pixel, in NumPy."""
    mean, _ = generator.posterior(images, labels)
    decoded = generator._decoders(mean, training=False).numpy()
    found = generator.decode(mean, labels)
    for place in np.ndindex(labels.shape):
        image, y, x = place
        expected = decoded[image, labels[place], y, x] * 255
        assert np.abs(found[place] - expected).max() <= 0.5 + 1e-3


def test_what_is_rebuilt_is_what_training_compares(generator, images, labels):
    masks = np.eye(4, dtype=np.float32)[labels].transpose(0, 3, 1, 2)[..., None]
    rebuilt, *_ = generator._autoencoders(images[:, None] / 255 * masks)
    mean, _ = generator.posterior(images, labels)
    expected = (rebuilt.numpy() * masks).sum(axis=1) * 255
    found = generator.decode(mean, labels)
    assert np.abs(found - expected).max() <= 0.5 + 1e-3


def test_segments_are_those_of_the_segmenter(generator, images):
    logits = generator._predict.segmenter.predict(images / np.float32(255), verbose=0)
    np.testing.assert_array_equal(generator.segmentation(images), logits.argmax(-1))


def test_draws_are_of_prior_or_posterior():
    rng = np.random.default_rng(0)
    mean, log_variance = rng.normal(size=(2, 3, 2, 5))
    many = 4_000
    prior = draw_codes(mean, log_variance, many, seed=0)
    around = draw_codes(mean, log_variance, many, seed=0, around="posterior")
    assert prior.shape == (many, 3, 2, 5)
    deviation = np.exp(log_variance / 2)
    # 30 means and deviations each: five standard errors.
    np.testing.assert_allclose(prior.mean(0), 0, atol=5 / many**0.5)
    np.testing.assert_allclose(prior.std(0), 1, atol=5 / (2 * many) ** 0.5)
    error = np.abs(around.mean(0) - mean) / deviation
    assert error.max() < 5 / many**0.5
    np.testing.assert_allclose(around.std(0), deviation, rtol=5 / (2 * many) ** 0.5)


def test_a_draw_does_not_depend_on_how_many_there_are():
    nothing = np.zeros((4, 2, 3))
    many = draw_codes(nothing, nothing, samples=5, seed=9)
    few = draw_codes(nothing[:2], nothing[:2], samples=3, seed=9)
    np.testing.assert_array_equal(few, many[:3, :2])
    assert len(np.unique(many)) == many.size
    other = draw_codes(nothing, nothing, samples=5, seed=10)
    assert len(np.unique([many, other])) == 2 * many.size


def test_lengths_of_codes_by_hand():
    mean = np.zeros((2, 3, 2), np.float32)
    mean[0, 1] = 2.0  # 2 units of 2^2 / 2 nats in one image of two
    np.testing.assert_allclose(code_lengths(mean, 0 * mean), [0, 2, 0], atol=1e-6)


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("larger") / "fruit"
    draw(default_options(train=1, val=1, test=1, size=24, shards=1), folder)
    return folder


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere"], "nowhere: not a run folder"),
        (["RUN", "--images", "0"], "--images: expected at least 1, got 0"),
        (["RUN", "--samples", "0"], "--samples: expected at least 1, got 0"),
        (["RUN", "--seed", "-1"], "--seed: expected at least 0, got -1"),
        (["RUN", "--split", "tset"], "has no split 'tset'"),
        (["RUN", "--data", "LARGER"], "expected images of 16x16 pixels"),
        (["RUN", "--out", "FILE/a.png"], "--out "),
        (["CIRS"], "expected a run of air with air.variational=true"),
    ],
)
def test_bad_input_is_one_line(capsys, run, finished, larger, tmp_path, argv, message):
    file = tmp_path / "file"
    file.write_text("in the way")
    places = {"RUN": run.path, "LARGER": larger, "CIRS": finished, "FILE": file}
    for name, place in places.items():
        argv = [one.replace(name, str(place)) for one in argv]
    assert generate.main(argv) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_air_of_the_thesis_has_no_styles(capsys, air_command, tmp_path):
    run = str(tmp_path / "run")
    argv = ["--model", "air", "--run", run, *air_command, "--epochs", "1"]
    assert train.main([*argv, "--steps-per-epoch", "1"]) == 0
    capsys.readouterr()
    assert generate.main([run]) == 1
    error = capsys.readouterr().err.strip()
    assert error == (
        f"error: {run}: expected a run of air with air.variational=true (--config "
        "air_variational), got method air with air.variational=false"
    )
