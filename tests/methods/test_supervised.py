from command_line import set_flags

from cirs_tf import train
from cirs_tf.training.run_folder import RunFolder
from data_gen.draw_dataset import draw
from data_gen.options import default_options


def test_labels_teach_it_in_a_minute(tiny, tmp_path):
    """The ceiling must be far above what needs no labels, even for tiny networks."""
    options = default_options(
        train=64, val=16, test=0, size=16, shards=1, with_train_masks=True
    )
    draw(options, tmp_path / "data")
    argv = ["--model", "supervised", "--data", str(tmp_path / "data")]
    argv += [
        "--run",
        str(tmp_path / "run"),
        "--epochs",
        "1",
        "--steps-per-epoch",
        "200",
    ]
    argv += set_flags([*tiny, "segmenter.width=8", "training.learning_rate=0.01"])
    assert train.main(argv) == 0
    (row,) = RunFolder(tmp_path / "run").read_metrics()
    assert row["validation"]["miou"] > 0.6


def test_without_training_masks_it_says_how_to_draw_them(capsys, fruit, tiny, tmp_path):
    argv = ["--model", "supervised", "--data", str(fruit), *set_flags(tiny)]
    assert train.main([*argv, "--run", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err.strip()
    assert "split 'train' has no masks; draw it with --with-train-masks" in error
    assert "\n" not in error
