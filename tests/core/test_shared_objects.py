"""Several Python threads on one object. Kernels run without the GIL; ThreadSanitizer watches them here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from steelyard import metric, rank, select, weigh

pytestmark = pytest.mark.smoke

THREADS = 4


def together(*calls):
    """The answers of every call from THREADS threads each; all start at once, before anything is cached."""
    start = Barrier(THREADS * len(calls))

    def run(call):
        start.wait()
        return call()

    with ThreadPoolExecutor(THREADS * len(calls)) as pool:
        asked = [[pool.submit(run, call) for _ in range(THREADS)] for call in calls]
        return [[one.result() for one in row] for row in asked]


def votes():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 12, 600)
    second = (first + rng.integers(1, 12, 600)) % 12
    return first, second, rng.integers(0, 4, 600)


def games():
    first, second, time = votes()
    return rank.Comparisons.from_pairs(first, second, time=time)


def ranked():
    return rank.bradley_terry(games(), prior=1)


def graded():
    first, second, time = votes()
    outcomes = np.array(["win", "tie", "loss"])[time % 3]
    return rank.GradedComparisons.from_grades(first, second, outcomes, levels=["win", "tie", "loss"])


def history():
    return rank.whole_history(games(), volatility=0.1)


def points():
    return np.random.default_rng(1).normal(size=(60, 3))


def model():
    return weigh.WeightingModel(points(), scale=1.0)


def distances():
    d = np.random.default_rng(2).exponential(size=(20, 20))
    return np.triu(d, 1) + np.triu(d, 1).T


SHARED = {
    "a table of comparisons": (
        games,
        [
            lambda g: rank.bradley_terry(g, prior=1).strengths,
            lambda g: rank.bradley_terry(g, prior=1, ties="drop").strengths,
            lambda g: g.components().strong,
        ],
    ),
    "a fit": (
        ranked,
        [
            lambda f: f.standard_errors(),
            lambda f: f.rank_intervals(rng=0).upper,
            lambda f: f.bootstrap(20, rng=0).strengths,
            lambda f: f.contrast(3, 4).estimate,
        ],
    ),
    "graded comparisons": (graded, [lambda g: rank.graded(g, prior=1).strengths]),
    "a history": (history, [lambda h: h.to_frame()["standard_error"], lambda h: h.standard_errors]),
    "a weighting model": (model, [lambda m: m.weights, lambda m: m.magnitude]),
    "points": (
        points,
        [
            lambda x: weigh.weighting(x, scale=1.0).weights,
            lambda x: weigh.spread(x, scale=1.0),
            lambda x: select.kmeans_plusplus(x, 5, rng=0).indices,
        ],
    ),
    "a dissimilarity": (
        distances,
        [lambda d: metric.nearest_metric(d).distances, lambda d: metric.violations(d).total],
    ),
}


@pytest.mark.parametrize("what", SHARED)
def test_threads_that_share_an_object_get_the_answers_of_one(what):
    make, calls = SHARED[what]
    expected = [call(make()) for call in calls]
    shared = make()
    for answers, right in zip(together(*[lambda c=c: c(shared) for c in calls]), expected, strict=True):
        for answer in answers:
            np.testing.assert_array_equal(answer, right)
