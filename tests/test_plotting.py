"""Pictures, drawn without a screen."""

import itertools
import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.figure import Figure

from steelyard import plotting, weigh
from steelyard.rank import Comparisons, bradley_terry, whole_history


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def fit():
    wins = [[0, 30, 25], [12, 0, 20], [10, 14, 0]]
    return bradley_terry(Comparisons.from_counts(wins, items=["b$a$r", "ann", "cat"]))


def names(axes):
    return [tick.get_text() for tick in axes.get_yticklabels()]


def points(axes):
    return axes.lines[0].get_xdata()


@pytest.mark.parametrize("scale", ["log", "elo", "probability"])
def test_ratings_are_drawn_strongest_on_top_with_their_intervals(fit, scale):
    axes = plotting.plot_strengths(fit, scale=scale)
    table = fit.to_frame(scale=scale)
    np.testing.assert_allclose(points(axes), table["rating"])
    ends = np.array([segment[:, 0] for segment in axes.collections[0].get_segments()])
    np.testing.assert_allclose(ends, np.column_stack([table["lower"], table["upper"]]))
    assert names(axes) == table["item"].tolist()
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    axes.figure.canvas.draw()


def test_dollars_in_names_are_shown_as_they_are(fit):
    games = Comparisons.from_pairs(["$a^$", r"\$b"], [r"\$b", "$a^$"], time=[0, 9])
    axes = plotting.plot_history(whole_history(games, volatility=0.1))
    axes.figure.canvas.draw()
    legend = axes.get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["$a^$", r"\$b"]
    shown = [*legend, *plotting.plot_strengths(fit).get_yticklabels()]
    assert not any(text.get_parse_math() for text in shown)


def test_only_the_strongest_are_drawn_on_demand(fit):
    assert len(points(plotting.plot_strengths(fit, top=2))) == 2
    with pytest.raises(ValueError, match="top must be at least 1"):
        plotting.plot_strengths(fit, top=0)


def test_the_axes_given_are_used(fit):
    axes = Figure().subplots()
    assert plotting.plot_strengths(fit, uncertainty=None, ax=axes) is axes
    assert fit.plot(ax=axes) is axes


def test_infinite_intervals_reach_to_the_edge():
    fit = bradley_terry(Comparisons.from_counts([[0, 3, 0], [1, 0, 2], [1, 1, 0]]))
    axes = plotting.plot_strengths(fit, uncertainty=fit.bootstrap(40, rng=0))
    axes.figure.canvas.draw()
    assert np.isfinite(axes.get_xlim()).all()


def test_rank_sets_are_drawn(fit):
    intervals = fit.rank_intervals()
    axes = plotting.plot_rank_intervals(intervals)
    assert points(axes).tolist() == [1, 2, 3]
    assert axes.get_xlim() == (0.5, 3.5)
    assert all(tick == int(tick) for tick in axes.get_xticks())
    assert axes.get_xlabel() == "rank (95 % simultaneous)"
    assert names(axes)[0] == "b$a$r"
    axes.figure.canvas.draw()


def test_the_first_rows_of_a_table_are_drawn_with_intervals_where_it_has_them():
    table = {"who": ["b$a$r", "ann"], "points": [3, 1], "games": [9, 9], "upper": [4.5, np.inf]}
    axes = plotting.plot_estimates(table)
    axes.figure.canvas.draw()
    assert names(axes) == table["who"]
    assert axes.get_xlabel() == "points"
    assert points(axes).tolist() == [3, 1]
    ends = [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()]
    assert ends == [[3, 4.5], [1, 4.5]]
    assert names(plotting.plot_estimates(table, top=1)) == ["b$a$r"]
    with pytest.raises(ValueError, match="table must have a column of labels and one of numbers, got who"):
        plotting.plot_estimates({"who": ["ann"]})


@pytest.fixture(scope="module")
def cloud():
    X = np.random.default_rng(3).normal(size=(60, 3)) * [1.0, 2.0, 3.0] + [10.0, 0.0, -5.0]
    X[7] = X[3]
    return X, weigh.weighting(X, scale="fraction")


def test_points_are_drawn_where_they_were_with_areas_and_colours_by_weight(cloud):
    X, w = cloud
    axes = w.plot()
    dots = axes.collections[0]
    order = np.argsort(w.weights, kind="stable")
    np.testing.assert_allclose(dots.get_offsets(), X[order, :2], atol=1e-12)
    np.testing.assert_array_equal(dots.get_array(), w.weights[order])
    assert (np.diff(dots.get_sizes()) >= 0).all()
    assert "scale" in axes.get_title()
    axes.figure.canvas.draw()


