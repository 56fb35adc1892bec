"""The one-dimensional proof, against what thesis 4 and 12.1 say."""

from cirs_tf.reproduce.proof_scores import proof_scores


def test_cross_instance_keeps_objects_whole_and_color_does_not():
    scores = proof_scores()
    assert scores["images"] == ["112200", "011220", "001122"]
    assert scores["color"] == ["11|22|00"] * 3
    assert scores["cross_instance"] == ["1122|00"] * 3
    assert scores["patterns"] == [{"pattern": "1122", "images": 3}]
