"""Comparisons from tables of scores against plain NumPy, and clusters of samples against redrawn samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry
from steelyard.rank._table import score_table as _score_table
from steelyard.reference import tables as reference
from support import hostile, threads
from support.examples import examples


def scores(seed, models=7, samples=12, missing=0.4):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 6, (models, samples)).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    return table, rng.random(samples) < 0.5


@examples(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0, 2.5]))
def test_counts_are_those_of_the_reference(seed, tolerance):
    table, higher = scores(seed)
    wins, ties = (part.sum(axis=2) for part in reference.compare(table, higher, tolerance))
    if not (wins.any() or ties.any()):
        return
    found = Comparisons.from_scores(table, higher_is_better=higher, tolerance=tolerance)
    plain = Comparisons.from_counts(wins, ties if ties.any() else None)
    for name in ("left", "right", "left_wins", "right_wins", "ties"):
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


COLUMNS = ("items", "left", "right", "left_wins", "right_wins", "ties", "cluster", "cluster_labels")


@examples(20)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0]), st.sampled_from([0.1, 0.4, 0.8]), st.booleans())
def test_clusters_are_those_of_votes_given_one_by_one(seed, tolerance, missing, joined):
    table, higher = scores(seed, missing=missing)
    labels = np.random.default_rng(seed).integers(5, 9, table.shape[1]) if joined else np.arange(12)
    wins, ties = reference.compare(table, higher, tolerance)
    votes = np.concatenate([np.argwhere(wins), np.argwhere(np.triu(ties.T).T)])
    if len(votes) == 0:
        return
    first, second, sample = votes.T
    tie = np.arange(len(votes)) >= wins.sum()
    plain = Comparisons.from_pairs(first, second, tie=tie, cluster=labels[sample], items=range(7))
    found = Comparisons.from_scores(
        table, higher_is_better=higher, tolerance=tolerance, cluster=labels if joined else True
    )
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))
        assert np.asarray(getattr(found, name)).dtype == np.asarray(getattr(plain, name)).dtype


def dependent(seed, models=5, samples=300):
    """Samples of very different difficulty, models of different strength; a third of the scores missing."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(models, samples))
    table = 0.1 * np.arange(models)[:, None] + 3 * rng.normal(size=samples) + noise
    table[rng.random(table.shape) < 1 / 3] = np.nan
    return table.round(1)


def test_clusters_change_no_bit_of_the_strengths():
    apart, merged = (bradley_terry(Comparisons.from_scores(dependent(0), cluster=c)) for c in (True, False))
    np.testing.assert_array_equal(apart.strengths, merged.strengths)
    assert apart.tie_parameter == merged.tie_parameter
    assert len(apart.comparisons.cluster_labels) <= 300
    assert "clusters" in repr(apart.comparisons)


def test_errors_of_equal_models_are_those_of_random_ranks():
    # Ranks of n equal models have variance (n^2 - 1) / 12; n - 1 independent coins have (n - 1) / 4.
    n = 8
    table = np.random.default_rng(0).normal(size=(n, 3000))
    apart, merged = (
        bradley_terry(Comparisons.from_scores(table, cluster=c)).standard_errors() for c in (True, False)
    )
    np.testing.assert_allclose((apart / merged) ** 2, (n + 1) / 3, rtol=0.06)


def test_clustered_errors_are_those_of_redrawn_samples():
    table = dependent(1)
    rng = np.random.default_rng(0)
    merged = bradley_terry(Comparisons.from_scores(table))
    apart = bradley_terry(Comparisons.from_scores(table, cluster=True))
    redrawn = [
        bradley_terry(Comparisons.from_scores(table[:, rng.integers(0, 300, 300)])).strengths
        for _ in range(400)
    ]
    spread = np.std(redrawn, axis=0)
    np.testing.assert_allclose(apart.standard_errors(), spread, rtol=0.12)
    np.testing.assert_allclose(
        apart.bootstrap(400, method="cluster", rng=0).strengths.std(axis=0), spread, rtol=0.2
    )
    assert (merged.standard_errors() < 0.9 * spread).all()