def test_points_are_drawn_where_they_are_told(cloud):
    X, w = cloud
    axes = Figure().subplots()
    assert plotting.plot_weights(w, X[:, 1:], ax=axes) is axes
    order = np.argsort(w.weights, kind="stable")
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), X[order, 1:])
    line = plotting.plot_weights(w, X[:, 2]).lines[0]
    np.testing.assert_array_equal(line.get_xdata(), np.sort(X[:, 2]))
    for wrong in (X[:-1], X[None], np.empty((60, 0))):
        with pytest.raises(ValueError, match="X must have a row for each of the 60 weights"):
            plotting.plot_weights(w, wrong)
    with pytest.raises(TypeError, match="X must hold real numbers"):
        plotting.plot_weights(w, X.astype(str))


def test_negative_weights_are_drawn_smallest():
    D = np.array([[0, 2, 2, 1, 1], [2, 0, 2, 1, 1], [2, 2, 0, 1, 1], [1, 1, 1, 0, 2], [1, 1, 1, 2, 0.0]])
    w = weigh.weighting(D, metric="precomputed", scale=0.5)
    assert w.weights.min() < 0
    dots = plotting.plot_weights(w, np.arange(10.0).reshape(5, 2)).collections[0]
    assert (dots.get_sizes() >= 8).all()
    assert dots.get_array()[0] == w.weights.min()


def test_many_points_are_drawn_as_small_dots_and_as_pixels():
    x = np.arange(21_000.0)
    dots = weigh.weighting(x[:, None]).plot(np.column_stack([x, x % 7])).collections[0]
    assert dots.get_sizes().max() < 10
    assert dots.get_rasterized()


def test_one_feature_gives_weight_over_it():
    w = weigh.weighting([[3.0], [1.0], [2.0]])
    line = w.plot().lines[0]
    np.testing.assert_allclose(line.get_xdata(), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(line.get_ydata(), w.weights[[1, 2, 0]])


@pytest.mark.parametrize("metric", ["precomputed", "cosine", "hamming"])
def test_without_vectors_the_weights_are_drawn_largest_first(metric):
    X = [[0.0, 1.0, 9.0], [1.0, 0.0, 8.0], [9.0, 8.0, 0.0]]
    w = weigh.weighting(X, metric=metric)
    axes = w.plot()
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), np.sort(w.weights)[::-1])
    axes.figure.canvas.draw()


def test_places_are_those_of_vectors_alone(cloud):
    X, w = cloud
    np.testing.assert_allclose(w.places(), X, atol=1e-12)
    assert weigh.weighting(1.0 - np.eye(3), metric="precomputed").places() is None


def test_the_latest_of_a_history_are_drawn_unless_others_are_named():
    games = Comparisons.from_pairs(["ann", "ben", "cat"], ["ben", "cat", "dan"], time=[0, 5, 9])
    history = whole_history(games, volatility=0.1)
    assert history.latest(2) == ["ann", "ben"]
    assert sorted(history.latest()) == ["ann", "ben", "cat", "dan"]
    with pytest.raises(ValueError, match="count must be at least 1"):
        history.latest(0)
    assert [line.get_label() for line in history.plot().get_lines()] == history.latest(5)
    assert [line.get_label() for line in history.plot(["cat"]).get_lines()] == ["cat"]


def test_whatever_offers_its_columns_is_drawn():
    class Table:
        items = np.array(["a", "b"])
        order = np.array([1, 0])

        def to_frame(self, *, scale, level, uncertainty, items):
            return {"item": items, "rating": np.array([2.0, 1.0])}

    axes = plotting.plot_strengths(Table())
    assert names(axes) == ["b", "a"]
    assert points(axes).tolist() == [2.0, 1.0]


def test_plotting_needs_no_family_and_no_matplotlib(run_python):
    seen = (
        "import sys, steelyard.plotting\n"
        "print([m for m in sys.modules if m.startswith(('steelyard.rank', 'steelyard.weigh', 'matplotlib'))])"
    )
    assert run_python(seen).strip() == "[]"


def test_a_magnitude_function_is_drawn_below_the_number_of_points(cloud):
    f = weigh.magnitude_function(cloud[0])
    axes = f.plot()
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), f.scales)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), f.magnitudes)
    assert list(axes.lines[1].get_ydata()) == [59, 59]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    given = Figure().subplots()
    assert plotting.plot_magnitude_function(f, ax=given) is given


def test_magnitudes_below_zero_are_drawn_too():
    D = np.array([[0, 2, 2, 1, 1], [2, 0, 2, 1, 1], [2, 2, 0, 1, 1], [1, 1, 1, 0, 2], [1, 1, 1, 2, 0.0]])
    f = weigh.magnitude_function(D, [0.1, 0.34, 1.0], metric="precomputed")
    assert f.magnitudes.min() < 0
    assert f.plot().get_yscale() == "linear"


def test_a_missing_matplotlib_names_the_extra(fit, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"steelyard\[plot\]"):
        plotting.plot_strengths(fit)


