"""How long Ctrl-C takes to be answered, in the middle of a long kernel. To be reached: 0.1 s."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from contenders import to_comparisons
from generators import arena, ladder, sparse_games

from steelyard.rank import bradley_terry

CALLS = {
    "zermelo on the ladder": lambda: bradley_terry(
        to_comparisons(ladder()), solver="zermelo", max_iter=10**9
    ),
    "newman on the sparse games": lambda: bradley_terry(
        to_comparisons(sparse_games()), prior=1, solver="newman", tol=1e-300, max_iter=10**9
    ),
    "bootstrap of the arena": lambda: bradley_terry(to_comparisons(arena())).bootstrap(10**5, rng=0),
    "bootstrap of the sparse games": lambda: bradley_terry(to_comparisons(sparse_games())).bootstrap(
        300, rng=0
    ),
}


def answer_time(call) -> float:
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(1.0, send)
    timer.start()
    try:
        call()
    except KeyboardInterrupt as error:
        if error.partial is None:
            raise AssertionError("nothing was kept") from error
        return time.perf_counter() - sent[0]
    raise AssertionError("the call ended before Ctrl-C")


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c(benchmark, name):
    times: list[float] = []
    benchmark.group = "Ctrl-C"
    benchmark.pedantic(lambda: times.append(answer_time(CALLS[name])), rounds=3, iterations=1)
    benchmark.extra_info["answered after"] = f"{np.max(times) * 1e3:.0f} ms at most"
