"""A KeyboardInterrupt in Python code that a solver calls is Ctrl-C like any other."""

from __future__ import annotations

import importlib
import inspect
import signal
import threading

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
    "GradedFit.bootstrap": (
        rank.BootstrapResult,
        lambda p: rank.graded(grades(), prior=1).bootstrap(9, progress=p),
    ),
    "JudgeFit.bootstrap": (rank.BootstrapResult, lambda p: judges().bootstrap(9, progress=p)),
    "PlackettLuceFit.bootstrap": (
        rank.BootstrapResult,
        lambda p: rank.plackett_luce([["a", "b"], ["b", "a"]], prior=1).bootstrap(9, progress=p),
    ),
    "TeamFit.bootstrap": (
        rank.BootstrapResult,
        lambda p: rank.team_strengths([["a"], ["b"]], [["b"], ["c"]], [1, -1], prior=1).bootstrap(
            9, progress=p
        ),
    ),
    "GradeScale.sample": (
        rank.GradeScale,
        lambda p: rank.grade_scale(tries(), time_unit=1, n_draws=20, rng=0).sample(1000, progress=p),
    ),
    "balance": (weigh.Balance, lambda p: weigh.balance(points(), np.arange(60) % 2, progress=p)),
    "match_samples": (weigh.SampleMatch, lambda p: weigh.match_samples(points(), points()[:9], progress=p)),
    "density_ratio": (weigh.DensityRatio, lambda p: weigh.density_ratio(points(), points(9), progress=p)),
    "ensemble_weights": (
        weigh.EnsembleWeights,
        lambda p: weigh.ensemble_weights(chances(), loss="log", progress=p),
    ),
    "cluster_edges": (
        metric.CorrelationClustering,
        lambda p: metric.cluster_edges(*edges(), progress=p),
    ),
    "CorrelationClusterer": (
        metric.CorrelationClustering,
        lambda p: metric.CorrelationClusterer(progress=p).fit(points()),
    ),
    "KMeans": (select.KMeansResult, lambda p: select.KMeans(3, progress=p).fit(points())),
    "KMedoids": (select.Medoids, lambda p: select.KMedoids(3, progress=p).fit(points())),
    "magnitude": (weigh.Weighting, lambda p: weigh.magnitude(points(3100), scale=1, progress=p)),
}

# Half of these is no result.
NOTHING_YET = {
    "fit_groups": lambda p: rank.fit_groups(games_of_groups(), progress=p),
    "preference_weights": lambda p: rank.preference_weights(points()[:30], points()[30:], progress=p),
    "item_errors": lambda p: rank.irt(points() > 0).item_errors(progress=p),
    "boundary": lambda p: weigh.boundary(points(), progress=p),
    "find_scale": lambda p: weigh.find_scale(points(), "convergence", progress=p),
    "find_scale by eigenvalues": lambda p: weigh.find_scale(points(), "positive_cutoff", progress=p),
    "query": lambda p: weigh.query(points(), points()[:9], 3, progress=p),
    "solve_similarity": lambda p: weigh.solve_similarity(kernel(), progress=p),
    "spread": lambda p: weigh.spread(points(), scale=1, progress=p),
    "effect": lambda p: weigh.balance(points(), np.arange(60) % 2).effect(
        points()[:, 0], errors="subsample", rng=0, progress=p
    ),
    "expected_performance": lambda p: weigh.expected_performance(chances(20_000)[:, 0], progress=p),
    "violations": lambda p: metric.violations(dissimilarities(), progress=p),
}


def judges():
    return rank.fit_judges(rank.Comparisons.from_pairs(list("aaabcb"), list("bbbcaa"), judge=list("xyxyyx")))


def games_of_groups():
    rng = np.random.default_rng(0)
    left = rng.integers(0, 4, 400)
    right = (left + rng.integers(1, 4, 400)) % 4
    return rank.Comparisons.from_pairs(left, right, group=rng.integers(0, 3, 400))


def chances(n=300):
    return np.random.default_rng(0).random((n, 3))


def edges():
    rng = np.random.default_rng(0)
    return rng.integers(0, 20, 200), rng.integers(20, 40, 200), rng.normal(size=200)


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


@pytest.mark.parametrize("name", NOTHING_YET)
def test_an_interrupt_before_there_is_a_result_says_so(name, default_handler):
    with pytest.raises(KeyboardInterrupt, match="no result yet") as caught:
        NOTHING_YET[name](stop)
    assert caught.value.partial is None


def with_progress():
    """Public functions, methods and classes that take a callback, as a caller writes them."""
    for family in ("rank", "weigh", "metric", "select", "dask", "datasets"):
        room = importlib.import_module(f"steelyard.{family}")
        for name in room.__all__:
            thing = getattr(room, name)
            if not inspect.isclass(thing):
                yield name, thing
                continue
            yield name, thing.__init__
            for method, function in inspect.getmembers(thing, inspect.isfunction):
                if not method.startswith("_"):
                    yield f"{name}.{method}", function


def test_every_public_callback_is_tried_here():
    tried = {name.split(",")[0].split(" ")[0] for name in [*CALLS, *NOTHING_YET]}
    usual = {"BradleyTerryFit.bootstrap": "bootstrap", "History.sample": "sample",
             "ItemResponseFit.item_errors": "item_errors", "Balance.effect": "effect"}  # fmt: skip
    names = {
        usual.get(name, name)
        for name, function in with_progress()
        if callable(function) and "progress" in inspect.signature(function).parameters
    }
    assert len(names) > 50
    assert names <= tried


@pytest.mark.parametrize("signal_it", [stop, ctrl_c_now])
def test_a_linear_program_hears_its_caller_while_it_runs(signal_it, default_handler, monkeypatch):
    """HiGHS is held up until the callback has come, which no step of the program would call otherwise."""
    from scipy import optimize

    heard, solve = threading.Event(), optimize.linprog

    def held_up(*args, **options):
        heard.wait(30)
        return solve(*args, **options)

    def progress(*_):
        heard.set()
        signal_it()

    monkeypatch.setattr(optimize, "linprog", held_up)
    D = np.random.default_rng(1).exponential(size=(8, 8)) ** 3
    calls = []

    def later(*told):
        calls.append(told)
        if len(calls) > 1:  # the first is that of the round
            progress()

    with pytest.raises(KeyboardInterrupt) as caught:
        metric.nearest_metric(np.triu(D, 1) + np.triu(D, 1).T, norm="l1", progress=later)
    assert caught.value.partial.info.interrupted
    assert caught.value.partial.distances.shape == (8, 8)


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
