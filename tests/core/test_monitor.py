"""Ctrl-C and progress."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

import steelyard
from steelyard import _core
from steelyard._errors import interrupted

pytestmark = [pytest.mark.smoke, pytest.mark.serial]


def wait_then_tell(n_threads):
    """A kernel that stops early returns what it has; the wrapper raises."""
    complete, done = _core.testing._busy(20.0, n_threads)
    if not complete:
        raise interrupted(done)


def add_distances(n_threads):
    points = np.zeros((60_000, 30))
    _core.testing._exp_distance_sums(points, points, 1.0, n_threads)


def add_few_long_rows():
    """One chunk is far longer than 0.1 s: the stop must come from inside it."""
    _core.testing._exp_distance_sums(np.zeros((16, 200)), np.zeros((400_000, 200)), 1.0)


def factor_large(size):
    """Again and again, since one factorisation may end before the signal."""
    steelyard.build_info(load_blas=True)
    matrix = np.eye(size)
    while True:
        _core.linalg._cholesky_large(matrix)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_a_kernel_and_hands_over_what_was_done(n_threads, ctrl_c):
    hit = ctrl_c(wait_then_tell, n_threads, after=0.1)
    assert hit.raised
    assert 0 < hit.partial < 20_000
    assert hit.seconds < 1


@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_distances(n_threads, ctrl_c):
    hit = ctrl_c(add_distances, n_threads)
    assert hit.raised
    assert hit.partial is None
    assert hit.seconds < 1


def test_ctrl_c_ends_a_large_factorisation(ctrl_c):
    hit = ctrl_c(factor_large, 3000, after=0.8)
    assert hit.raised
    assert hit.partial is None
    assert hit.seconds < 1


def test_other_signal_handlers_run_and_their_exceptions_pass_through():
    def handler(*_):
        raise LookupError("alarm")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(LookupError, match="alarm"):
            _core.testing._busy(20.0, 2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_handler_that_raises_nothing_stops_nothing():
    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert _core.testing._busy(0.2, 2) == (True, 200)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert calls == [1]


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_progress_rises_and_stays_on_the_calling_thread(n_threads):
    seen = []

    def progress(done, total):
        seen.append((done, total, threading.get_ident()))

    assert _core.testing._busy(0.4, n_threads, progress) == (True, 400)
    assert seen
    assert all(total == 400 and thread == threading.get_ident() for _, total, thread in seen)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_exception_of_the_callback_arrives_and_the_next_call_works(n_threads):
    def progress(done, total):
        raise LookupError("callback")

    with pytest.raises(LookupError, match="callback"):
        _core.testing._busy(5.0, n_threads, progress)
    assert _core.testing._busy(0.02, n_threads) == (True, 20)


def test_a_thread_that_is_not_the_main_one_may_call_kernels():
    answers = []
    thread = threading.Thread(target=lambda: answers.append(_core.testing._busy(0.05, 2)))
    thread.start()
    thread.join()
    assert answers == [(True, 50)]


def test_interrupted_carries_the_result():
    error = interrupted(42)
    assert isinstance(error, KeyboardInterrupt)
    assert error.partial == 42
    assert ".partial" in str(error)
