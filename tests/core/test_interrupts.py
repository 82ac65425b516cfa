"""A KeyboardInterrupt in Python code that a solver calls is Ctrl-C like any other."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from steelyard import _core, metric, rank, select, weigh


def stop(*_):
    raise KeyboardInterrupt


def ctrl_c_now(*_):
    """The real signal, whose handler raises in the middle of the callback."""
    signal.raise_signal(signal.SIGINT)
    sum(range(1000))


def games(n=60):
    rng = np.random.default_rng(0)
    first = rng.integers(0, n, 2000)
    second = (first + rng.integers(1, n, 2000)) % n
    return rank.Comparisons.from_pairs(first, second, time=rng.integers(0, 5, 2000))


def dissimilarities(share=0.0):
    rng = np.random.default_rng(0)
    d = rng.exponential(size=40 * 39 // 2) ** 2
    d[39:][rng.random(len(d) - 39) < share] = np.nan
    return d


def tries():
    rng = np.random.default_rng(0)
    values = {"climber": rng.integers(0, 3, 200), "grade": rng.integers(14, 23, 200)}
    return {**values, "time": rng.integers(0, 4, 200), "sent": rng.random(200) < 0.5}


def points(n=60):
    return np.random.default_rng(0).normal(size=(n, 2))


def grades():
    return rank.GradedComparisons.from_grades(
        ["a", "b", "a"], ["b", "c", "c"], ["win", "tie", "loss"], levels=["win", "tie", "loss"]
    )


def signed():
    S = np.sign(np.random.default_rng(0).normal(size=(30, 30)))
    return np.triu(S, 1) + np.triu(S, 1).T


CALLS = {
    "bradley_terry": (rank.BradleyTerryFit, lambda p: rank.bradley_terry(games(), prior=1, progress=p)),
    "newman": (
        rank.BradleyTerryFit,
        lambda p: rank.bradley_terry(games(), prior=1, solver="newman", progress=p),
    ),
    "bootstrap": (
        rank.BootstrapResult,
        lambda p: rank.bradley_terry(games(), prior=1).bootstrap(50, rng=0, progress=p),
    ),
    "plackett_luce": (
        rank.PlackettLuceFit,
        lambda p: rank.plackett_luce([["a", "b", "c"], ["c", "a", "b"]], prior=1, progress=p),
    ),
    "team_strengths": (
        rank.TeamFit,
        lambda p: rank.team_strengths([["a"], ["b"]], [["b"], ["c"]], [1, -1], prior=1, progress=p),
    ),
    "fit_judges": (
        rank.JudgeFit,
        lambda p: rank.fit_judges(
            rank.Comparisons.from_pairs(list("aaabcb"), list("bbbcaa"), judge=list("xyxyyx")), progress=p
        ),
    ),
    "irt": (rank.ItemResponseFit, lambda p: rank.irt(points(60) > 0, progress=p)),
    "graded": (rank.GradedFit, lambda p: rank.graded(grades(), prior=1, progress=p)),
    "whole_history": (rank.History, lambda p: rank.whole_history(games(), volatility=0.3, progress=p)),
    "estimated volatility": (
        rank.History,
        lambda p: rank.whole_history(games(), volatility="estimate", progress=p),
    ),
    "sample": (
        rank.History,
        lambda p: rank.whole_history(games(), volatility=0.3).sample(50, n_warmup=20, rng=0, progress=p),
    ),
    "grade_scale": (rank.GradeScale, lambda p: rank.grade_scale(tries(), time_unit=1, rng=0, progress=p)),
    "nearest_metric": (metric.NearestMetric, lambda p: metric.nearest_metric(dissimilarities(), progress=p)),
    "nearest_metric l1": (
        metric.NearestMetric,
        lambda p: metric.nearest_metric(dissimilarities(), norm="l1", progress=p),
    ),
    "nearest_metric free": (
        metric.NearestMetric,
        lambda p: metric.nearest_metric(dissimilarities(0.3), missing="free", progress=p),
    ),
    "nearest_metric l1 free": (
        metric.NearestMetric,
        lambda p: metric.nearest_metric(dissimilarities(0.3), norm="l1", missing="free", progress=p),
    ),
    "project_and_forget": (
        metric.ProjectAndForget,
        lambda p: metric.project_and_forget([3.0, 1.0, 2.0], increasing, progress=p),
    ),
    "correlation_clustering": (
        metric.CorrelationClustering,
        lambda p: metric.correlation_clustering(signed(), rng=0, progress=p),
    ),
    "weighting": (weigh.Weighting, lambda p: weigh.weighting(points(), scale=1, method="cg", progress=p)),
    "magnitude_function": (
        weigh.MagnitudeFunction,
        lambda p: weigh.magnitude_function(points(), [1.0, 2.0, 4.0], progress=p),
    ),
    "magnitude_function in lock-step": (
        weigh.MagnitudeFunction,
        lambda p: weigh.magnitude_function(points(900), [1.0, 2.0, 4.0], progress=p),
    ),
    "solve_simplex_qp": (
        weigh.SimplexQPResult,
        lambda p: weigh.solve_simplex_qp(kernel(), np.sin(points()[:, 0]), progress=p),
    ),
    "max_diversity": (weigh.Diversity, lambda p: weigh.max_diversity(points(), progress=p)),
    "kmeans": (select.KMeansResult, lambda p: select.kmeans(points(), 3, rng=0, progress=p)),
    "kmeans_plusplus": (select.Seeding, lambda p: select.kmeans_plusplus(points(), 3, rng=0, progress=p)),
    "kmeans_plusplus, greedy": (
        select.Seeding,
        lambda p: select.kmeans_plusplus(points(), 3, n_local_trials=2, rng=0, progress=p),
    ),
    "facility_location": (
        select.FacilityLocation,
        lambda p: select.facility_location(points(), 3, progress=p),
    ),
    "medoids": (select.Medoids, lambda p: select.medoids(points(), 3, rng=0, progress=p)),
    "sensitivity_sample": (
        select.Seeding,
        lambda p: select.sensitivity_sample(points(), 9, clusters=3, rng=0, progress=p),
    ),
    "plan_sensitivity": (
        select.Seeding,
        lambda p: select.plan_sensitivity(points(), clusters=3, rng=0, progress=p),
    ),
    "coreset": (select.Seeding, lambda p: select.coreset(points(), 9, clusters=3, rng=0, progress=p)),
    "regression_sample": (
        select.Seeding,
        lambda p: select.regression_sample(
            points(), points()[:, 0], 9, method="sensitivity", clusters=3, rng=0, progress=p
        ),
    ),
    "magnitude_distance": (
        weigh.Weighting,
        lambda p: weigh.magnitude_distance(points(3100), points(), progress=p),
    ),
    "ITML": (
        metric.ITML,
        lambda p: metric.ITML(progress=p).fit(points(400).reshape(200, 2, 2), np.resize([1, -1], 200)),
    ),
    "ITMLSupervised": (
        metric.ITMLSupervised,
        lambda p: metric.ITMLSupervised(progress=p).fit(points(), np.arange(60) % 2),
    ),
}  # fmt: skip


def increasing(x):
    steps = np.eye(len(x))[:-1] - np.eye(len(x))[1:]
    broken = steps @ x > 0
    return steps[broken], np.zeros(broken.sum())


def kernel():
    X = points()
    return np.exp(-((X[:, None] - X) ** 2).sum(-1) / 8)


@pytest.fixture
def default_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("progress", [stop, ctrl_c_now])
@pytest.mark.parametrize("name", CALLS)
def test_an_interrupt_in_a_progress_callback_carries_the_best_so_far(name, progress, default_handler):
    kind, call = CALLS[name]
    with pytest.raises(KeyboardInterrupt) as caught:
        call(progress)
    assert isinstance(caught.value.partial, kind)


@pytest.mark.parametrize("call", [
    lambda p: weigh.find_scale(points(), "convergence", progress=p),
    lambda p: weigh.find_scale(points(), "positive_cutoff", progress=p),
])  # fmt: skip
def test_an_interrupt_before_there_is_a_result_says_so(call, default_handler):
    with pytest.raises(KeyboardInterrupt, match="no result yet") as caught:
        call(stop)
    assert caught.value.partial is None


def test_other_errors_of_a_callback_pass_through():
    def fail(*_):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        rank.bradley_terry(games(), prior=1, progress=fail)
    assert rank.bradley_terry(games(), prior=1).info.converged


def test_an_interrupted_kernel_leaves_nothing_behind():
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            rank.bradley_terry(games(), prior=1, progress=stop)
        assert rank.bradley_terry(games(), prior=1).info.converged


@pytest.mark.parametrize("signal_it", [stop, ctrl_c_now])
@pytest.mark.parametrize("at", [1, 2, 3, 10, 30])
def test_an_interrupt_in_a_row_function_carries_the_best_weights(at, signal_it, default_handler):
    K, calls = kernel(), []

    def rows(indices):
        calls.append(len(indices))
        if len(calls) == at:
            signal_it()
        return K[indices]

    with pytest.raises(KeyboardInterrupt) as caught:
        weigh.solve_simplex_qp(rows, np.sin(points()[:, 0]))
    found = caught.value.partial
    assert found.info.interrupted
    assert found.x.sum() == pytest.approx(1.0)
    assert (found.x >= 0).all()


@pytest.mark.parametrize("signal_it", [stop, ctrl_c_now])
@pytest.mark.parametrize("at", [1, 2, 5])
def test_an_interrupt_in_an_oracle_carries_the_best_projection(at, signal_it, default_handler):
    calls, start = [], np.random.default_rng(0).normal(size=40)

    def oracle(x):
        calls.append(1)
        if len(calls) == at:
            signal_it()
        return increasing(x)

    with pytest.raises(KeyboardInterrupt) as caught:
        metric.project_and_forget(start, oracle, tol=1e-12)
    assert caught.value.partial.info.interrupted
    assert len(caught.value.partial.x) == 40


def test_a_space_whose_solve_was_interrupted_gives_the_same_answer_again():
    X = points(900)
    space = _core.weigh._point_space(X, "euclidean")
    options = {"scales": [1.0], "tol": 1e-8}
    before = _core.weigh._weights_by_gradients(space, **options)["weights"]
    for single in (True, False):
        fresh = _core.weigh._point_space(X, "euclidean")
        _core.weigh._weights_by_gradients(fresh, **options, single=single, progress=stop)
        after = _core.weigh._weights_by_gradients(fresh, **options)["weights"]
        np.testing.assert_array_equal(after, before)
