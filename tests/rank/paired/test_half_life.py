"""Comparisons that count for less the older they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import steelyard
from steelyard.rank import Comparisons, bradley_terry


def league(seed=0, n=400, items=6, dates=False):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, items, (2, n))
    second = np.where(first == second, (second + 1) % items, second)
    days = rng.integers(0, 1000, n)
    time = np.datetime64("2020-01-01") + days if dates else days.astype(float)
    return first, second, time


def test_it_is_the_fit_to_weighted_votes():
    first, second, time = league()
    fit = bradley_terry(Comparisons.from_pairs(first, second, time=time), half_life=100.0)
    weight = 2.0 ** (-(time.max() - time) / 100.0)
    given = bradley_terry(Comparisons.from_pairs(first, second, weight=weight))
    np.testing.assert_allclose(fit.strengths, given.strengths, atol=1e-10)
    np.testing.assert_allclose(fit.standard_errors(), given.standard_errors(), rtol=1e-9)
    np.testing.assert_allclose(
        fit.bootstrap(50, rng=0).strengths, given.bootstrap(50, rng=0).strengths, rtol=0.5
    )

    def loss(s):
        return (weight * np.log1p(np.exp(s[second] - s[first]))).sum() + s.sum() ** 2

    other = minimize(loss, np.zeros(6), tol=1e-12).x
    np.testing.assert_allclose(fit.strengths, other - other.mean(), atol=1e-4)


def test_errors_are_those_of_weighted_scores():
    """The sandwich of two items in closed form: scores w (y - p), squared weights in the middle."""
    time = np.array([0.0, 0, 10, 10, 20, 30])
    won = np.array([True, False, True, True, False, True])
    a, b = np.where(won, 0, 1), np.where(won, 1, 0)
    fit = bradley_terry(Comparisons.from_pairs(a, b, time=time), half_life=10.0)
    w = 2.0 ** ((time - 30) / 10)
    p = (w * won).sum() / w.sum()
    assert fit.contrast(0, 1).estimate == pytest.approx(np.log(p / (1 - p)), abs=1e-9)
    middle, curvature = (w**2 * (won - p) ** 2).sum(), (w * p * (1 - p)).sum()
    assert fit.contrast(0, 1).standard_error == pytest.approx(np.sqrt(middle) / curvature, rel=1e-8)
    assert fit.comparisons.effective_games() == pytest.approx([w.sum() ** 2 / (w**2).sum()] * 2)


def test_what_comes_later_or_is_forgotten_does_not_count():
    first, second, time = league(dates=True)
    table = Comparisons.from_pairs(first, second, time=time)
    at = np.datetime64("2021-06-01")
    fit = bradley_terry(table, half_life=3, time_unit="month", at="2021-06-01")
    past = time <= at
    weight = 2.0 ** (-(at - time[past]).astype(float) / (3 * 30.436875))
    given = bradley_terry(Comparisons.from_pairs(first[past], second[past], weight=weight))
    np.testing.assert_allclose(fit.strengths, given.strengths, atol=1e-9)
    assert fit.comparisons.time.max() <= at
    with pytest.warns(steelyard.DisconnectedWarning, match="never played"):
        yesterday = bradley_terry(table, half_life=1e-3, prior=1.0)
    assert np.unique(yesterday.comparisons.time).tolist() == [time.max().item()]


def test_a_long_half_life_changes_nothing():
    first, second, time = league()
    table = Comparisons.from_pairs(first, second, time=time)
    plain, long = bradley_terry(table), bradley_terry(table, half_life=1e15)
    np.testing.assert_allclose(plain.strengths, long.strengths, atol=1e-9)
    np.testing.assert_allclose(plain.standard_errors(), long.standard_errors(), rtol=1e-9)


def test_clusters_and_covariates_go_with_it():
    first, second, time = league()
    z = np.random.default_rng(1).normal(size=len(first))
    judge = np.arange(len(first)) % 20
    weight = 2.0 ** (-(time.max() - time) / 100.0)
    options = {"covariates": {"z": z}, "cluster": judge}
    fit = bradley_terry(
        Comparisons.from_pairs(first, second, time=time, **options),
        half_life=100,
        covariates=True,
        standardize=False,
    )
    given = bradley_terry(
        Comparisons.from_pairs(first, second, weight=weight, **options), covariates=True, standardize=False
    )
    np.testing.assert_allclose(fit.strengths, given.strengths, atol=1e-9)
    np.testing.assert_allclose(
        fit.coefficients.standard_errors(), given.coefficients.standard_errors(), rtol=1e-8
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"half_life": 0}, "half_life must be positive"),
        ({"half_life": "year"}, "half_life"),
        ({"at": 3.0}, "at goes with half_life"),
        ({"half_life": 1.0, "at": -5.0}, "at=-5.0 is before all comparisons"),
        ({"half_life": 1.0, "at": 1e9}, "more than 60 half-lives after"),
        ({"half_life": 1.0, "time_unit": "year"}, "time_unit='year' needs dates"),
        ({"half_life": 1.0, "at": "2020"}, "at"),
        ({"half_life": 1e-200, "time_unit": 1e-200}, "half_life=1e-200 in units of 1e-200 is beyond float64"),
    ],
)
def test_wrong_arguments_are_refused_by_name(options, message):
    first, second, time = league()
    with pytest.raises((ValueError, TypeError), match=message):
        bradley_terry(Comparisons.from_pairs(first, second, time=time), **options)


def test_times_are_needed():
    with pytest.raises(ValueError, match="half_life needs comparisons with times"):
        bradley_terry(Comparisons.from_pairs([0, 1], [1, 0]), half_life=3)
