"""Scores of the bottleneck autoencoders (thesis 9.1, table 4)."""

from collections.abc import Sequence

import numpy as np

from cirs_tf.reproduce.plan import Plan
from cirs_tf.reproduce.row_facts import row_facts
from cirs_tf.training.run_folder import RunFolder


def autoencoder_scores(plan: Plan, systems: Sequence[str]) -> dict:
    """Return the lowest alpha_2 term over the epochs, in three forms, by system.

        term = sum_k |mean code of class k - mean over k|^2

    Args:
        plan: Its runs are finished.
        systems: Names of the autoencoders' systems.

    Returns:
        For each system `row_facts` and `bottleneck`; `lowest`, the term itself, in
        `lowest_epoch`; `lowest_per_unit`, divided by the bottleneck; `lowest_share`,
        divided by the variance of the codes in the same epoch; `last`, the term after
        the last epoch; `validation_error`.
    """
    return {name: _scores(plan, name) for name in systems}


def _scores(plan: Plan, system: str) -> dict:
    planned = plan.runs_of(system)[0]
    rows = RunFolder.open(planned.folder).read_metrics()
    epochs = [row["validation"] for row in rows]
    terms = [epoch["class_distance"] for epoch in epochs]
    lowest = int(np.argmin(terms))
    bottleneck = planned.config.autoencoder.bottleneck
    return row_facts(plan, system) | {
        "bottleneck": bottleneck,
        "lowest": terms[lowest],
        "lowest_per_unit": terms[lowest] / bottleneck,
        "lowest_epoch": lowest + 1,
        "last": terms[-1],
        "lowest_share": min(
            epoch["class_distance"] / epoch["code_variance"] for epoch in epochs
        ),
        "validation_error": epochs[-1]["loss"],
    }
