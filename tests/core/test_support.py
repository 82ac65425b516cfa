"""The shared fixtures must fail when they should: each is shown an offender."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest

from steelyard import _core
from steelyard._errors import interrupted
from support import hostile, process, turns
from support.isa import LEVELS

pytestmark = pytest.mark.smoke


def isa_of_process():
    return os.environ["STEELYARD_ISA"]


def sleep_then_raise():
    try:
        time.sleep(30)
    except KeyboardInterrupt:
        raise interrupted("so far") from None


def sleep_without_partial():
    time.sleep(30)


def do_nothing():
    return None


def raise_value_error():
    raise ValueError("on purpose")


def test_each_level_runs_in_its_own_process(isa_level, on_isa):
    assert on_isa(isa_level, isa_of_process) == isa_level


def test_base_always_runs():
    assert LEVELS[0] == "base"


def test_answers_that_depend_on_threads_are_caught(equal_over_threads):
    assert equal_over_threads(lambda n: (1.0, [np.arange(3)])) is not None
    with pytest.raises(AssertionError, match="threads differ"):
        equal_over_threads(lambda n: np.array([n]))
    with pytest.raises(AssertionError, match="threads differ"):
        equal_over_threads(lambda n: 0.0 if n == 1 else -0.0)


def test_a_forked_child_works_answers_and_reports_errors(in_fork):
    assert in_fork(_core.testing._busy, 0.01, 2) == (True, 10)
    with pytest.raises(AssertionError, match="on purpose"):
        in_fork(raise_value_error)


def test_a_hanging_child_is_reported(in_fork):
    with pytest.raises(TimeoutError, match="hangs"):
        in_fork(time.sleep, 60, timeout=0.2)


def test_ctrl_c_is_measured_and_its_partial_result_handed_over(ctrl_c):
    hit = ctrl_c(sleep_then_raise, after=0.05)
    assert hit.raised
    assert hit.has_partial
    assert hit.partial == "so far"
    assert 0 <= hit.seconds < 1


def test_ctrl_c_without_partial_result_or_without_interrupt_is_told_apart(ctrl_c):
    assert not ctrl_c(sleep_without_partial, after=0.05).has_partial
    assert not ctrl_c(do_nothing).raised


def die():
    os.abort()


def process_numbers():
    return os.getppid(), os.getpid()


def test_errors_elsewhere_come_back():
    with pytest.raises(AssertionError, match="on purpose"):
        process.call_elsewhere(raise_value_error)
    with pytest.raises(AssertionError, match="on purpose"):
        process.call_in_copy(raise_value_error, loads=__file__)
    with pytest.raises(AssertionError, match="exit code -6"):
        process.call_in_copy(die, loads=__file__)


def test_each_copy_is_a_process_of_its_own():
    (first, a), (second, b) = (process.call_in_copy(process_numbers, loads=__file__) for _ in range(2))
    assert first == second
    assert len({first, a, b, os.getpid()}) == 4


def test_who_must_be_alone_waits_for_others_and_keeps_them_out(tmp_path):
    seen = []

    def enter(alone):
        with turns.turn(tmp_path, alone=alone):
            seen.append(alone)

    with turns.turn(tmp_path, alone=False):
        enter(False)
        first = threading.Thread(target=enter, args=(True,))
        first.start()
        first.join(0.1)
        second = threading.Thread(target=enter, args=(False,))
        second.start()
        second.join(0.1)
        assert seen == [False]
    first.join()
    second.join()
    assert sorted(seen) == [False, False, True]


def test_an_altered_input_is_caught():
    def alters(values):
        total = float(np.sum(values))
        values[0] = 7
        return total

    with pytest.raises(AssertionError, match="altered"):
        hostile.check_same(alters, np.ones(5), hostile.VALID[0])


def test_a_message_without_the_argument_is_caught():
    def refuses(values):
        raise ValueError("bad input")

    with pytest.raises(AssertionError):
        hostile.check_refused(refuses, np.ones(5), hostile.INVALID[0], "values")
    with pytest.raises(pytest.fail.Exception):
        hostile.check_refused(np.size, np.ones(5), hostile.INVALID[0], "values")
