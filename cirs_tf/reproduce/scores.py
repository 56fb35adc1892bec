"""What each finished run scored, and how long it took."""

import json

import keras

from cirs_tf.runs.evaluation import evaluate_run, write_json
from cirs_tf.runs.queue import Run
from cirs_tf.training.run_folder import RunFolder


def scores_of(run: Run) -> dict:
    """Return the scores of a finished run on the test split, by checkpoint.

    They are computed once and kept in `RUN/eval/test.json`.

    Returns:
        `loss`, `oracle` and `last`: `step`, `miou` and `miou_thesis`.
    """
    folder = RunFolder.open(run.folder)
    file = folder.evaluation / "test.json"
    trained = (folder.checkpoints / "checkpoints.json").stat().st_mtime
    if not file.exists() or file.stat().st_mtime < trained:
        print(f"evaluating {run.folder}")
        found = evaluate_run(folder, "test", run.config.data)
        write_json(file, found.as_json())
        found.picture().save(folder.evaluation / "test.png")
        keras.backend.clear_session()
    return json.loads(file.read_text())["by_checkpoint"]


def seconds_of(run: Run) -> float:
    """Return the seconds that a run's training mini-batches took, validation aside."""
    rows = RunFolder.open(run.folder).read_metrics()
    size = run.config.training.batch_size
    steps = [row["step"] for row in rows]
    done = zip(rows, [0, *steps[:-1]], steps, strict=True)
    return sum(
        (end - start) * size / row["images_per_second"] for row, start, end in done
    )
