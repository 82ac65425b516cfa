"""Comparisons from tables of scores against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry
from support import hostile, threads


def by_hand(table, higher, tolerance):
    n = len(table)
    wins, ties = np.zeros((n, n)), np.zeros((n, n))
    for s in range(table.shape[1]):
        for i in range(n):
            for j in range(n):
                lead = (table[i, s] - table[j, s]) * (1 if higher[s] else -1)
                if i != j and not np.isnan(lead):
                    ties[i, j] += abs(lead) <= tolerance
                    wins[i, j] += lead > tolerance
    return wins, ties


def scores(seed, models=7, samples=12, missing=0.4):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 6, (models, samples)).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    return table, rng.random(samples) < 0.5


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0, 2.5]))
def test_counts_are_those_of_the_loop(seed, tolerance):
    table, higher = scores(seed)
    wins, ties = by_hand(table, higher, tolerance)
    if not (wins.any() or ties.any()):
        return
    found = Comparisons.from_scores(table, higher_is_better=higher, tolerance=tolerance)
    plain = Comparisons.from_counts(wins, ties if ties.any() else None)
    for name in ("left", "right", "left_wins", "right_wins", "ties"):
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


def test_sparse_scores_are_those_that_are_listed():
    table, _ = scores(1)
    rows, cols = np.nonzero(~np.isnan(table))
    listed = sparse.coo_array((table[rows, cols], (rows, cols)), shape=table.shape)
    one, other = Comparisons.from_scores(listed), Comparisons.from_scores(table)
    np.testing.assert_array_equal(one.left_wins, other.left_wins)
    np.testing.assert_array_equal(one.ties, other.ties)


def test_a_metric_of_any_scale_counts_alike():
    table, _ = scores(2)
    factors = np.exp(np.random.default_rng(0).normal(size=table.shape[1], scale=5))
    np.testing.assert_array_equal(
        Comparisons.from_scores(table * factors).left_wins, Comparisons.from_scores(table).left_wins
    )


def test_threads_change_no_bit():
    table, _ = scores(3, models=90, samples=50)
    columns = sparse.csc_array(np.nan_to_num(table, nan=0.0))
    columns.sort_indices()
    wins, ties = threads.equal_over_threads(
        lambda n: _core._count_scores(
            90,
            columns.indptr.astype(np.int64),
            columns.indices.astype(np.int32),
            columns.data,
            np.ones(50, np.int8),
            0.0,
            n,
        )
    )
    m = np.diff(columns.indptr)
    assert wins.sum() + ties.sum() / 2 == (m * (m - 1) / 2).sum()


def test_labels_go_through_to_the_fit():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(5, 300)) + np.arange(5)[:, None]
    table[rng.random(table.shape) < 0.5] = np.nan
    fit = bradley_terry(Comparisons.from_scores(table, items=list("abcde")))
    assert fit.items[fit.order].tolist() == list("edcba")


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_counts(variant):
    hostile.check_same(lambda x: Comparisons.from_scores(x).left_wins, scores(4, missing=0.0)[0], variant)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Comparisons.from_scores([1.0, 2.0]), "table must have shape"),
        (lambda: Comparisons.from_scores([[1.0, np.nan], [np.nan, 2.0]]), "no sample with scores of two"),
        (lambda: Comparisons.from_scores([[1.0], [np.inf]]), "table has entries that are infinite"),
        (lambda: Comparisons.from_scores([[1.0], [2.0]], tolerance=-1), "tolerance must be zero or positive"),
        (lambda: Comparisons.from_scores([[1.0], [2.0]], higher_is_better=[True, False]), "one a sample"),
        (lambda: Comparisons.from_scores([[1.0], [2.0]], higher_is_better="yes"), "higher_is_better must be"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
