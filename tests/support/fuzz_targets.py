"""The calls that `fuzz` makes: every public function, class and method, with small arguments that work."""

from __future__ import annotations

import functools
import inspect
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import jinja2  # noqa: F401, loaded before calls are timed
import matplotlib.backends.backend_svg  # noqa: F401
import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression

from steelyard import datasets, metric, plotting, rank, select, weigh
from support.fuzz import Target, parameters_of

FAMILIES = (rank, weigh, metric, select, plotting, datasets)

# What a user does not call: the account of a solver, and how scikit-learn looks after its estimators.
ALIEN = {
    "from_core",
    "get_metadata_routing",
    "get_params",
    "set_params",
    "set_output",
    "set_fit_request",
    "set_score_request",
    "fit_predict",  # fit and predict
    "fit_transform",
}


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


X = _rng().normal(size=(14, 2))
WINNER, LOSER = np.array([0, 1, 2, 3, 0, 2, 1, 3] * 2), np.array([1, 2, 3, 0, 2, 1, 0, 2] * 2)
DAYS = np.arange(16)
D = np.round(np.abs(_rng().normal(size=10)) + 0.5, 2)
SQUARE = np.abs(np.subtract.outer(X[:6, 0], X[:6, 0]))
SIGNED = np.where(np.eye(5) == 0, np.round(_rng().normal(size=(5, 5)), 1), 0)
SIGNED = SIGNED + SIGNED.T
SCORES = _rng().integers(0, 5, size=(4, 12)).astype(float)
CLASSES = _rng().integers(0, 3, size=(12, 3))
Y = np.arange(14) % 2
MODELS = [("mean", DummyRegressor()), ("line", LinearRegression())]
QUANTILES = X[:, :, None] + np.array([-0.5, 0.5])


@functools.cache
def games() -> rank.Comparisons:
    return rank.Comparisons.from_pairs(WINNER, LOSER, time=DAYS)


@functools.cache
def fit() -> rank.BradleyTerryFit:
    return rank.bradley_terry(games())


@functools.cache
def covariate_fit() -> rank.BradleyTerryFit:
    table = rank.Comparisons.from_pairs(WINNER, LOSER, covariates={"x": np.arange(16) % 3 - 1.0})
    return rank.bradley_terry(table, covariates=True, prior=0.5)


@functools.cache
def orders() -> rank.PlackettLuceFit:
    return rank.plackett_luce([["a", "b", "c"], ["b", "a", "c"], ["c", "a"], ["c", "b"]])


@functools.cache
def history() -> rank.History:
    return rank.whole_history(games(), volatility=0.3, time_unit=1)


@functools.cache
def drawn() -> rank.History:
    return _quiet(lambda: history().sample(8, n_chains=2, n_warmup=20, rng=0))


ASCENTS = {
    "climber": _rng().integers(0, 3, 40),
    "grade": _rng().integers(14, 20, 40),
    "time": _rng().integers(0, 3, 40),
    "sent": _rng().random(40) < 0.5,
}


@functools.cache
def grades() -> rank.GradeScale:
    return _quiet(lambda: rank.grade_scale(ASCENTS, time_unit=1, n_draws=4, n_chains=2, n_warmup=20, rng=0))


def _quiet(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


@functools.cache
def function_of_scale() -> weigh.MagnitudeFunction:
    return weigh.magnitude_function(X, [0.1, 1.0, 10.0])


@functools.cache
def balanced() -> weigh.Balance:
    return _quiet(lambda: weigh.balance(X, Y))


@functools.cache
def sampled() -> select.Sample:
    return select.sensitivity_sample(X, 5, clusters=2, rng=0)


def plan() -> select.SensitivityPlan:
    return select.plan_sensitivity(X, clusters=2, rng=0)


def graded_games() -> rank.GradedComparisons:
    return rank.GradedComparisons.from_grades(WINNER, LOSER, WINNER % 3, levels=[0, 1, 2])


def grouped_games() -> rank.Comparisons:
    return rank.Comparisons.from_pairs(WINNER, LOSER, group=np.arange(16) % 2)


def judged_games() -> rank.Comparisons:
    return rank.Comparisons.from_pairs(WINNER, LOSER, judge=np.arange(16) % 2)


def item_plan() -> select.ItemPlan:
    return select.plan_items(SCORES, 5, rng=0)


def _halfspaces(x: Any) -> Any:
    return np.eye(3)[x > 1.0], np.ones(int((x > 1.0).sum()))


REPORTED = ("BradleyTerryFit", "GradedFit", "GroupFits", "History", "JudgeFit", "PlackettLuceFit", "TeamFit")


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="steelyard-fuzz-")
    orders().report(f"{folder.name}/first.html")  # what a first page loads is not timed
    return folder


