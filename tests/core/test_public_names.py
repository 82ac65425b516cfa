"""Public names are known by their family: in pickles, in reprs and in links to their source."""

from __future__ import annotations

import inspect
import linecache
import pickle
import pickletools
import re
import sys
import types
import warnings
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import steelyard
import steelyard.dask
from steelyard import _naming, datasets, metric, plotting, rank, select, weigh

FAMILIES = (steelyard, rank, weigh, metric, select, steelyard.dask, datasets)
PRIVATE = re.compile(r"steelyard[\w.]*\._")


def offered():
    """Public classes and functions with the module that offers them, by their full name."""
    found = {
        f"{home.__name__}.{name}": (getattr(home, name), home) for home in FAMILIES for name in home.__all__
    }
    return {k: v for k, v in found.items() if inspect.isclass(v[0]) or inspect.isfunction(v[0])}


OFFERED = offered()


def fits():
    games = rank.Comparisons.from_pairs(
        ["ann", "ben", "cat", "ann", "ben", "cat"],
        ["ben", "cat", "ann", "cat", "ann", "ben"],
        tie=[False, False, True, False, False, False],
        time=[0, 1, 2, 3, 4, 5],
    )
    fit = rank.bradley_terry(games, ties="davidson")
    orders = [["ann", "ben", "cat"], ["cat", "ann", "ben"], ["ben", "cat", "ann"]]
    history = rank.whole_history(games, volatility=0.3)
    return games, fit, orders, history


def rank_results():
    games, fit, orders, history = fits()
    drawn = history.sample(20, n_chains=2, n_warmup=20, rng=0)
    scores = np.array([[1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 0.0, 0.2], [0.3, 1.0, 1.0, 0.1]])
    grades = rank.GradedComparisons.from_grades(
        ["ann", "ben"], ["ben", "ann"], ["win", "tie"], levels=["win", "tie", "loss"]
    )
    return [
        games,
        games.components(),
        fit,
        fit.info,
        fit.covariance(),
        fit.contrast("ann", "ben"),
        fit.predict(["ann"], ["ben"]),
        fit.bootstrap(20, rng=0),
        fit.rank_intervals(),
        fit.tiers(),
        rank.plackett_luce(orders),
        grades,
        rank.graded(grades, prior=1),
        rank.fit_judges(rank.Comparisons.from_pairs(list("abab"), list("baba"), judge=[0, 0, 1, 1])),
        rank.fit_groups(
            rank.Comparisons.from_pairs(list("abab"), list("baba"), group=[0, 0, 1, 1]), width=0.5
        ),
        rank.team_strengths([["ann"], ["ben"]], [["ben"], ["cat"]], [1, -1], prior=1),
        rank.irt(np.array([[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 1]])),
        rank.rasch(np.array([[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 1]])),
        history,
        history.info,
        history.strength("ann", 1.5),
        drawn,
        drawn.samples,
        rank.elo(["ann", "ben"], ["ben", "cat"]),
        rank.glicko2(["ann", "ben"], ["ben", "cat"], period=[0, 1]),
        rank.stability(scores, n_rounds=5, rng=0),
        rank.pairwise_significance(scores),
        rank.dynascore(scores[:, 1:], scores[:, 0]),
        rank.preference_weights(scores, scores[::-1]),
    ]


def late_rank_results():
    rng = np.random.default_rng(0)
    tries = {
        "climber": rng.integers(0, 3, 200),
        "grade": rng.integers(14, 23, 200),
        "time": rng.integers(0, 3, 200),
        "sent": rng.random(200) < 0.5,
    }
    table = rank.Comparisons.from_pairs(
        ["x", "y", "z", "x"], ["y", "z", "x", "z"], covariates={"long": [1.0, -1.0, 0.5, 1.5]}
    )
    fitted = rank.bradley_terry(table, covariates=True, prior=1.0)
    boards = rank.meta_elo(["a", "b"], [1.0, 2.0], f1=[0.5, 0.6], board=["x", "x"], categories=[2, 2])
    return [
        rank.grade_scale(tries, time_unit=1, n_draws=10, n_chains=2, n_warmup=20, rng=0),
        rank.simulate_schedule(4, n_rounds=2, n_repeats=2, rng=0),
        table,
        fitted,
        fitted.coefficients,
        boards,
    ]


