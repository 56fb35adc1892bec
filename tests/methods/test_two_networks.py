import keras
import numpy as np

from cirs_tf.methods.two_networks import two_network_phases


def build(schedule):
    first, second, third = (keras.Variable(np.ones(2)) for _ in range(3))
    variables = {"segmenter": [first], "feature_net": [second, third]}
    phases = two_network_phases(
        loss=dict,
        terms=("loss", "within"),
        variables=variables,
        schedule=schedule,
        steps=(5, 100),
        make_optimizer=lambda updated: [id(variable) for variable in updated],
    )
    return phases, [id(first), id(second), id(third)]


def test_in_turns_each_network_has_its_own_variables_and_steps():
    phases, (first, second, third) = build("alternating")
    named = [(phase.name, phase.steps, phase.optimizer) for phase in phases]
    assert named == [
        ("segmenter", 5, [first]),
        ("feature_net", 100, [second, third]),
    ]
    assert [phase.terms for phase in phases] == [("loss", "within")] * 2


def test_jointly_both_are_updated_in_one_step():
    (phase,), everything = build("joint")
    assert (phase.name, phase.steps) == ("joint", 1)
    assert phase.optimizer == [id(v) for v in phase.variables] == everything
