"""The table that `cirs_tf.evaluate` prints."""

from collections.abc import Iterator

from cirs_tf.runs.evaluation import (
    CHECKPOINT_MEANING,
    NAMED_STEP,
    Evaluation,
    Outcome,
    single_segment_scores,
)


def evaluation_report(evaluation: Evaluation) -> str:
    """Return the scores of a run as text.

    Args:
        evaluation: From `evaluate_run`.
    """
    return "\n".join(_lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[str]:
    chosen = evaluation.chosen
    if chosen.scores is not None:
        yield from _score_lines(evaluation)
    if chosen.annotators is not None:
        yield from _annotator_lines(chosen)
    if chosen.scores is None and chosen.annotators is None:
        yield "no masks: nothing to compare with"
    shares = enumerate(chosen.segment_share)
    share = "  ".join(f"{segment}: {value:.1%}" for segment, value in shares)
    yield f"share of pixels in each segment   {share}"
    yield ""


def _score_lines(evaluation: Evaluation) -> Iterator[str]:
    scores, classes = evaluation.chosen.scores, evaluation.classes
    rows = [
        ("mIoU", scores.miou, "one assignment for the whole split"),
        (
            "mIoU, thesis",
            scores.miou_thesis,
            "best assignment in each image, thesis 5.1.2",
        ),
        ("pixel accuracy", scores.pixel_accuracy, "assignment of mIoU"),
        ("ARI", scores.ari, "adjusted Rand index, mean over images"),
        ("foreground ARI", scores.fg_ari, f"without {classes[0]}"),
    ]
    for title, value, meaning in rows:
        if value is not None:
            yield f"{title:16}{value:6.3f}   {meaning}"
    trivial = single_segment_scores(evaluation.split, len(classes)).miou
    yield f"{'':16}{trivial:6.3f}   for scale: the mIoU of one segment everywhere"
    yield ""
    yield f"{'class':16}{'IoU':>6}   segment"
    for name, iou, segment in zip(
        classes, scores.per_class_iou, scores.assignment, strict=True
    ):
        shown = "-" if iou is None else f"{iou:.3f}"
        yield f"{name:16}{shown:>6}   {segment if segment >= 0 else 'none'}"
    yield ""
    yield f"{'checkpoint':16}{'mIoU':>6}   {'step':>7}"
    mious = {name: outcome.scores.miou for name, outcome in evaluation.outcomes.items()}
    for name, miou in mious.items():
        how = CHECKPOINT_MEANING.get(name, NAMED_STEP)
        step = evaluation.outcomes[name].step
        yield f"{name:16}{miou:6.3f}   {step:7}   {how}"
    if {"loss", "oracle"} <= mious.keys():
        gap = mious["oracle"] - mious["loss"]
        yield f"{'oracle - loss':16}{gap:+6.3f}   what choosing by labels would add"
    yield ""


def _annotator_lines(outcome: Outcome) -> Iterator[str]:
    scales = outcome.scales
    columns = outcome.annotators | {"ODS": scales.ods, "OIS": scales.ois}
    yield f"{'':22}{''.join(f'{name:>9}' for name in columns)}"
    for title, key, meaning in (
        ("segmentation covering", "covering", "1 is best"),
        ("probabilistic Rand", "probabilistic_rand", "1 is best"),
        ("variation of inform.", "variation_of_information", "bits, 0 is best"),
    ):
        values = "".join(f"{getattr(kind, key):9.3f}" for kind in columns.values())
        yield f"{title:22}{values}   {meaning}"
    yield "against all annotators of each image; regions: connected parts of segments"
    yield "ODS, OIS: small regions merged, up to the size that scores best by these"
    yield "annotations; ODS: one size for all images, OIS: one per image"
    sizes = scales.ods_min_region_size
    yield (
        f"ODS sizes in pixels (0: none merged): {sizes['covering']:,} for covering, "
        f"{sizes['probabilistic_rand']:,} for Rand, "
        f"{sizes['variation_of_information']:,} for variation"
    )
    yield ""
