"""Table 4, from scores written by hand."""

from markdown_rows import rows_of

from cirs_tf.reproduce.autoencoder_table import autoencoder_values


def autoencoder(bottleneck, lowest, per_unit, share):
    return {
        "bottleneck": bottleneck,
        "lowest": lowest,
        "lowest_per_unit": per_unit,
        "lowest_epoch": 3,
        "last": 2 * lowest,
        "lowest_share": share,
        "validation_error": 0.04,
        "thesis": 6.5e-4,
        "epochs": 50,
        "seeds": [7],
    }


def test_what_the_thesis_finds_is_looked_for_in_each_form():
    scores = {
        "b": autoencoder(12, lowest=2.0, per_unit=0.5, share=0.7),
        "a": autoencoder(192, lowest=1.0, per_unit=0.25, share=0.7),
        "c": autoencoder(48, lowest=4.0, per_unit=0.3, share=0.7),
    }
    values = autoencoder_values({"autoencoders": scores})
    holds = [values[f"{form}_holds"] for form in ("summed", "per_unit", "share")]
    assert holds == ["does not hold", "holds", "does not hold"]
    ratios = [values[f"{form}_ratio"] for form in ("summed", "per_unit", "share")]
    assert ratios == ["4", "2", "1"]
    assert rows_of(values["table"])[0] == [
        "12",
        "2",
        "0.5",
        "3",
        "0.700",
        "4",
        "0.0400",
        "0.00065",
    ]
    assert (values["epochs"], values["seed"]) == ("50", "7")
