"""Pictures, drawn without a screen."""

import sys

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.figure import Figure

from steelyard import plotting
from steelyard.rank import Comparisons, bradley_terry


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def fit():
    wins = [[0, 30, 25], [12, 0, 20], [10, 14, 0]]
    return bradley_terry(Comparisons.from_counts(wins, items=["b$a$r", "ann", "cat"]))


def names(axes):
    return [tick.get_text().replace("\\", "") for tick in axes.get_yticklabels()]


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
    assert axes.get_xlabel() == "rank (95 % simultaneous)"
    assert names(axes)[0] == "b$a$r"
    axes.figure.canvas.draw()


def test_a_missing_matplotlib_names_the_extra(fit, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"steelyard\[plot\]"):
        plotting.plot_strengths(fit)
