"""Two-parameter item response beside girth (twopl_mml, its defaults), one thread, and of larger tables.

Simulated: log a ~ N(0, .4^2), intercepts and abilities standard normal. Three starts and the certificate are
in the time; ``extra_info`` has the error of log a beside it.
"""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.rank import irt


def table(persons, items):
    rng = np.random.default_rng(0)
    a, c, theta = np.exp(0.4 * rng.normal(size=items)), rng.normal(size=items), rng.normal(size=persons)
    return (rng.random((persons, items)) < 1 / (1 + np.exp(-(theta[:, None] * a + c)))).astype(np.uint8), a


@pytest.mark.parametrize("who", ["steelyard", "girth"])
def test_a_thousand_persons_and_sixty_items(benchmark, who):
    answers, a = table(1000, 60)
    if who == "steelyard":
        found = benchmark(lambda: irt(answers, n_threads=1)).discriminations
    else:
        peer = pytest.importorskip("girth")
        found = benchmark.pedantic(lambda: peer.twopl_mml(answers.T.astype(int)), rounds=1)["Discrimination"]
    benchmark.extra_info["error_of_log_a"] = float(np.std(np.log(found) - np.log(a)))


def test_two_thousand_persons_and_items(benchmark):
    answers, a = table(2000, 2000)
    fit = benchmark.pedantic(lambda: irt(answers, n_threads=2), rounds=1)
    benchmark.extra_info["error_of_log_a"] = float(np.std(np.log(fit.discriminations) - np.log(a)))
    benchmark.extra_info.update(error_bound=fit.info.error_bound, node_change=fit.node_change)