def test_axes_that_are_none_are_refused_by_name():
    fit = bradley_terry(Comparisons.from_pairs(["a", "b", "c"], ["b", "c", "a"]))
    points = weigh.weighting([[0.0], [1.0], [3.0]])
    for draw in (fit.plot, points.plot, weigh.magnitude_function([[0.0], [1.0]], [1.0]).plot):
        with pytest.raises(TypeError, match=r"^ax must be matplotlib axes or None, got 3"):
            draw(ax=3)


# ---- many, long, few


def overlaps(texts):
    boxes = sorted((text.get_window_extent() for text in texts if text.get_text()), key=lambda b: b.y0)
    return any(a.y1 > b.y0 + 0.5 for a, b in itertools.pairwise(boxes))


def is_inside(thing, figure):
    box, page = thing.get_window_extent(), figure.bbox
    return box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1


def ladder(names):
    """Each beats the next, the last the first."""
    return Comparisons.from_pairs(names, [*names[1:], names[0]], time=np.arange(len(names)) % 3)


def test_a_very_long_name_leaves_the_axes_their_room():
    fit = bradley_terry(ladder(["a" * 300, "b" * 300, "cat"]))
    axes = fit.plot()
    axes.figure.canvas.draw()
    assert axes.bbox.width > 0.45 * axes.figure.bbox.width
    assert {text[-9:] for text in names(axes)} == {"a" * 9, "b" * 9, "cat"}


@pytest.mark.parametrize("given", [True, False])
def test_names_of_two_hundred_items_do_not_overlap(given):
    fit = bradley_terry(ladder([f"item {k}" for k in range(200)]))
    ax = Figure(figsize=(6, 5)).subplots() if given else None
    axes = plotting.plot_strengths(fit, top=200, uncertainty=None, ax=ax)
    axes.figure.canvas.draw()
    assert not overlaps(axes.get_yticklabels())
    assert len(names(axes)) >= (40 if given else 200)
    assert len(points(axes)) == 200


def test_forty_lines_have_forty_colours_and_a_legend_inside_the_figure():
    history = whole_history(ladder([f"item {k}" for k in range(40)]), volatility=0.1)
    axes = history.plot(history.items.tolist(), uncertainty=False)
    axes.figure.canvas.draw()
    assert len({tuple(line.get_color()) for line in axes.get_lines()}) == 40
    assert is_inside(axes.get_legend(), axes.figure)
    assert axes.bbox.width > 0.4 * axes.figure.bbox.width
    given = Figure(figsize=(7, 5)).subplots()
    history.plot(history.items.tolist(), uncertainty=False, ax=given)
    given.figure.canvas.draw()
    assert is_inside(given.get_legend(), given.figure)


def test_levels_of_intervals_and_what_goes_along_are_stated(fit):
    assert plotting.plot_strengths(fit, level=0.9).get_xlabel().endswith(", 90 % intervals")
    assert plotting.plot_strengths(fit, uncertainty=None).get_xlabel() == "strength (natural log, mean 0)"
    axes = whole_history(ladder(["a", "b", "c"]), volatility=0.1).plot(level=0.8)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time", "strength (natural log), 80 % bands")


def test_colours_of_weights_part_at_zero_and_none_is_lost_on_white():
    D = np.array([[0, 2, 2, 1, 1], [2, 0, 2, 1, 1], [2, 2, 0, 1, 1], [1, 1, 1, 0, 2], [1, 1, 1, 2, 0.0]])
    mixed = weigh.weighting(D, metric="precomputed", scale=0.5)
    dots = plotting.plot_weights(mixed, np.arange(10.0).reshape(5, 2)).collections[0]
    assert dots.norm.vmin == -dots.norm.vmax
    assert dots.figure.axes[1].get_ylim() == (mixed.weights.min(), mixed.weights.max())
    low, high = dots.to_rgba([mixed.weights.min(), mixed.weights.max()])[:, :3]
    assert low[2] > low[0]
    assert high[0] > high[2]
    plain = weigh.weighting([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]).plot().collections[0]
    assert plain.norm.vmin == 0
    for drawn in (plain, dots):
        every = drawn.to_rgba(np.linspace(drawn.norm.vmin, drawn.norm.vmax, 99))[:, :3]
        assert (every @ [0.2126, 0.7152, 0.0722]).max() < 0.75


def test_one_point_and_one_item_are_drawn_on_axes_that_begin_at_zero():
    w = weigh.weighting([[1.0, 2.0]])
    dots = w.plot().collections[0]
    assert (dots.norm.vmin, dots.norm.vmax) == (0, 1)
    axes = plotting.plot_estimates({"item": ["a"], "x": [1.0]})
    axes.figure.canvas.draw()
    assert names(axes) == ["a"]
