"""Ratings on each scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from steelyard.rank import bradley_terry
from support.games import simulate


@pytest.fixture
def fit():
    return bradley_terry(simulate(1, np.array([-1.0, 0.0, 1.0]), 200, nu=0.4))


def test_the_log_scale_is_the_strengths_strongest_first(fit):
    frame = fit.to_frame()
    assert frame["item"].tolist() == [2, 1, 0]
    np.testing.assert_allclose(frame["rating"], np.sort(fit.strengths)[::-1])
    np.testing.assert_allclose(frame["standard_error"], fit.standard_errors()[::-1])
    np.testing.assert_allclose(
        frame["upper"] - frame["rating"], 1.959964 * frame["standard_error"], rtol=1e-6
    )


def test_elo_has_400_points_to_a_factor_of_ten(fit):
    frame = fit.to_frame(scale="elo", elo_mean=1500)
    assert frame["rating"].mean() == pytest.approx(1500)
    log = fit.to_frame()
    np.testing.assert_allclose(frame["rating"], 1500 + 400 / np.log(10) * log["rating"])
    np.testing.assert_allclose(frame["standard_error"], 400 / np.log(10) * log["standard_error"])


def test_an_anchor_fixes_its_rating_and_has_no_error(fit):
    frame = fit.to_frame(scale="elo", anchor={1: 1200.0})
    assert frame["rating"][1] == 1200
    assert frame["lower"][1] == frame["upper"][1] == 1200
    np.testing.assert_allclose(frame["standard_error"], 400 / np.log(10) * fit.standard_errors(1)[::-1])


def test_probability_is_the_expected_score_against_an_average_item(fit):
    frame = fit.to_frame(scale="probability")
    assert (np.diff(frame["rating"]) < 0).all()
    assert (frame["lower"] < frame["rating"]).all()
    assert (frame["rating"] < frame["upper"]).all()
    assert ((frame["lower"] > 0) & (frame["upper"] < 1)).all()
    x, nu = np.sort(fit.strengths)[::-1], fit.tie_parameter
    np.testing.assert_allclose(
        frame["rating"], (np.exp(x / 2) + nu / 2) / (np.exp(x / 2) + np.exp(-x / 2) + nu), rtol=1e-12
    )


def test_intervals_come_from_where_they_are_asked_from(fit):
    rounds = fit.bootstrap(500, rng=0)
    lower, upper = rounds.intervals(0.8)
    frame = fit.to_frame(level=0.8, uncertainty=rounds)
    np.testing.assert_allclose(frame["lower"], lower[::-1])
    np.testing.assert_allclose(frame["upper"], upper[::-1])
    assert "lower" not in fit.to_frame(uncertainty=None)


def test_any_frame_library_takes_it(fit):
    assert pd.DataFrame(fit.to_frame()).shape == (3, 6)
    assert pl.DataFrame(fit.to_frame()).shape == (3, 6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", "points"),
        ("elo_mean", np.nan),
        ("anchor", {0: 1.0, 1: 2.0}),
        ("anchor", 5),
        ("level", 1.0),
        ("uncertainty", "guess"),
    ],
)
def test_a_bad_argument_is_named(fit, name, value):
    with pytest.raises((ValueError, TypeError), match=name if name != "uncertainty" else "uncertainty|kind"):
        fit.to_frame(**{name: value})


def test_an_unknown_anchor_is_named(fit):
    with pytest.raises(KeyError, match="77"):
        fit.to_frame(anchor={77: 1000.0})
