import numpy as np
import tensorflow as tf
from command_line import set_flags
from sklearn.metrics import log_loss
from tiny_methods import tiny_config

from cirs_tf import train
from cirs_tf.methods.supervised import Supervised
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options

SMALL = (
    "segmenter.width=8",
    "segmenter.depth=1",
    "training.strategy=single",
    "training.batch_size=8",
    "training.learning_rate=0.01",
)


def test_labels_teach_it_in_a_minute(tmp_path):
    """The ceiling must be far above what needs no labels, even for tiny networks."""
    options = default_options(
        train=64, val=16, test=0, size=16, shards=1, with_train_masks=True
    )
    draw(options, tmp_path / "data")
    argv = ["--model", "supervised", "--data", str(tmp_path / "data")]
    argv += ["--run", str(tmp_path / "run"), "--epochs", "1"]
    assert train.main([*argv, "--steps-per-epoch", "200", *set_flags(SMALL)]) == 0
    (row,) = RunFolder(tmp_path / "run").read_metrics()
    assert row["validation"]["miou"] > 0.6


def test_without_training_masks_it_says_how_to_draw_them(capsys, fruit, tmp_path):
    argv = ["--model", "supervised", "--data", str(fruit), *set_flags(SMALL)]
    assert train.main([*argv, "--run", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err.strip()
    assert "split 'train' has no masks; draw it with --with-train-masks" in error
    assert "\n" not in error


def test_the_loss_is_the_cross_entropy_with_dropout_in_training_alone(tiny):
    method = Supervised(
        tiny_config(tiny, "supervised", "segmenter.dropout=0.5"), 16, 16
    )
    rng = np.random.default_rng(0)
    images = rng.random((2, 16, 16, 3)).astype(np.float32)
    masks = rng.integers(0, 4, (2, 16, 16))
    batch = {"image": tf.constant(images), "mask": tf.constant(masks, tf.uint8)}
    logits = method.segmenter(images, training=False).numpy().astype(float)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    loss = method.validation_terms(batch)["loss"].numpy()
    for image, mask, value in zip(softmax, masks, loss, strict=True):
        expected = log_loss(mask.ravel(), image.reshape(-1, 4), labels=range(4))
        np.testing.assert_allclose(value, expected, rtol=1e-5)
    (phase,) = method.phases
    first, second = (phase.loss(batch)["loss"].numpy() for _ in range(2))
    assert (first != second).all()