def page() -> str:
    """Where calls may write."""
    return f"{_folder().name}/page.html"


# Arguments of functions and constructors; of a method under "Class.method", where its names don't say enough.
ARGUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "bradley_terry": lambda: {"comparisons": games()},
    "elo": lambda: {
        "winner": WINNER,
        "loser": LOSER,
        "tie": WINNER > 5,
        "weight": np.ones(16),
        "margin": np.ones(16),
    },
    "glicko2": lambda: {"winner": WINNER, "loser": LOSER, "period": DAYS // 4, "period_length": 2},
    "graded": lambda: {"comparisons": graded_games(), "prior": 1.0},
    "GradedComparisons.from_grades": lambda: {
        "left": WINNER,
        "right": LOSER,
        "outcome": WINNER % 3,
        "levels": np.arange(3),
        "weight": np.ones(16),
        "home": np.ones(16, int),
    },
    "GradedComparisons.from_chances": lambda: {"left": WINNER, "right": LOSER, "chances": WINNER / 20},
    "GradedComparisons.from_frame": lambda: {
        "df": {"left": WINNER, "right": LOSER, "outcome": WINNER % 3},
        "outcome_levels": np.arange(3),
    },
    "GradedFit.bootstrap": lambda: {"n_rounds": 2},
    # Without a prior all 200 steps are taken.
    "fit_judges": lambda: {"comparisons": judged_games(), "prior": 1.0, "max_iter": 40},
    "agreement": lambda: {"comparisons": judged_games()},
    "JudgeFit.bootstrap": lambda: {"n_rounds": 2},
    "fit_groups": lambda: {"comparisons": grouped_games(), "prior": 1.0},
    "GroupFits.board": lambda: {"group": 0},
    "GroupFits.differences": lambda: {"draws": 50},
    "grade_scale": lambda: {"ascents": ASCENTS, "time_unit": 1, "n_draws": 4, "n_chains": 2, "n_warmup": 20},
    "meta_elo": lambda: {
        "model": np.array(["a", "b", "a"]),
        "rating": np.array([1500.0, 1600, 1550]),
        "f1": np.array([0.5, 0.6, 0.7]),
        "board": np.array(["p", "p", "q"]),
        "categories": np.array([2, 2, 3]),
    },
    **{f"{name}.report": lambda: {"path": page()} for name in REPORTED},
    "plackett_luce": lambda: {
        "ranks": [[1, 2, 2], [2, 1, 3], [2, 0, 1], [3, 2, 1]],
        "items": ["a", "b", "c"],
        "max_tie": 3,
    },
    "irt": lambda: {"responses": (SCORES > 2).astype(float)},
    "ItemResponseFit.predict": lambda: {"person": 0, "item": 1},
    "ItemResponseFit.information": lambda: {"theta": np.array([0.0, 1.0])},
    "ItemResponseFit.place": lambda: {"answers": {0: 1}},
    "ItemResponseFit.next_item": lambda: {"answers": {0: 1}},
    "ItemResponseFit.item_errors": lambda: {"items": [0, 1]},
    "rasch": lambda: {"responses": (SCORES > 2).astype(float), "prior": 1.0},
    "schedule": lambda: {
        "items": np.arange(4),
        "kind": "information",
        "fit": fit(),
        "size": 2,
        "costs": np.ones((4, 4)),
    },
    "score_duels": lambda: {"table": SCORES[:, 0] / 5, "items": np.array(["a", "b", "c", "d"])},
    "simulate_schedule": lambda: {"n_items": 4, "n_rounds": 2, "n_repeats": 2, "size": 2, "level": 0.9},
    "stability": lambda: {"data": SCORES, "n_rounds": 3},
    "team_strengths": lambda: {
        "left": WINNER[:, None],
        "right": LOSER[:, None],
        "outcome": WINNER > 3,
        "prior": 1.0,
    },
    "TeamFit.predict": lambda: {"left": WINNER[:2, None], "right": LOSER[:2, None]},
    "TeamFit.bootstrap": lambda: {"n_rounds": 2},
    "whole_history": lambda: {"comparisons": games(), "volatility": 0.3, "time_unit": 1},
    "Comparisons.from_pairs": lambda: {
        "winner": WINNER,
        "loser": LOSER,
        "tie": WINNER > 2,
        "weight": np.ones(16),
        "home": np.ones(16, int),
        "cluster": DAYS // 4,
        "time": DAYS,
        "covariates": np.ones((16, 1)),
    },
    "Comparisons.from_counts": lambda: {"wins": 3.0 * (1 - np.eye(3)), "ties": 1 - np.eye(3)},
    "Comparisons.from_frame": lambda: {
        "df": {"a": WINNER + 5, "b": LOSER + 5, "o": np.where(WINNER > 1, 1, -1)},
        "left": "a",
        "right": "b",
        "outcome": "o",
    },
    "Comparisons.from_scores": lambda: {"table": SCORES},
    "Comparisons.filter": lambda: {"min_games": 1, "since": 2, "until": 12},
    "Comparisons.subset": lambda: {"items": np.array([0, 1, 2])},
    "Comparisons.index": lambda: {"label": 1},
    "BradleyTerryFit.predict": lambda: {"a": np.array([0, 1]), "b": np.array([1, 2])},
    "PlackettLuceFit.contrast": lambda: {"a": "a", "b": "b"},
    "PlackettLuceFit.index": lambda: {"item": "a"},
    "PlackettLuceFit.predict": lambda: {"items": np.array(["a", "b"])},
    "History.predict": lambda: {"a": 0, "b": 1, "time": np.array([3.0])},
    "History.strength": lambda: {"item": 0, "time": np.array([3.0, 4.0])},
    "History.sample": lambda: {"n_draws": 4, "n_chains": 2, "n_warmup": 20},
    "GradeScale.ability": lambda: {"climber": 0},
    "GradeScale.sample": lambda: {"n_draws": 4},
    "BradleyTerryFit.bootstrap": lambda: {"n_rounds": 3},
    "PlackettLuceFit.bootstrap": lambda: {"n_rounds": 2},
    "EloRatings.history": lambda: {"item": 0},
    "EloRatings.rating": lambda: {"item": 0},
    "EloRatings.predict": lambda: {"first": 0, "second": 1},
    "RaschFit.predict": lambda: {"person": 0, "item": 1},
    "ScheduleSimulation.needed": lambda: {"tau": 0.5},
    "balance": lambda: {"X": X, "treatment": Y, "sample_weight": np.ones(14)},
    "Balance.effect": lambda: {"y": X[:, 0], "n_subsamples": 2},
    "BalancingWeights.fit": lambda: {"X": X, "y": Y},
    "boundary": lambda: {"X": X},
    "density_ratio": lambda: {"numerator": X[:6], "denominator": X[6:]},
    "DensityRatio.ratio": lambda: {"X": X},
    "ensemble_weights": lambda: {
        "predictions": QUANTILES,
        "y": X[:, 0],
        "loss": "pinball",
        "levels": np.array([0.2, 0.8]),
        "groups": ["a", "b"],
        "sample_weight": np.ones(14),
    },
    "EnsembleWeights.predict": lambda: {"predictions": QUANTILES},
    "EnsembleWeights.calibrate": lambda: {"predictions": QUANTILES, "y": X[:, 0]},
    "expected_performance": lambda: {
        "probabilities": Y / 2 + 0.2,
        "predictions": Y,
        "reference": (Y / 3 + 0.1, 1 - Y),
        "weights": np.ones(14),
    },
    "ExpectedPerformance.law": lambda: {"cell": "tp"},
    "find_scale": lambda: {"X": X, "rule": "median"},
    "magnitude": lambda: {"X": X},
    "magnitude_area": lambda: {"f": function_of_scale(), "g": function_of_scale()},
    "magnitude_difference": lambda: {"f": function_of_scale(), "g": function_of_scale()},
    "magnitude_dimension": lambda: {"X": X, "scales": np.array([0.1, 1.0, 10.0])},
    "magnitude_distance": lambda: {"X": X, "Y": X[:5] + 1},
    "magnitude_function": lambda: {"X": X, "scales": np.array([0.1, 1.0])},
    "match_samples": lambda: {"source": X, "target": X[:5] + 1},
    "SampleMatcher.fit": lambda: {"X": X, "y": X[:5] + 1},
    "max_diversity": lambda: {"X": X},
    "query": lambda: {"X_labeled": X[:6], "X_pool": X[6:], "y": Y[:6]},
    "similarity": lambda: {"hom": np.array([[1, 2], [0, 1]]), "size_map": float},
    "solve_similarity": lambda: {"Z": np.exp(-SQUARE)},
    "solve_simplex_qp": lambda: {"K": np.diag([1.0, 2.0, 3.0]), "q": np.zeros(3), "upper": np.ones(3)},
    "spread": lambda: {"X": X},
    "weighting": lambda: {"X": X},
    "WeightingModel": lambda: {"X": X},
    "WeightingModel.add": lambda: {"points": X[:2] + 5},
    "WeightingModel.remove": lambda: {"indices": np.array([0, 3])},
    "WeightingModel.score_new": lambda: {"points": X[:2] + 5},
    "correlation_clustering": lambda: {"S": SIGNED, "max_iter": 20},
    "cluster_edges": lambda: {"u": [0, 1, 2, 0], "v": [1, 2, 3, 3], "weight": [1.0, 2.0, 1.0, -1.0], "n": 5},
    "plot_balance": lambda: {"balance": balanced()},
    "plot_cluster_sizes": lambda: {"sizes": np.array([3, 2, 1])},
    "grid_edges": lambda: {"shape": (3, 4)},
    "nearest_metric": lambda: {"D": D, "weights": np.ones(10)},
    "project_and_forget": lambda: {
        "x0": np.array([2.0, 0.0, 3.0]),
        "oracle": _halfspaces,
        "weights": np.ones(3),
    },
    "violations": lambda: {"D": D},
    "RandomRows": lambda: {"A": np.eye(3), "b": np.ones(3), "interior": np.zeros(3)},
    "RandomRows.check": lambda: {"x": np.zeros(3)},
    "RandomRows.feasible": lambda: {"x": np.zeros(3) + 2},
    "active_test": lambda: {
        "losses": np.array([1.0, 0, 2]),
        "probabilities": np.array([0.2, 0.3, 0.5]),
        "n_pool": 9,
    },
    "coreset": lambda: {"X": X, "size": 5, "clusters": 2, "sample_weight": np.ones(14), "ids": np.arange(14)},
    "kmeans": lambda: {"X": X, "k": 2, "sample_weight": np.ones(14)},
    "kmeans_plusplus": lambda: {"X": X, "k": 3, "sample_weight": np.ones(14)},
    "leverage_scores": lambda: {"A": X},
    "lightweight_coreset": lambda: {"X": X, "size": 5, "sample_weight": np.ones(14)},
    "medoids": lambda: {"X": X, "k": 2, "sample_weight": np.ones(14)},
    "facility_location": lambda: {"X": X, "k": 2},
    "Medoids.transfer_weights": lambda: {"weights": np.ones(2)},
    "items_needed": lambda: {"difference": 0.1, "variance_items": 1.0},
    "item_utility": lambda: {"scores": SCORES},
    "ItemUtility.choose": lambda: {"budget": 2.0},
    "dynascore": lambda: {"metrics": X, "performance": X[:, 0]},
    "preference_weights": lambda: {"better": X, "worse": X[::-1]},
    "PreferenceWeights.score": lambda: {"metrics": X},
    "logme": lambda: {"features": X, "y": Y},
    "pairwise_significance": lambda: {"scores": SCORES},
    "PairwiseSignificance.soft_accuracy": lambda: {"other": rank.pairwise_significance(SCORES)},
    "paired_difference": lambda: {"a": X[:, 0], "b": X[:, 1], "clusters": np.arange(14) // 2},
    "pass_at_k": lambda: {"successes": np.array([1, 0, 3]), "attempts": 5, "k": 2},
    "prediction_powered_mean": lambda: {
        "labels": X[:5, 0],
        "predictions": X[:5, 1],
        "all_predictions": X[5:, 1],
    },
    "plan_items": lambda: {"scores": SCORES, "m": 5, "weights": np.ones(12)},
    "ItemPlan.estimate": lambda: {"answers": np.arange(5.0)},
    "plan_sensitivity": lambda: {
        "X": X,
        "clusters": 2,
        "known": (np.array([0, 1]), np.array([1.0, 2.0])),
        "exclude": np.array([3]),
    },
    "regression_sample": lambda: {"A": X, "b": X[:, 0], "size": 8, "clusters": 2},
    "sensitivity_sample": lambda: {"X": X, "size": 5, "clusters": 2, "losses": np.ones(14)},
    "ModelSelector": lambda: {"predictions": CLASSES, "epsilon": 0.3},
    "ModelSelector.tell": lambda: {"item": 3, "label": 1},
    "Coreset.merge": lambda: {"other": select.coreset(X, 5, clusters=2, rng=0)},
    "Coreset.reduce": lambda: {"size": 3},
    "KMeansResult.assign": lambda: {"X": X[:3]},
    "Sample.estimate": lambda: {"values": np.ones(len(sampled()))},
    "SensitivityPlan.sample": lambda: {"size": 4, "losses": np.ones(len(plan().queries))},
    "StreamingCoreset": lambda: {"size": 5, "clusters": 2},
    "StreamingCoreset.partial_fit": lambda: {"X": X, "sample_weight": np.ones(14)},
    "ITML.fit": lambda: {"pairs": np.stack([X[:6], X[6:12]], axis=1), "y": np.array([1, -1] * 3)},
    "ITMLSupervised.fit": lambda: {"X": X, "y": Y},
    "ITML.pair_distance": lambda: {"pairs": np.stack([X[:6], X[6:12]], axis=1)},
    "CorrelationClusterer.fit": lambda: {"X": X},
    "KMeans.fit": lambda: {"X": X, "sample_weight": np.ones(14)},
    "KMedoids.fit": lambda: {"X": X, "sample_weight": np.ones(14)},
    "MagnitudeOutlierDetector.fit": lambda: {"X": X},
    "WeightedEnsemble": lambda: {"estimators": MODELS},
    "WeightedEnsemble.fit": lambda: {"X": X, "y": Y},
    "WeightingClassifier.fit": lambda: {"X": X, "y": Y},
    "plot_estimates": lambda: {"table": {"item": ["a", "b"], "rating": [1.0, 2.0]}},
    "plot_groups": lambda: {"fits": OBJECTS["GroupFits"]()},
    "plot_history": lambda: {"history": history()},
    "plot_magnitude_function": lambda: {"f": function_of_scale()},
    "plot_rank_intervals": lambda: {"intervals": fit().rank_intervals(draws=50)},
    "plot_strengths": lambda: {"fit": fit()},
    "plot_weights": lambda: {"weighting": weigh.weighting(X), "X": X},
    "path": lambda: {"name": "iris"},
}

# Arguments by name, for methods.
USUAL: dict[str, Any] = {
    "a": 0,
    "b": 1,
    "item": 0,
    "label": 1,
    "items": np.array([0, 1]),
    "X": X,
    "y": Y,
    "draws": 50,
    "pairs": np.stack([X[:6], X[6:12]], axis=1),
}

# On what methods are called: afresh where calls change it.
OBJECTS: dict[str, Callable[[], Any]] = {
    "BootstrapResult": functools.cache(lambda: fit().bootstrap(20, rng=0)),
    "BradleyTerryFit": fit,
    "Coefficients": lambda: covariate_fit().coefficients,
    "Comparisons": games,
    "ComponentReport": lambda: games().components(),
    "Contrast": lambda: fit().contrast(0, 1),
    "Covariance": functools.cache(lambda: fit().covariance()),
    "EloRatings": functools.cache(lambda: rank.elo(WINNER, LOSER, history=True)),
    "GlickoRatings": functools.cache(lambda: rank.glicko2(WINNER, LOSER)),
    "GradeScale": grades,
    "GradedComparisons": graded_games,
    "GradedFit": functools.cache(lambda: rank.graded(graded_games(), prior=1.0)),
    "GroupFits": functools.cache(
        lambda: _quiet(lambda: rank.fit_groups(grouped_games(), prior=1.0, width=0.5))
    ),
    "ItemResponseFit": functools.cache(lambda: _quiet(lambda: rank.irt(**ARGUMENTS["irt"]()))),
    "JudgeFit": functools.cache(lambda: _quiet(lambda: rank.fit_judges(judged_games(), prior=1.0))),
    "History": history,
    "HistorySamples": lambda: drawn().samples,
    "MetaElo": lambda: rank.meta_elo(**ARGUMENTS["meta_elo"]()),
    "PlackettLuceFit": orders,
    "Prediction": lambda: fit().predict(0, 1),
    "RankIntervals": lambda: fit().rank_intervals(draws=50),
    "RaschFit": functools.cache(lambda: _quiet(lambda: rank.rasch(**ARGUMENTS["rasch"]()))),
    "ScheduleSimulation": functools.cache(lambda: rank.simulate_schedule(4, n_rounds=2, n_repeats=2, rng=0)),
    "Stability": functools.cache(lambda: rank.stability(SCORES, n_rounds=3, rng=0)),
    "TeamFit": functools.cache(
        lambda: rank.team_strengths(WINNER[:, None], LOSER[:, None], WINNER > 3, prior=1.0)
    ),
    "Tiers": lambda: fit().tiers(draws=50),
    "Balance": balanced,
    "BalancingWeights": lambda: _quiet(lambda: weigh.BalancingWeights().fit(X, Y)),
    "SampleMatch": lambda: weigh.match_samples(X, X[:5] + 1),
    "SampleMatcher": lambda: weigh.SampleMatcher().fit(X, X[:5] + 1),
    "Boundary": functools.cache(lambda: weigh.boundary(X)),
    "DensityRatio": lambda: weigh.density_ratio(X[:6], X[6:], rng=0),
    "EnsembleWeights": functools.cache(
        lambda: weigh.ensemble_weights(QUANTILES, X[:, 0], loss="pinball", levels=[0.2, 0.8])
    ),
    "ExpectedPerformance": lambda: weigh.expected_performance(Y / 2 + 0.2),
    "Diversity": functools.cache(lambda: weigh.max_diversity(X)),
    "MagnitudeFunction": function_of_scale,
    "MagnitudeOutlierDetector": lambda: weigh.MagnitudeOutlierDetector(novelty=True).fit(X),
    "PointScores": lambda: weigh.WeightingModel(X).score_new(X[:2] + 5),
    "Query": lambda: weigh.query(X[:6], X[6:]),
    "SimilaritySolution": lambda: weigh.solve_similarity(np.exp(-SQUARE)),
    "SimplexQPResult": lambda: weigh.solve_simplex_qp(np.eye(3), np.zeros(3)),
    "Weighting": functools.cache(lambda: weigh.weighting(X)),
    "WeightedEnsemble": lambda: weigh.WeightedEnsemble([("share", DummyClassifier())], loss="log").fit(X, Y),
    "WeightingClassifier": lambda: weigh.WeightingClassifier().fit(X, Y),
    "WeightingModel": lambda: weigh.WeightingModel(X),
    "ITML": lambda: metric.ITML().fit(**ARGUMENTS["ITML.fit"]()),
    "ITMLSupervised": lambda: metric.ITMLSupervised(n_constraints=20, random_state=0).fit(X, Y),
    "KMeans": lambda: select.KMeans(2, random_state=0).fit(X),
    "KMedoids": lambda: select.KMedoids(2, random_state=0).fit(X),
    "CorrelationClusterer": lambda: metric.CorrelationClusterer(random_state=0).fit(X),
    "CorrelationClustering": lambda: metric.correlation_clustering(SIGNED, max_iter=20, rng=0),
    "ConflictCycles": lambda: metric.cluster_edges([0, 1, 0], [1, 2, 2], [1.0, 1.0, -1.0]).cycles,
    "NearestMetric": lambda: metric.nearest_metric(D),
    "ProjectAndForget": lambda: metric.project_and_forget(np.array([2.0, 0.0, 3.0]), _halfspaces),
    "RandomRows": lambda: metric.RandomRows(np.eye(3), np.ones(3), interior=np.zeros(3), rng=0),
    "ViolationReport": lambda: metric.violations(D),
    "ActiveTest": lambda: select.active_test([1.0, 0.0], [0.5, 0.5], 9),
    "Coreset": lambda: select.coreset(X, 6, clusters=2, rng=0),
    "Dynascore": lambda: rank.dynascore(X, X[:, 0]),
    "ItemUtility": lambda: select.item_utility(SCORES),
    "PreferenceWeights": lambda: rank.preference_weights(X, X[::-1]),
    "Evidence": lambda: select.logme(X, Y),
    "PairwiseSignificance": functools.cache(lambda: rank.pairwise_significance(SCORES)),
    "ItemEstimate": lambda: item_plan().estimate(np.arange(5.0)),
    "ItemPlan": functools.cache(lambda: item_plan()),
    "FacilityLocation": lambda: select.facility_location(X, 2),
    "KMeansResult": functools.cache(lambda: select.kmeans(X, 2, rng=0)),
    "Medoids": lambda: select.medoids(X, 2, rng=0),
    "ModelSelector": lambda: select.ModelSelector(CLASSES, 0.3),
    "RegressionSample": lambda: select.regression_sample(X, X[:, 0], 8, clusters=2, rng=0),
    "Sample": sampled,
    "Seeding": lambda: select.kmeans_plusplus(X, 2, rng=0),
    "SensitivityPlan": functools.cache(plan),
    "StreamingCoreset": lambda: select.StreamingCoreset(5, clusters=2, rng=0).partial_fit(X),
    "Dataset": functools.cache(datasets.load_football),
}

# Functions that read a file and take nothing.
LOADERS = {"load_football", "load_iris", "load_lalonde", "load_llmfao", "load_nsw"}

# Results that others make and that have nothing to call: no user builds them.
MADE = {"Estimate", "Strength", "HistoryInfo", "RankInfo", "DiversityInfo", "SimilarityInfo", "SimplexQPInfo"}
MADE |= {"Effect", "ItemChoice", "MeanEstimate", "MedoidsInfo", "PairedDifference"}
MADE |= {"WeighInfo", "MetricInfo", "MetricLearningInfo", "ProjectionInfo", "KMeansInfo"}
ESTIMATORS = {
    "BalancingWeights",
    "SampleMatcher",
    "CorrelationClusterer",
    "ITML",
    "ITMLSupervised",
    "KMeans",
    "KMedoids",
    "MagnitudeOutlierDetector",
    "WeightedEnsemble",
    "WeightingClassifier",
}
REQUIRED = {"WeightedEnsemble": {"estimators": MODELS}}  # what an estimator can't do without
BUILT = {"WeightingModel", "RandomRows", "ModelSelector", "StreamingCoreset"}


def public() -> dict[str, Any]:
    """All that the families offer by name."""
    return {name: getattr(family, name) for family in FAMILIES for name in family.__all__}


def _bound(owner: Any, name: str) -> Callable[[], tuple[Callable[..., Any], dict[str, Any]]]:
    key = f"{owner.__name__}.{name}"

    def make() -> tuple[Callable[..., Any], dict[str, Any]]:
        static = isinstance(inspect.getattr_static(owner, name), classmethod | staticmethod)
        method = getattr(owner if static else OBJECTS[owner.__name__](), name)
        if key in ARGUMENTS:
            return method, ARGUMENTS[key]()
        wanted = inspect.signature(method).parameters.values()
        known = {
            p.name: USUAL[p.name] for p in wanted if p.name in USUAL and p.default is inspect.Parameter.empty
        }
        return method, known

    return make


def _fitted(owner: Any) -> Callable[[], tuple[Callable[..., Any], dict[str, Any]]]:
    """An estimator with these parameters, fitted: scikit-learn's check them there."""

    def make() -> tuple[Callable[..., Any], dict[str, Any]]:
        arguments = ARGUMENTS[f"{owner.__name__}.fit"]()
        return functools.partial(_fit_new, owner, arguments), dict(REQUIRED.get(owner.__name__, {}))

    return make


def _fit_new(owner: Any, arguments: dict[str, Any], **parameters: Any) -> Any:
    return owner(**parameters).fit(**arguments)


@functools.cache
def targets() -> list[Target]:
    """Every call, in a fixed order."""
    return _quiet(_targets)


def _targets() -> list[Target]:
    found = []
    for name, offered in sorted(public().items()):
        if name in LOADERS:
            continue
        if not inspect.isclass(offered):
            found.append((name, offered, functools.partial(_plain, offered, name)))
            continue
        if name in ESTIMATORS:
            found.append((name, offered, _fitted(offered)))
        elif name in BUILT:
            found.append((name, offered, functools.partial(_plain, offered, name)))
        for method in dir(offered):
            if (
                method.startswith("_")
                or method in ALIEN
                or name in MADE
                or not callable(getattr(offered, method))
            ):
                continue
            found.append((f"{name}.{method}", getattr(offered, method), _bound(offered, method)))
    return [
        Target(label, make, tuple(p for p in parameters_of(function, make()[1]) if p != "self"))
        for label, function, make in found
    ]


def _plain(offered: Any, name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    return offered, ARGUMENTS[name]()