def weigh_results():
    X = np.random.default_rng(0).normal(size=(30, 2))
    model = weigh.WeightingModel(X, scale=1.0)
    program = weigh.solve_simplex_qp(np.eye(2), np.zeros(2))
    diversity = weigh.max_diversity(X)
    solution = weigh.solve_similarity(np.eye(3) + 0.1)
    weighting = weigh.weighting(X)
    balance = weigh.balance(X, np.arange(30) % 2)
    return [
        balance,
        balance.effect(X[:, 0]),
        weigh.match_samples(X[:20], X[20:]),
        weigh.BalancingWeights().fit(X, np.arange(30) % 2),
        weigh.SampleMatcher().fit(X[:20], X[20:]),
        weighting,
        weighting.info,
        weigh.magnitude_function(X, [0.1, 1.0]),
        model,
        model.score_new(X[:2] + 0.1),
        program,
        program.info,
        diversity,
        diversity.info,
        solution,
        solution.info,
        weigh.query(X[:3], X[3:]),
        weigh.boundary(X),
        weigh.MagnitudeOutlierDetector().fit(X),
        weigh.WeightingClassifier().fit(X, np.arange(30) % 2),
        weigh.ensemble_weights(X, X[:, 0] + 0.1),
        weigh.expected_performance([0.9, 0.3]),
        weigh.density_ratio(X[:9], X[9:], rng=0),
        weigh.WeightedEnsemble([("line", LinearRegression())]).fit(X, X[:, 0]),
    ]


def metric_results():
    D = np.array([[0, 1, 5.0], [1, 0, 1], [5, 1, 0]])
    X = np.random.default_rng(0).normal(size=(20, 2))
    steps = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    projected = metric.project_and_forget(
        [3.0, 1.0, 2.0], metric.RandomRows(steps, np.zeros(2), size=2, rng=0)
    )
    learner = metric.ITMLSupervised(random_state=0).fit(X, np.arange(20) % 2)
    near = metric.nearest_metric(D)
    return [
        metric.violations(D),
        near,
        near.info,
        projected,
        projected.info,
        metric.correlation_clustering(np.array([[0, 1, -1], [1, 0, 1], [-1, 1, 0]]), rng=0),
        metric.cluster_edges([0, 1, 0], [1, 2, 2], [1.0, 1.0, -1.0]).cycles,
        metric.CorrelationClusterer(random_state=0).fit(X),
        metric.ITML().fit(X[:8].reshape(4, 2, 2), [1, -1, 1, -1]),
        learner,
        learner.info_,
        metric.RandomRows(steps, np.zeros(2), size=2, rng=0),
    ]


