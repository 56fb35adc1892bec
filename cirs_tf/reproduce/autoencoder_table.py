"""Table 4: the alpha_2 term of bottleneck autoencoders, in three forms."""

from cirs_tf.reproduce.markdown import table
from cirs_tf.reproduce.tables import Values

# What the thesis finds: the smaller the bottleneck, the larger the term.
_FORMS = {
    "summed": "lowest",
    "per_unit": "lowest_per_unit",
    "share": "lowest_share",
}


def autoencoder_values(results: dict) -> Values:
    """Return `table`: a row per bottleneck.

    Returns:
        `table`, `epochs`, `seed`; for each form (`summed`, `per_unit`, `share`)
        `FORM_holds`: whether the term grows as the bottleneck shrinks, and
        `FORM_ratio`: the largest term by the smallest.
    """
    scores = list(results["autoencoders"].values())
    header = (
        "b",
        "lowest, summed",
        "lowest, per unit",
        "in epoch",
        "lowest, share",
        "last, summed",
        "validation error",
        "thesis",
    )
    rows = [
        (
            str(row["bottleneck"]),
            f"{row['lowest']:.3g}",
            f"{row['lowest_per_unit']:.3g}",
            str(row["lowest_epoch"]),
            f"{row['lowest_share']:.3f}",
            f"{row['last']:.3g}",
            f"{row['validation_error']:.4f}",
            f"{row['thesis']:.2g}",
        )
        for row in scores
    ]
    values = {
        "table": table(header, rows),
        "epochs": str(scores[0]["epochs"]),
        "seed": str(scores[0]["seeds"][0]),
    }
    by_bottleneck = sorted(scores, key=lambda row: -row["bottleneck"])
    for form, key in _FORMS.items():
        terms = [row[key] for row in by_bottleneck]
        holds = all(a < b for a, b in zip(terms, terms[1:], strict=False))
        values[f"{form}_holds"] = "holds" if holds else "does not hold"
        values[f"{form}_ratio"] = f"{max(terms) / min(terms):.3g}"
    return values
