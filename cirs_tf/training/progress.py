"""What a user sees of a run: the progress bar and the lines of the log."""

from collections.abc import Mapping, Sequence

from tqdm import tqdm

from cirs_tf.training.stages import Stage
from cirs_tf.training.validation import Validation


class ProgressBar:
    """A bar of images over the whole run, on a terminal; nothing elsewhere.

    Args:
        total_steps: Mini-batches of the run.
        batch_size: Images per mini-batch.
        step: Mini-batches done before.
        shown: Whether this process shows it at all.
    """

    def __init__(self, total_steps: int, batch_size: int, step: int, shown: bool):
        self._batch_size = batch_size
        self._bar = tqdm(
            total=total_steps * batch_size,
            initial=step * batch_size,
            unit="img",
            unit_scale=True,
            dynamic_ncols=True,
            disable=None if shown else True,  # None: only on a terminal
        )

    def __enter__(self) -> "ProgressBar":
        """Return itself."""
        return self

    def __exit__(self, *_) -> None:
        """Leave the bar as it stands."""
        self._bar.close()

    def advance(self, stage: str, terms: Mapping[str, float], steps: int) -> None:
        """Show that some mini-batches were done.

        Args:
            stage: What is being trained.
            terms: Loss terms and scores to show.
            steps: Mini-batches.
        """
        shown = " ".join(f"{name}={value:.3g}" for name, value in terms.items())
        self._bar.set_description_str(stage, refresh=False)
        self._bar.set_postfix_str(shown, refresh=False)
        self._bar.update(steps * self._batch_size)


def stage_line(
    stage: Stage, terms: Mapping[str, float], images_per_second: float
) -> str:
    """Return the log line of a finished pretraining phase.

    Args:
        stage: The phase.
        terms: Mean loss terms.
        images_per_second: Speed.
    """
    values = "  ".join(
        f"{name.rpartition('/')[2]} {value:.3g}" for name, value in terms.items()
    )
    return (
        f"{stage.name}: {stage.part_steps} mini-batches  {values}  "
        f"{images_per_second:.0f} images/s"
    )


def epoch_line(
    row: Mapping, validation: Validation, epochs: int | None, best: Sequence[str]
) -> str:
    """Return the log line of an epoch, or of the outcome where nothing is trained.

    Args:
        row: As in `metrics.jsonl`.
        validation: Outcome on the validation split.
        epochs: Epochs of the run; None: its method has no phases.
        best: Which checkpoints, `loss` and `oracle`, this epoch became.
    """
    train = " ".join(f"{name} {value:.3g}" for name, value in row["train"].items())
    line = (
        "outcome     " if epochs is None else f"epoch {row['epoch']}/{epochs}  {train}"
    )
    line += f"  val loss {validation.terms['loss']:.3g}"
    for name, value in validation.headline.items():
        line += f"  {name} {value:.3f}"
    if "segment_share" in row["validation"]:
        shares = row["validation"]["segment_share"]
        line += "  shares " + " ".join(f"{value:.2f}" for value in shares)
    if epochs is not None:
        line += f"  {row['images_per_second']:.0f} images/s"
    return line + (f"  best by {' and '.join(best)}" if best else "")
