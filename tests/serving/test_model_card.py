"""What an exported model says about itself."""

import json

import pytest

from cirs_tf.errors import ConfigError, DataError
from cirs_tf.serving.model_card import ModelCard

CARD = ModelCard(
    48,
    64,
    2,
    method="cirs",
    run="fruit",
    checkpoint="loss",
    step=120,
    classes=("sky", "apple"),
    validation={"loss": -1.5, "segment_share": [0.75, 0.25]},
)


def test_it_is_written_with_names_and_colors():
    facts = json.loads(CARD.as_json())
    assert facts["format"] == 1
    assert facts["segments"] == [
        {"name": "segment 0", "color": [86, 180, 233]},
        {"name": "segment 1", "color": [240, 228, 66]},
    ]
    assert (facts["height"], facts["width"], facts["step"]) == (48, 64, 120)
    assert facts["validation"]["segment_share"] == [0.75, 0.25]


def test_what_is_written_is_read():
    named = ModelCard(48, 64, 2, ("sky", "pomme \u00e0 cidre"), classes=("a", "b"))
    assert ModelCard.from_json(named.as_json(), "here") == named
    assert ModelCard.from_json(CARD.as_json(), "here").num_segments == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "damaged description"),
        ("[]", "damaged description"),
        ('{"format": 1}', "damaged description"),
        (CARD.as_json().replace('"height"', '"hight"'), "damaged description"),
        (
            CARD.as_json().replace('"format": 1', '"format": 2, "new": 3'),
            "of format 2;",
        ),
    ],
)
def test_what_is_no_card_is_one_line(text, message):
    with pytest.raises(DataError, match=f"^here: .*{message}"):
        ModelCard.from_json(text, "here")


def test_every_segment_has_a_name_or_none_has():
    with pytest.raises(ConfigError, match="names: expected 3, .* got 2"):
        ModelCard(8, 8, 3, ("a", "b"))
