"""Nearest metrics of dissimilarities that nearly are metrics: the answer is small beside D."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import pdist, squareform

from steelyard import ConvergenceWarning, metric


def on_a_line(n, seed, digits=6):
    return np.round(pdist(np.random.default_rng(seed).random((n, 1))), digits)


def least_sum(d, w, known):
    """min sum w |x - d| over metrics by HiGHS, in units of the largest excess."""
    n = round((1 + np.sqrt(1 + 8 * len(d))) / 2)
    place = squareform(np.arange(len(d)), checks=False)
    rows = [(place[i, j], place[i, k], place[j, k])
            for i in range(n) for j in range(i + 1, n) for k in range(n) if k not in (i, j)]  # fmt: skip
    m = len(d)
    A = np.zeros((len(rows), m))
    for r, (long, *legs) in enumerate(rows):
        A[r, long], A[r, legs] = 1.0, -1.0
    slack = -A @ d
    unit = -slack.min()
    # x >= 0 follows from the triangles.
    found = linprog(np.tile(w * known, 2), np.c_[A, -A], slack / unit, method="highs-ds")
    return unit * found.fun


def test_an_excess_of_the_last_digits_is_bounded():
    excess = float(Fraction(2 + 1e-13) - 2)
    near = metric.nearest_metric([1.0, 1.0, 2 + 1e-13], norm="l1")
    assert near.info.converged
    assert 0.999 * excess < near.info.lower_bound <= excess
    assert near.objective == pytest.approx(excess, rel=1e-2)


@pytest.mark.parametrize("digits", [3, 6])
@pytest.mark.parametrize("n", [10, 40])
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_rounded_line_is_solved_to_the_tolerance(norm, n, digits):
    for seed in range(3):
        near = metric.nearest_metric(on_a_line(n, seed, digits), norm=norm, max_iter=200)
        assert near.info.converged
        assert near.info.error_bound <= 1e-6
        assert 0 < near.info.lower_bound <= near.objective
        if norm == "l1":  # whole units of the last digit: a vertex
            assert near.objective / 10.0**-digits == pytest.approx(round(near.objective * 10**digits))


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_a_metric_to_rounding_is_its_own_answer_at_once(norm):
    near = metric.nearest_metric(on_a_line(10, 0, 17), norm=norm)
    assert near.info.converged
    assert near.info.iterations <= 2
    assert near.objective < 1e-13
    assert near.info.lower_bound <= near.objective


@pytest.mark.parametrize("seed", range(20))
def test_distances_on_a_tree_with_unknown_pairs_are_their_own_answer(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 16))
    square = np.zeros((n, n))
    for i in range(1, n):
        up = rng.integers(0, i)
        square[i, :i] = square[:i, i] = square[up, :i] + (0.0 if rng.random() < 0.4 else rng.random())
    d = squareform(square, checks=False)
    d[rng.random(len(d)) < 0.4] = np.nan
    with pytest.warns() if _apart(d) else _quiet():
        near = metric.nearest_metric(d, norm="l1", missing="free")
    assert near.info.converged
    assert near.info.iterations <= 1
    assert near.objective <= 1e-13
    known = ~np.isnan(d)
    np.testing.assert_allclose(near.distances[known], d[known], atol=1e-14)


def _apart(d):
    from scipy.sparse.csgraph import connected_components

    return connected_components(~np.isnan(squareform(d, checks=False)))[0] > 1


def _quiet():
    import contextlib

    return contextlib.nullcontext()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_weights_from_a_thousandth_to_a_thousand_are_no_obstacle(seed, gaps):
    rng = np.random.default_rng(seed)
    d, w = np.abs(rng.normal(size=28)), 10.0 ** rng.uniform(-3, 3, 28)
    known = rng.random(28) >= gaps
    known[:7] = True  # item 0 joins all
    near = metric.nearest_metric(np.where(known, d, np.nan), norm="l1", weights=w, missing="free")
    assert near.info.converged
    assert near.info.lower_bound <= near.objective
    best = least_sum(d, w, known)
    assert near.objective == pytest.approx(best, rel=1e-6)
    assert near.info.lower_bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_more_items_with_weights_end_by_the_linear_program(seed):
    rng = np.random.default_rng(seed)
    d, w = np.abs(rng.normal(size=120)), 10.0 ** rng.uniform(-3, 3, 120)
    near = metric.nearest_metric(d, norm="l1", weights=w, max_iter=60)
    assert near.info.converged
    assert near.objective == pytest.approx(least_sum(d, w, np.ones(120)), rel=1e-5)


@pytest.mark.parametrize("shift", [-3.0, -1.0])
def test_negative_entries_cost_what_they_lack(shift):
    rng = np.random.default_rng(0)
    d = np.round(rng.normal(size=10), 3) + shift
    near = metric.nearest_metric(d, norm="l1")
    assert near.info.converged
    assert near.info.lower_bound <= near.objective
    assert near.objective >= np.maximum(-d, 0).sum() - 1e-12


def test_a_program_that_may_not_go_on_says_how_far_it_came():
    d = np.abs(np.random.default_rng(1).normal(size=28))
    with pytest.warns(ConvergenceWarning, match="after 1 rounds"):
        near = metric.nearest_metric(d, norm="l1", max_iter=1)
    whole = metric.nearest_metric(d, norm="l1")
    assert near.info.lower_bound <= whole.objective <= near.objective
    assert metric.violations(near.distances, tol=1e-12).n_broken == 0


def test_bounds_of_least_squares_have_the_digits_of_a_small_answer():
    d = pdist(np.random.default_rng(3).random((12, 1))) * (
        1 + 1e-9 * np.random.default_rng(4).normal(size=66)
    )
    near = metric.nearest_metric(d)
    scaled = metric.nearest_metric(d, tol=1e-9)
    assert near.objective < 1e-15
    assert near.info.lower_bound > 0.5 * scaled.objective
    assert near.info.lower_bound <= scaled.objective * (1 + 1e-6)