def select_results():
    X = np.random.default_rng(0).normal(size=(60, 2))
    clusters = select.kmeans(X, 3, rng=0)
    plan = select.plan_sensitivity(X, clusters=3, rng=0)
    sample = select.sensitivity_sample(X, 10, clusters=3, losses=lambda rows: np.ones(len(rows)), rng=0)
    stream = select.StreamingCoreset(10, clusters=2, rng=0)
    stream.partial_fit(X)
    items = select.plan_items(X.T, 10, rng=0)
    told = select.ModelSelector(np.array([[0, 1, 1, 0], [1, 1, 0, 0]]), epsilon=0.3)
    return [
        clusters,
        clusters.info,
        select.kmeans_plusplus(X, 3, rng=0),
        select.medoids(X, 3, rng=0),
        select.medoids(X, 3, rng=0).info,
        select.facility_location(X, 3),
        select.KMeans(3).fit(X),
        select.KMedoids(3).fit(X),
        plan,
        sample,
        sample.estimate(np.ones(10)),
        select.coreset(X, 20, clusters=3, rng=0),
        stream,
        select.regression_sample(X, X[:, 0], 20, rng=0),
        select.active_test([1.0, 0.0, 2.0], [1 / 4, 1 / 3, 1 / 2], 4),
        select.logme(X, np.arange(60) % 2),
        select.item_utility(X),
        select.item_utility(X).choose(2),
        select.pass_at_k([1, 2], 4, 2),
        items,
        items.estimate(np.arange(10) % 2),
        select.paired_difference([1.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        told,
        steelyard.dask.kmeans(da.from_array(X, chunks=(30, 2)), 3, rng=0),
        datasets.load_iris(),
    ]


BUILDERS = (rank_results, late_rank_results, weigh_results, metric_results, select_results)
# Made by others, or of what callers make themselves.
NEVER_MADE = {"steelyard.Info", "steelyard.select.StreamingCoreset"}


def words(data):
    """All text in a pickle: paths of what it calls for among it."""
    return [str(value) for _, value, _ in pickletools.genops(data) if isinstance(value, str)]


@pytest.fixture(scope="module")
def results():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.ConvergenceWarning)  # of a handful of draws
        return [result for build in BUILDERS for result in build()]


def test_a_result_of_every_public_class_is_looked_at(results):
    classes = {name for name, (thing, _) in OFFERED.items() if inspect.isclass(thing)}
    errors = {n for n in classes if issubclass(OFFERED[n][0], BaseException)}
    seen = {f"{type(r).__module__}.{type(r).__qualname__}" for r in results}
    assert classes - errors - seen - NEVER_MADE == set()
    assert seen <= classes


def test_no_pickle_and_no_repr_holds_a_private_path(results):
    for result in results:
        data = pickle.dumps(result)
        assert [word for word in words(data) if PRIVATE.search(word)] == [], type(result)
        assert not PRIVATE.search(repr(result))
        assert type(pickle.loads(data)) is type(result)


def test_parts_are_known_with_an_underscore_and_each_by_a_name_of_its_own(monkeypatch):
    for name in ("toy", "toy._a", "toy._b"):
        room = types.ModuleType(name)
        room.__file__ = "toy.py"
        monkeypatch.setitem(sys.modules, name, room)
        exec(
            "class Part: pass\nclass _State: pass\ndef work(): pass\nclass Fit:\n  def f(self): pass",
            vars(room),
        )
    face, first, second = (sys.modules[name] for name in ("toy", "toy._a", "toy._b"))
    del face.Part, face._State
    face.Fit = first.Fit
    _naming.claim("toy", ["Fit", "absent"], vars(face), functions=True)
    assert (first.Fit.__module__, first.Fit.f.__module__) == ("toy", "toy")
    assert (face._Part, face._Part_b) == (first.Part, second.Part)
    assert face._State is first._State
    assert face._work is first.work
    for thing in (first.Fit, first.Part, second.Part, second._State, second.work, second.Fit):
        assert pickle.loads(pickle.dumps(thing)) is thing
        assert not any("._" in word for word in words(pickle.dumps(thing)))


def listed(folder):
    """Names that the pages of the reference list, one a line of an autosummary."""
    for page in folder.glob("*.md"):
        module = "steelyard"
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\.\. currentmodule:: (\S+)", line):
                module = found[1]
            elif found := re.fullmatch(r"   (\w+)", line):
                yield f"{module}.{found[1]}"


def test_every_public_name_has_its_page_in_the_reference():
    pages = list(listed(Path(__file__).parents[2] / "docs" / "api"))
    names = {*OFFERED, *(f"steelyard.plotting.{name}" for name in plotting.__all__)}
    assert len(pages) == len(set(pages))
    assert names - set(pages) == set(), "add them to docs/api"
    assert set(pages) - names - {"steelyard.build_info"} == set()


def test_a_private_path_would_be_seen():
    assert PRIVATE.search("steelyard.rank._paired.fit")
    assert PRIVATE.search("steelyard._info")
    assert not PRIVATE.search("steelyard.rank numpy._core.multiarray")
    assert any(PRIVATE.search(word) for word in words(pickle.dumps(_naming.claim)))


def test_a_public_name_belongs_to_the_family_that_offers_it():
    for name, (thing, home) in OFFERED.items():
        assert thing.__module__ == home.__name__
        assert f"{thing.__module__}.{thing.__qualname__}" == name
        assert pickle.loads(pickle.dumps(thing)) is thing


def test_links_to_the_source_of_a_public_name_resolve():
    for name, (thing, _) in OFFERED.items():
        file, line = _naming.source(thing)
        text = "".join(linecache.getlines(file)[line - 1 : line + 8])
        assert re.search(rf"^(class|def) {thing.__name__}\b", text, re.MULTILINE), f"{name}: {file}:{line}"
        for method in vars(thing).values() if inspect.isclass(thing) else [thing]:
            if inspect.isfunction(method) and inspect.unwrap(method).__code__.co_filename == file:
                assert f"def {method.__name__}(" in inspect.getsource(method), name


def test_every_guide_of_the_site_is_in_its_contents():
    """Else the site, which .ci/run does not build, fails."""
    docs = Path(__file__).parents[2] / "docs"
    listed = set((docs / "index.md").read_text(encoding="utf-8").splitlines())
    entries = {line.rstrip(">").split("<")[-1].strip() for line in listed}
    pages = {path.stem for path in docs.glob("*.md")} - {"index"}
    assert len(pages) > 10
    assert pages - entries == set(), "add them to a toctree of docs/index.md"
