import threading
import time

import pytest

from data_gen.ordered_pool import map_in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    def slow_square(value):
        time.sleep(0.02 * (value % 3 == 0))  # later ones finish earlier
        return value**2

    assert list(map_in_order(slow_square, range(40), workers)) == [
        value**2 for value in range(40)
    ]


def test_only_a_few_results_wait_to_be_taken():
    taken = []

    def items():
        for value in range(1000):
            taken.append(value)
            yield value

    results = map_in_order(str, items(), 2)
    next(results)
    assert len(taken) < 20
    results.close()


def test_an_error_is_raised_at_its_place():
    results = map_in_order(lambda value: 1 // value, [1, 1, 0, 1], 2)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_threads_end_when_the_generator_is_closed():
    before = threading.active_count()
    results = map_in_order(str, range(1000), 3)
    next(results)
    assert threading.active_count() > before
    results.close()
    assert threading.active_count() == before
