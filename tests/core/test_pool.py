"""The thread pool: fixed chunks, fork, exceptions, Ctrl-C, use from several Python threads."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steelyard
from steelyard import _core
from support import hostile

pytestmark = [pytest.mark.smoke, pytest.mark.serial]


def chunked(values, grain):
    """What any number of threads must give: chunks summed from the left, then added from the left."""
    sums = [float(np.add.accumulate(values[k : k + grain])[-1]) for k in range(0, len(values), grain)]
    total = 0.0
    for part in sums:
        total += part
    return total


def work_with_two_threads():
    values = np.random.default_rng(5).normal(size=10_000)
    return _core.testing._busy(0.02, 2), _core.testing._parallel_sum(values, 2, 100)


def default_threads():
    return steelyard.build_info()["threads"]


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10, 11, 99, 100, 101, 4096, 10_007])
@pytest.mark.parametrize("grain", [1, 10, 100, 1000])
def test_sums_are_those_of_fixed_chunks_for_any_number_of_threads(size, grain, equal_over_threads):
    rng = np.random.default_rng(size)
    values = rng.normal(size=size) * 10.0 ** rng.integers(-8, 8, size)
    assert equal_over_threads(lambda n: _core.testing._parallel_sum(values, n, grain)) == chunked(
        values, grain
    )


@given(st.integers(0, 400), st.integers(1, 50), st.integers(1, 6))
def test_every_item_is_visited_once(size, grain, n_threads):
    assert _core.testing._parallel_sum(np.ones(size), n_threads, grain) == size


def test_nothing_to_do_is_done():
    assert _core.testing._parallel_sum(np.zeros(0), 2) == 0.0
    assert _core.testing._busy(0.0, 2) == (True, 0)


def test_a_forked_child_of_a_busy_parent_works_with_threads_too(in_fork):
    expected = work_with_two_threads()
    for _ in range(3):
        assert in_fork(work_with_two_threads) == expected
    assert work_with_two_threads() == expected


def test_a_child_of_a_forked_child_works(in_fork):
    from support.fork import in_fork as nested

    assert in_fork(nested, work_with_two_threads) == work_with_two_threads()


def test_a_fork_while_another_thread_holds_the_pool_gives_the_child_a_free_pool(in_fork):
    holder = threading.Thread(target=_core.testing._busy, args=(0.4, 2))
    holder.start()
    try:
        assert in_fork(_core.testing._busy, 0.02, 2) == (True, 20)
    finally:
        holder.join()


def test_python_threads_share_the_pool_without_changing_the_answer():
    values = np.random.default_rng(7).normal(size=50_000)
    expected = chunked(values, 100)
    answers = []

    def work():
        answers.extend(_core.testing._parallel_sum(values, 2, 100) for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 120


def test_the_gil_is_released_while_a_kernel_runs():
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(1)

    ticker = threading.Thread(target=tick)
    ticker.start()
    _core.testing._busy(0.2, 1)
    stop.set()
    ticker.join()
    assert len(ticks) >= 3


def test_the_default_follows_the_environment(monkeypatch):
    monkeypatch.setenv("STEELYARD_NUM_THREADS", "3")
    assert default_threads() == 3
    for useless in ("", "0", "-1", "many"):
        monkeypatch.setenv("STEELYARD_NUM_THREADS", useless)
        assert default_threads() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID, without={"longdouble", "unmasked"}))
def test_the_boundary_takes_any_layout(variant):
    hostile.check_same(
        lambda values: _core.testing._parallel_sum(values, 2, 5), np.arange(2.0 * 3 * 4) % 2, variant
    )


CHECKED_BY_THE_WRAPPER = {"nan", "inf", "minus-inf", "masked", "scalar", "empty"}


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without=CHECKED_BY_THE_WRAPPER))
def test_the_boundary_refuses_what_numpy_would_not_cast_safely(variant):
    hostile.check_refused(_core.testing._parallel_sum, np.ones(6), variant, "values")


def test_the_boundary_refuses_long_doubles_and_scalars():
    for values in (np.ones(3, np.longdouble), np.float64(1.0)):
        with pytest.raises((TypeError, ValueError)):
            _core.testing._parallel_sum(values)