def test_clustered_intervals_cover_what_merged_ones_miss():
    inside = {True: [], False: []}
    for seed in range(150):
        table = np.random.default_rng(seed).normal(size=(6, 120))
        for cluster in (True, False):
            fit = bradley_terry(Comparisons.from_scores(table, cluster=cluster))
            inside[cluster].append(np.abs(fit.strengths) < 1.96 * fit.standard_errors())
    assert 0.92 < np.mean(inside[True]) < 0.97
    assert np.mean(inside[False]) < 0.85


def test_labels_join_samples_and_tables_add_up():
    table = dependent(2)
    task = np.repeat(["sums", "maps", "puns"], 100)
    whole = Comparisons.from_scores(table, cluster=task)
    puns, maps, sums = (
        Comparisons.from_scores(table[:, task == t], cluster=[t] * 100) for t in ("puns", "maps", "sums")
    )
    added = puns + maps + sums
    assert whole.cluster_labels.tolist() == ["maps", "puns", "sums"]
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(added, name), getattr(whole, name))
    one = Comparisons.from_scores(table, cluster=["all"] * 300)
    np.testing.assert_array_equal(one.left_wins, Comparisons.from_scores(table).left_wins)
    with pytest.raises(ValueError, match="at least 2 clusters"):
        bradley_terry(one).standard_errors()


def test_samples_that_compare_nobody_are_no_clusters():
    found = Comparisons.from_scores([[1.0, np.nan, 2.0, 5.0], [2.0, np.nan, 1.0, np.nan]], cluster=True)
    assert found.cluster_labels.tolist() == [0, 2]
    assert found.cluster.tolist() == [0, 1]
    assert found.ties is None


@pytest.mark.parametrize("cluster", [False, True])
def test_leads_beyond_the_largest_double_are_leads(cluster):
    found = Comparisons.from_scores([[1e308], [-1e308]], cluster=cluster, tolerance=1e300)
    assert (found.left_wins, found.right_wins, found.ties) == (1, 0, None)


def test_too_many_rows_are_refused_before_they_are_made(monkeypatch):
    table = np.random.default_rng(0).normal(size=(4, 10))
    monkeypatch.setattr(_score_table, "MOST_ROWS", 59)
    with pytest.raises(ValueError, match="cluster would keep up to 60 rows"):
        Comparisons.from_scores(table, cluster=True)
    assert len(Comparisons.from_scores(table, cluster=np.arange(10) // 2)) == 30
    monkeypatch.setattr(_score_table, "MOST_ROWS", 60)
    assert len(Comparisons.from_scores(table, cluster=True)) == 60


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
        lambda n: _core.rank._count_scores(
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


def test_nan_in_a_sparse_matrix_is_a_score_that_is_not_there():
    table = np.array([[1.0, np.nan, 2.0], [2.0, 1.0, 1.0], [np.nan, 3.0, 2.0]])
    found, plain = Comparisons.from_scores(sparse.csr_array(table)), Comparisons.from_scores(table)
    for name in ("left", "right", "left_wins", "right_wins", "ties"):
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


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
        (
            lambda: Comparisons.from_scores([[1.0], [2.0]], items=["a"]),
            "items must have 2 labels, one a model",
        ),
        (lambda: Comparisons.from_scores([[1.0], [2.0]], cluster=[0, 1]), "cluster must have 1 labels"),
        (lambda: Comparisons.from_scores([[1.0], [2.0]], cluster=[None]), "cluster has missing labels"),
        (lambda: Comparisons.from_scores([[1.0, np.nan]], cluster=True), "no sample with scores of two"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("cluster", ["sample", 1, None])
def test_a_cluster_that_is_neither_flag_nor_labels_is_refused(cluster):
    with pytest.raises(TypeError, match="cluster must be True, False or one label a sample"):
        Comparisons.from_scores([[1.0], [2.0]], cluster=cluster)
