"""Several Python threads on one object. Kernels run without the GIL; ThreadSanitizer watches them here."""

from __future__ import annotations

import pickle
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from steelyard import datasets, metric, rank, select, weigh

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


def covariance():
    return ranked().covariance()


def plackett_luce():
    rng = np.random.default_rng(4)
    return rank.plackett_luce([rng.permutation(8)[:5].tolist() for _ in range(60)], prior=1)


def teams():
    rng = np.random.default_rng(5)
    sides = [rng.permutation(10)[:4].tolist() for _ in range(80)]
    won = rng.choice([-1, 1], 80)
    return rank.team_strengths([side[:2] for side in sides], [side[2:] for side in sides], won, prior=1)


def answers():
    return rank.irt(np.random.default_rng(6).integers(0, 2, (80, 6)))


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
    "a covariance": (
        covariance,
        [lambda c: c.standard_errors, lambda c: c.contrast_errors(), lambda c: c.to_frame()["item"]],
    ),
    "a fit of rankings": (
        plackett_luce,
        [
            lambda f: f.standard_errors(),
            lambda f: f.covariance().matrix,
            lambda f: f.rank_intervals(rng=0).upper,
        ],
    ),
    "a fit of teams": (
        teams,
        [
            lambda f: f.standard_errors(),
            lambda f: f.covariance().matrix,
            lambda f: f.rank_intervals(rng=0).upper,
        ],
    ),
    "a fit of answers": (
        answers,
        [lambda f: f.item_errors()["difficulty"], lambda f: f.information([0.0, 1.0])],
    ),
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


PICKLED = pickle.dumps(games())
READERS = {
    "llmfao": lambda: datasets.load_llmfao().comparisons().items,
    "iris": lambda: datasets.load_iris().points(),
    "a pickle": lambda: pickle.loads(PICKLED).items,
}


@pytest.mark.parametrize("what", READERS)
def test_threads_that_read_the_same_data_get_the_same(what):
    read = READERS[what]
    right = read()
    for answer in together(read)[0]:
        np.testing.assert_array_equal(answer, right)


def test_a_python_without_the_gil_stays_so():
    """A module that did not say so would turn the GIL on as it is imported, with a warning."""
    code = """
import sys, steelyard
from steelyard import metric, rank, select, weigh
steelyard.build_info(load_blas=True)
rank.bradley_terry(rank.Comparisons.from_pairs(["a", "b"], ["b", "a"]))
print(getattr(sys, "_is_gil_enabled", lambda: True)())
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    without = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert run.stdout.strip() == str(not without)
