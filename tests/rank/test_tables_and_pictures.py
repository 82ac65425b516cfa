"""Tables and pictures of results, beside what they show."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.figure import Figure

from steelyard import rank

WIDE = 1.6448536269514722  # of a normal law, 90 % within


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def fit():
    wins = [[0, 30, 25], [12, 0, 20], [10, 14, 0]]
    return rank.bradley_terry(rank.Comparisons.from_counts(wins, items=["ben", "ann", "cat"]))


def drawn(axes):
    """Names, values and ends of what is drawn, from the top."""
    axes.figure.canvas.draw()
    ends = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()])
    return [tick.get_text() for tick in axes.get_yticklabels()], axes.lines[0].get_xdata(), ends.T


def held(axes, names, values, lower, upper):
    shown, middle, ends = drawn(axes)
    assert shown == list(names)
    np.testing.assert_allclose(middle, values)
    np.testing.assert_allclose(ends, [lower, upper])


def test_a_bootstrap_is_a_leaderboard_with_the_ends_of_its_rounds(fit):
    rounds = fit.bootstrap(50, rng=0)
    lower, upper = rounds.intervals(0.9)
    table = rounds.to_frame(level=0.9)
    np.testing.assert_array_equal(table["item"], fit.items[fit.order])
    np.testing.assert_array_equal(table["rating"], fit.strengths[fit.order])
    np.testing.assert_array_equal(table["lower"], lower[fit.order])
    np.testing.assert_array_equal(table["upper"], upper[fit.order])
    assert not table["provisional"].any()
    held(rounds.plot(level=0.9), *(table[name] for name in ("item", "rating", "lower", "upper")))


def test_rank_sets_and_tiers(fit):
    sets, tiers = fit.rank_intervals(rng=0), fit.tiers(rng=0)
    held(sets.plot(), *sets.to_frame().values())
    table = tiers.to_frame()
    np.testing.assert_array_equal(table["item"], fit.items[fit.order])
    np.testing.assert_array_equal(table["tier"], tiers.tier[fit.order])


def test_a_covariance_has_the_errors_of_its_items(fit):
    found = fit.covariance(items=["cat", "ben"])
    assert found.to_frame()["item"].tolist() == ["cat", "ben"]
    np.testing.assert_array_equal(found.to_frame()["standard_error"], found.standard_errors)


@pytest.mark.parametrize(("a", "b", "rows"), [("ben", "ann", 1), (["ben", "cat"], ["ann", "ann"], 2)])
def test_predictions_have_a_row_a_pair(fit, a, b, rows):
    found = fit.predict(a, b)
    for name, column in found.to_frame().items():
        np.testing.assert_array_equal(column, np.broadcast_to(getattr(found, name), rows))


def test_abilities_and_ratings_are_drawn_with_normal_intervals():
    persons = rank.rasch([[1, 0, 1], [0, 1, 0], [1, 1, 0]], prior=0.1)
    table = persons.to_frame()
    half = WIDE * table["standard_error"]
    held(persons.plot(level=0.9), map(str, table["person"]), x := table["ability"], x - half, x + half)
    ratings = rank.glicko2(["a", "b", "a"], ["b", "c", "c"])
    table = ratings.to_frame()
    half = WIDE * table["deviation"]
    held(ratings.plot(level=0.9), table["item"], x := table["rating"], x - half, x + half)


def test_ratings_without_errors_are_dots():
    for result in (
        rank.elo(["a", "b", "a"], ["b", "c", "c"]),
        rank.meta_elo(["b", "a"], [1600, 1500], f1=[0.9, 0.8], board=[0, 0], categories=[2, 2]),
    ):
        table = result.to_frame()
        held(result.plot(), table["item"], x := table["rating"], x, x)
        axes = Figure().subplots()
        assert result.plot(top=1, ax=axes) is axes
        assert len(drawn(axes)[0]) == 1


def test_coefficients_are_drawn_with_their_intervals():
    longer = {"longer": [1.0, -1.0, -1.0, 1.0]}
    games = rank.Comparisons.from_pairs(list("aabb"), list("bbaa"), count=[8, 4, 2, 6], covariates=longer)
    found = rank.bradley_terry(games, covariates=True).coefficients
    table = found.to_frame(level=0.9, kind="hessian")
    axes = found.plot(level=0.9, kind="hessian")
    held(axes, ["longer"], table["value"], table["lower"], table["upper"])


def test_stability_is_drawn_as_ranks():
    scores = np.random.default_rng(0).normal(size=(4, 20)) + np.arange(4)[:, None] / 3
    found = rank.stability(scores, items=list("abcd"), n_rounds=50, rng=0)
    table = found.to_frame()
    held(found.plot(), table["item"], table["rank"], table["rank_low"], table["rank_high"])


def test_draws_of_a_history_have_a_row_a_kept_node():
    games = rank.Comparisons.from_pairs(list("abca"), list("bcab"), time=[0, 1, 2, 3])
    history = rank.whole_history(games, volatility=0.3).sample(500, n_chains=4, rng=0, keep=["a", "c"])
    samples = history.samples
    table = samples.to_frame(level=0.5)
    draws = samples.strengths.reshape(-1, len(samples.nodes)).astype(float)
    np.testing.assert_array_equal(table["node"], samples.nodes)
    np.testing.assert_allclose(table["mean"], draws.mean(axis=0))
    np.testing.assert_allclose(table["sd"], draws.std(axis=0, ddof=1))
    share = ((draws > table["lower"]) & (draws < table["upper"])).mean(axis=0)
    np.testing.assert_allclose(share, 0.5, atol=1e-3)
    some, total = samples._head(2)
    assert total == len(samples.nodes)
    np.testing.assert_array_equal(some["mean"], table["mean"][:2])


def test_a_notebook_labels_only_the_rows_it_shows():
    days = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")
    table = rank.Comparisons.from_pairs(
        ["a", "b"], ["b", "c"], time=days, cluster=["x", "y"], covariates={"long": [0.5, 1.0]}
    )
    some, total = table._head(1)
    assert total == 2
    for name, column in table.to_frame().items():
        np.testing.assert_array_equal(some[name], column[:1])
    page = table._repr_html_()
    assert page.startswith("<div><b>Comparisons</b>: 3 items, 2 comparisons in 2 rows")
    assert "2020-01-02" in page
