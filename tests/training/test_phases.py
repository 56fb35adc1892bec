from hypothesis import given
from hypothesis import strategies as st

from cirs_tf.training.phases import StepPlan, plan_steps

cycles = st.lists(st.integers(1, 7), min_size=1, max_size=3)


def phase_of_each_step(cycle, start, stop):
    """Brute force: write the cycle out and cut it."""
    once = [number for number, steps in enumerate(cycle) for _ in range(steps)]
    return (once * (stop // len(once) + 1))[start:stop]


def unroll(plan):
    once = [number for number, count in enumerate(plan.counts) for _ in range(count)]
    return once * plan.cycles


@given(cycles, st.integers(0, 60), st.integers(1, 60))
def test_plans_follow_the_cycle_from_any_step(cycle, step, length):
    limit = step + length
    done = []
    while step + len(done) < limit:
        plan = plan_steps(cycle, step + len(done), limit)
        assert plan.steps >= 1
        done += unroll(plan)
    assert done == phase_of_each_step(cycle, step, limit)


def test_whole_cycles_are_one_plan():
    assert plan_steps((1, 1), 0, 25) == StepPlan(12, (1, 1))
    assert plan_steps((5, 100), 0, 25) == StepPlan(1, (5, 20))
    assert plan_steps((5, 100), 25, 50) == StepPlan(1, (0, 25))
