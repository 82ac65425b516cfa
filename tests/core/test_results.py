"""What results of all families have in common."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import pickle
import re

import numpy as np
import pytest

import steelyard
from steelyard import metric, rank, select, weigh
from steelyard._errors import interrupted
from steelyard._results import Result, as_html

FAMILIES = (rank, weigh, metric, select)
HOLD_NO_ARRAY = ("float", "int", "bool", "str", "None", "ErrorKind")


def results():
    found = {getattr(family, name) for family in FAMILIES for name in family.__all__}
    return sorted(
        (c for c in found if inspect.isclass(c) and dataclasses.is_dataclass(c)), key=lambda c: c.__qualname__
    )


def may_hold_arrays(cls):
    """Has it a field that takes part in a comparison and is more than a number or a word?"""
    compared = [field for field in dataclasses.fields(cls) if field.compare]
    return any(set(str(field.type).split(" | ")) - set(HOLD_NO_ARRAY) for field in compared)


def compares_fields(cls):
    return any("__eq__" in c.__dict__ and c.__dataclass_params__.eq for c in cls.__mro__ if c is not object)


@dataclasses.dataclass(frozen=True)
class Offender:
    values: np.ndarray


def test_no_result_that_holds_arrays_compares_them_field_by_field():
    assert len(results()) > 30
    offenders = [c.__qualname__ for c in results() if may_hold_arrays(c) and compares_fields(c)]
    assert offenders == []
    assert may_hold_arrays(Offender)
    assert compares_fields(Offender)


def test_results_are_equal_to_themselves_alone_and_can_be_members_of_sets():
    fit = rank.bradley_terry(rank.Comparisons.from_pairs(["a", "b", "c"], ["b", "c", "a"]))
    one, other = (
        [
            fit.covariance(),
            fit.predict(["a"], ["b"]),
            weigh.max_diversity([[0.0], [1.0]]),
            weigh.solve_simplex_qp(np.eye(2), np.zeros(2)),
        ]
        for _ in range(2)
    )
    assert len({*one, *other}) == 8
    for a, b in zip(one, other, strict=True):
        assert a == a
        assert a != b


def test_an_account_without_arrays_is_compared_by_its_fields():
    info = weigh.solve_simplex_qp(np.eye(2), np.zeros(2)).info
    assert info == dataclasses.replace(info)
    assert isinstance(info, steelyard.Info)


@pytest.mark.parametrize(("partial", "says"), [("found", "holds the best result"), (None, "no result yet")])
def test_ctrl_c_speaks_of_a_partial_result_only_where_there_is_one(partial, says):
    error = interrupted(partial)
    assert says in str(error)
    assert ("partial" in str(error)) == (partial is not None)
    assert error.partial is partial


# ---- every public result, and what it can do


def comparisons():
    return rank.Comparisons.from_pairs(
        list("aabbccad"), list("bcccadda"), time=[0, 0, 1, 1, 2, 2, 3, 3], items=list("abcd")
    )


@functools.cache
def paired():
    return rank.bradley_terry(comparisons(), prior=1)


@functools.cache
def history():
    return rank.whole_history(comparisons(), volatility=0.3)


def points(n=40):
    return np.random.default_rng(0).normal(size=(n, 2))


def climbs():
    rng = np.random.default_rng(0)
    return rank.grade_scale(
        {
            "climber": rng.integers(0, 3, 200),
            "grade": rng.integers(14, 23, 200),
            "time": rng.integers(0, 4, 200),
            "sent": rng.random(200) < 0.5,
        },
        time_unit=1,
        n_draws=20,
        n_chains=2,
        n_warmup=20,
        rng=0,
    )


def grades():
    return rank.GradedComparisons.from_grades(
        ["a", "b", "a"], ["b", "c", "c"], ["win", "tie", "loss"], levels=["win", "tie", "loss"]
    )


def boards():
    games = rank.Comparisons.from_pairs(list("abcabc"), list("bcabca"), group=list("xxxyyy"))
    return rank.fit_groups(games, width=0.5)


def jury():
    games = rank.Comparisons.from_pairs(list("abcabc"), list("bcabca"), judge=list("xyxyxy"))
    return rank.fit_judges(games)


def team():
    left, right = [["a", "b"], ["a", "c"], ["a", "d"]], [["c", "d"], ["b", "d"], ["b", "c"]]
    return rank.team_strengths(left, right, [1, -1, 1], prior=1)


def projection():
    steps = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    return metric.project_and_forget(
        [3.0, 1.0, 2.0], lambda x: (steps[steps @ x > 0], np.zeros((steps @ x > 0).sum()))
    )


def learned():
    return metric.ITMLSupervised(random_state=0).fit(points(), np.arange(40) % 2).info_


def scored():
    return weigh.WeightingModel(points()).score_new([[0.0, 0.5], [9.0, 9.0]])


def sampled():
    return select.sensitivity_sample(points(), 10, clusters=3, rng=0)


def item_plan():
    return select.plan_items(points().T, 10, rng=0)


def regression():
    A = np.random.default_rng(0).normal(size=(500, 3))
    return select.regression_sample(A, A @ [1.0, 2.0, 3.0], 50, rng=0)


def components():
    return rank.Comparisons.from_pairs(["a", "c"], ["b", "d"]).components()


def styled():
    covariates = {"long": [0.1, -0.2, 0.3, 0.0, -0.4, 0.2, 0.1, -0.3]}
    wins = rank.Comparisons.from_pairs(list("aabbccad"), list("bcccadda"), covariates=covariates)
    return rank.bradley_terry(wins, covariates=["long"], prior=1).coefficients


NUMBERS = {"to_frame": "a handful of numbers", "plot": "a handful of numbers"}
INFO = {
    "to_frame": "its table is `trace`",
    "plot": "numbers and words",
    "eq": "numbers and words, compared by value",
}
LIST = {"plot": "no picture says more than the list"}
PICTURED = {"plot": "a clustering of points is drawn by who knows the points"}
PROPERTIES = ("repr", "html", "to_frame", "plot", "eq", "pickle")


RESULTS = {
    # rank
    rank.BootstrapResult: (lambda: paired().bootstrap(5, rng=0), {}),
    rank.BradleyTerryFit: (paired, {}),
    rank.Coefficients: (styled, {}),
    rank.Comparisons: (comparisons, {"plot": "counts; a fit of them is drawn"}),
    rank.ComponentReport: (components, LIST),
    rank.Contrast: (lambda: paired().contrast("a", "b"), NUMBERS),
    rank.Covariance: (
        lambda: paired().covariance(),
        {"plot": "`fit.plot(uncertainty=...)` draws the strengths with its intervals"},
    ),
    rank.Dynascore: (lambda: rank.dynascore(points(9)[:, 1:], points(9)[:, 0]), LIST),
    rank.EloRatings: (lambda: rank.elo(["a", "b"], ["b", "c"]), {}),
    rank.GlickoRatings: (lambda: rank.glicko2(["a", "b"], ["b", "c"]), {}),
    rank.GradedComparisons: (grades, {"plot": "counts; a fit of them is drawn"}),
    rank.GradedFit: (lambda: rank.graded(grades(), prior=1), {}),
    rank.GradeScale: (climbs, {"plot": "one number and its interval; `ability` gives a climber's line"}),
    rank.GroupFits: (boards, {}),
    rank.History: (history, {}),
    rank.HistoryInfo: (lambda: history().info, INFO),
    rank.HistorySamples: (
        lambda: history().sample(20, n_warmup=20, n_chains=2, rng=0).samples,
        {"plot": "`History.plot` draws their means and spreads over time"},
    ),
    rank.ItemResponseFit: (lambda: rank.irt([[1, 0, 1], [0, 1, 0], [1, 1, 0]]), {}),
    rank.JudgeFit: (jury, {}),
    rank.MetaElo: (
        lambda: rank.meta_elo(["a", "b"], [1600, 1500], f1=[0.9, 0.8], board=[0, 0], categories=[2, 2]),
        {},
    ),
    rank.PairwiseSignificance: (lambda: rank.pairwise_significance(points(9).T), LIST),
    rank.PlackettLuceFit: (lambda: rank.plackett_luce([["a", "b", "c"], ["c", "a", "b"]], prior=1), {}),
    rank.PreferenceWeights: (lambda: rank.preference_weights(points(9), points(9)[::-1]), LIST),
    rank.Prediction: (lambda: paired().predict(["a"], ["b"]), LIST),
    rank.RankInfo: (lambda: paired().info, INFO),
    rank.RankIntervals: (lambda: paired().rank_intervals(draws=100, rng=0), {}),
    rank.RaschFit: (lambda: rank.rasch([[1, 0, 1], [0, 1, 0], [1, 1, 0]]), {}),
    rank.ScheduleSimulation: (
        lambda: rank.simulate_schedule(4, n_rounds=3, n_repeats=2, rng=0),
        {"plot": "two curves over the first column of its table, which any data frame draws"},
    ),
    rank.Stability: (lambda: rank.stability(points(9).T, items=list("ab"), n_rounds=9, rng=0), {}),
    rank.TeamFit: (team, {}),
    rank.Tiers: (lambda: paired().tiers(), LIST),
    # weigh
    weigh.Balance: (lambda: weigh.balance(points(), np.arange(40) % 2), {}),
    weigh.Boundary: (
        lambda: weigh.boundary(points()),
        {"plot": "`weighting` draws the points, those of the boundary darkest"},
    ),
    weigh.DensityRatio: (lambda: weigh.density_ratio(points(), points(30) + 0.2, rng=0), LIST),
    weigh.Diversity: (lambda: weigh.max_diversity(points()), LIST),
    weigh.DiversityInfo: (lambda: weigh.max_diversity(points()).info, INFO),
    weigh.Effect: (
        lambda: weigh.balance(points(), np.arange(40) % 2).effect(np.arange(40.0)),
        {**NUMBERS, "eq": "numbers alone, compared by value"},
    ),
    weigh.EnsembleWeights: (lambda: weigh.ensemble_weights(points(), points()[:, 0] + 0.1), LIST),
    weigh.ExpectedPerformance: (
        lambda: weigh.expected_performance([0.9, 0.4, 0.2]),
        {"plot": "a handful of numbers"},
    ),
    weigh.MagnitudeFunction: (lambda: weigh.magnitude_function(points(), [1.0, 2.0]), {}),
    weigh.PointScores: (scored, LIST),
    weigh.Query: (lambda: weigh.query(points(), points(9) + 0.1, 3), LIST),
    weigh.SampleMatch: (lambda: weigh.match_samples(points(), points(9) + 0.3), LIST),
    weigh.SimilarityInfo: (lambda: weigh.solve_similarity(np.eye(3)).info, INFO),
    weigh.SimilaritySolution: (lambda: weigh.solve_similarity([[1.0, 0.5], [0.2, 1.0]]), LIST),
    weigh.SimplexQPInfo: (lambda: weigh.solve_simplex_qp(np.eye(3), np.ones(3)).info, INFO),
    weigh.SimplexQPResult: (lambda: weigh.solve_simplex_qp(np.eye(3), np.ones(3)), LIST),
    weigh.WeighInfo: (lambda: weigh.weighting(points()).info, INFO),
    weigh.Weighting: (lambda: weigh.weighting(points()), {}),
    # metric
    metric.CorrelationClustering: (
        lambda: metric.correlation_clustering(np.kron(np.eye(2), np.ones((3, 3))), rng=0),
        {},
    ),
    metric.ConflictCycles: (
        lambda: metric.cluster_edges([0, 1, 0], [1, 2, 2], [1.0, 1.0, -1.0]).cycles,
        {"plot": "a table of rows, as long as the proof"},
    ),
    metric.MetricInfo: (lambda: metric.nearest_metric([1.0, 5.0, 1.0]).info, INFO),
    metric.MetricLearningInfo: (learned, INFO),
    metric.NearestMetric: (lambda: metric.nearest_metric([1.0, 5.0, 1.0]), {"plot": "items have no place"}),
    metric.ProjectAndForget: (projection, LIST),
    metric.ProjectionInfo: (lambda: projection().info, INFO),
    metric.ViolationReport: (lambda: metric.violations([1.0, 5.0, 1.0]), LIST),
    # select
    select.ActiveTest: (lambda: select.active_test([1.0, 0.0, 2.0], [1 / 4, 1 / 3, 1 / 2], 4), LIST),
    select.Coreset: (lambda: select.coreset(points(), 10, clusters=3, rng=0), PICTURED),
    select.Estimate: (
        lambda: sampled().estimate(np.arange(10.0)),
        {**NUMBERS, "eq": "numbers alone, compared by value"},
    ),
    select.Evidence: (lambda: select.logme(points(), np.arange(40) % 2), LIST),
    select.ItemChoice: (
        lambda: select.item_utility(points(9)).choose(2),
        {**NUMBERS, "to_frame": "one list of indices"},
    ),
    select.ItemUtility: (lambda: select.item_utility(points(9)), LIST),
    select.ItemEstimate: (lambda: item_plan().estimate(np.arange(10) % 2), LIST),
    select.ItemPlan: (lambda: item_plan(), LIST),
    select.MeanEstimate: (
        lambda: select.pass_at_k([1, 2], 4, 2),
        {**NUMBERS, "eq": "numbers alone, compared by value"},
    ),
    select.PairedDifference: (
        lambda: select.paired_difference([1.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        {**NUMBERS, "eq": "numbers alone, compared by value"},
    ),
    select.FacilityLocation: (lambda: select.facility_location(points(), 3), LIST),
    select.KMeansInfo: (lambda: select.kmeans(points(), 3, rng=0).info, INFO),
    select.KMeansResult: (lambda: select.kmeans(points(), 3, rng=0), PICTURED),
    select.Medoids: (lambda: select.medoids(points(), 3, rng=0), PICTURED),
    select.MedoidsInfo: (lambda: select.medoids(points(), 3, rng=0).info, INFO),
    select.RegressionSample: (regression, LIST),
    select.Sample: (sampled, LIST),
    select.Seeding: (lambda: select.kmeans_plusplus(points(), 3, rng=0), PICTURED),
    select.SensitivityPlan: (lambda: select.plan_sensitivity(points(), clusters=3, rng=0), LIST),
}


def is_readable(text, name):
    """Begins with the name of its class, and holds neither arrays nor addresses."""
    return text.startswith(name) and not re.search(r"array\(| object at 0x", text)


def is_table(columns):
    lengths = {np.shape(column) for column in columns.values()}
    return len(lengths) == 1 and len(lengths.pop()) == 1


def holds(what, result):
    """Whether a result has one of the six properties."""
    cls = type(result)
    return {
        "repr": lambda: is_readable(repr(result), cls.__name__),
        "html": lambda: hasattr(result, "_repr_html_") and "<table>" in result._repr_html_(),
        "to_frame": lambda: hasattr(result, "to_frame") and is_table(result.to_frame()),
        "plot": lambda: hasattr(result, "plot"),
        "eq": lambda: cls.__eq__ is object.__eq__,
        "pickle": lambda: repr(pickle.loads(pickle.dumps(result))) == repr(result),
    }[what]()


def test_every_public_result_is_in_the_table():
    assert [cls.__qualname__ for cls in results() if cls not in RESULTS] == []


@functools.cache
def example(cls):
    return RESULTS[cls][0]()


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("cls", RESULTS, ids=lambda cls: cls.__qualname__)
def test_results_of_all_families_are_alike_but_for_the_gaps_that_are_named(cls):
    result, gaps = example(cls), RESULTS[cls][1]
    assert type(result) is cls
    assert set(gaps) <= set(PROPERTIES)
    assert all(gaps.values())
    assert {what for what in PROPERTIES if not holds(what, result)} == set(gaps)


def test_what_is_not_readable_and_what_is_no_table_is_seen():
    assert not is_readable("Weights(array([1., 2.]))", "Weights")
    assert not is_readable("<Weights object at 0x7f>", "Weights")
    assert not is_readable("Weighting: 2 points", "Weights")
    assert not is_table({"a": [1, 2], "b": [1]})
    assert not is_table({"a": [[1, 2]]})


# ---- in a notebook


def test_a_notebook_shows_the_words_and_the_head_of_the_table():
    text = as_html("Name: <3 points>\nnote: a & b", {"row": np.arange(10), "<x>": np.full(10, "<i>")}, 12_345)
    assert text.startswith("<div><b>Name</b>: &lt;3 points&gt;<br>note: a &amp; b<table>")
    assert "<th>&lt;x&gt;</th>" in text
    assert "<td style='text-align:left'>&lt;i&gt;</td>" in text
    assert text.count("<tr>") == 11
    assert text.endswith("</table>... and 12,335 more rows</div>")


def test_a_result_without_a_table_shows_its_numbers_and_words():
    @dataclasses.dataclass
    class Found(Result):
        size: float
        kind: str
        weights: np.ndarray
        _held: int = 3

        def __repr__(self):
            return "Found: 1"

    text = Found(1 / 3, "a", np.ones(3))._repr_html_()
    assert "<td style='text-align:left'>size</td><td>0.333333</td>" in text
    assert "weights" not in text
    assert "_held" not in text


@pytest.mark.parametrize("shown", ["Found(1, f(2))", "Found: 1, f(2)"])
def test_a_notebook_writes_the_name_apart_whichever_way_a_result_does(shown):
    @dataclasses.dataclass
    class Found(Result):
        size: int

        def __repr__(self):
            return shown

    assert Found(1)._repr_html_().startswith("<div><b>Found</b>: 1, f(2)<table>")


def test_a_notebook_asks_no_fit_for_what_takes_solves(monkeypatch):
    shown = [paired(), history(), styled()]

    def refuse(*_):
        raise AssertionError("solved")

    monkeypatch.setattr(rank.BradleyTerryFit, "_information", refuse)
    monkeypatch.setattr(rank.History, "standard_errors", property(refuse))
    for result in shown:
        assert "<table>" in result._repr_html_()


def test_a_notebook_does_not_make_all_pairs_of_a_metric():
    found = metric.nearest_metric(np.ones(400 * 399 // 2))
    some, total = found._head(10)
    assert total == 79_800
    every = found.to_frame()
    for name in ("i", "j", "distance"):
        np.testing.assert_array_equal(some[name], every[name][:10])
    square = metric.nearest_metric(1.0 - np.eye(5))
    np.testing.assert_array_equal(square.to_frame()["distance"], np.ones(10))
