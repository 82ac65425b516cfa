"""Coresets: unbiased sums, bounded memory, and the cost of any clustering."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.reference import select as reference
from steelyard.select import (
    Coreset,
    StreamingCoreset,
    coreset,
    kmeans,
    kmeans_plusplus,
    lightweight_coreset,
)

pytestmark = pytest.mark.kernel


def groups(seed, n=500, d=3):
    rng = np.random.default_rng(seed)
    return 5 * rng.normal(size=(6, d))[rng.integers(0, 6, n)] + rng.normal(size=(n, d))


def means_agree(values, truth):
    """The mean of independent values is the truth but for five standard errors."""
    values = np.array(values)
    assert np.abs(values.mean(0) - truth).max() <= 5 * (values.std(0) / np.sqrt(len(values))).max() + 1e-12


@pytest.mark.parametrize("make", ["coreset", "distinct", "lightweight"])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_over_a_coreset_are_unbiased(make, weighted):
    X = groups(0)
    rng = np.random.default_rng(1)
    w = rng.integers(0, 4, len(X)).astype(float) if weighted else np.ones(len(X))
    given = w if weighted else None
    sums = []
    for seed in range(350):
        if make != "lightweight":
            again = make == "coreset"
            small = coreset(X, 40, clusters=6, sample_weight=given, replace=again, rng=seed)
        else:
            small = lightweight_coreset(X, 40, sample_weight=given, rng=seed)
        np.testing.assert_array_equal(small.points, X[small.indices])
        sums.append(
            [small.weights.sum(), *(small.weights @ small.points), small.weights @ (small.points**2).sum(1)]
        )
    truth = [w.sum(), *(w @ X), w @ (X**2).sum(1)]
    means_agree(sums, truth)
    assert not np.isin(np.flatnonzero(w == 0), small.indices).any()


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("replace", [False, True])
def test_draws_and_weights_are_those_of_the_reference(power, weighted, replace):
    X = groups(1, n=60)
    X[40:45] = X[40]
    w = np.random.default_rng(0).integers(0, 4, 60).astype(float) if weighted else np.ones(60)
    centers = np.r_[kmeans_plusplus(X, 4, rng=0).centers, X[40:41]]
    labels = np.linalg.norm(X[:, None] - centers, axis=2).argmin(1)
    labels[40:45] = 4  # a cluster of one place
    scores = reference.coreset_scores(X, centers, labels, w, power)
    for seed in range(20):
        small = coreset(
            X, 20, clusters=(centers, labels), power=power, sample_weight=w, replace=replace, rng=seed
        )
        rows, weights = reference.coreset(scores, w, 20, np.random.default_rng(seed), replace)
        np.testing.assert_array_equal(small.indices, rows)
        np.testing.assert_allclose(small.weights, weights, rtol=1e-9)


def test_merging_and_reducing_are_those_of_the_reference():
    X = groups(2, n=120)
    parts = [coreset(X[rows], 30, clusters=6, rng=1) for rows in (slice(0, 50), slice(50, 120))]
    both = parts[0].merge(parts[1])
    points, weights = reference.merge(*((part.points, part.weights) for part in parts))
    np.testing.assert_array_equal(both.points, points)
    np.testing.assert_array_equal(both.weights, weights)
    rng = np.random.default_rng(5)
    seeds = kmeans_plusplus(points, 6, sample_weight=weights, rng=rng)
    scores = reference.coreset_scores(points, seeds.centers, seeds.labels, weights)
    rows, again = reference.coreset(scores, weights, 25, rng, replace=False)
    small = both.reduce(25, rng=5)
    np.testing.assert_array_equal(small.points, points[rows])
    np.testing.assert_allclose(small.weights, again, rtol=1e-9)


def test_without_replacement_all_points_are_their_own_coreset():
    X = groups(6, n=40)
    w = np.r_[np.zeros(10), np.random.default_rng(0).random(30)]
    small = coreset(X, 100, clusters=3, sample_weight=w, replace=False, rng=0)
    np.testing.assert_array_equal(small.indices, np.arange(10, 40))
    np.testing.assert_allclose(small.weights, w[10:], rtol=1e-12)


def test_the_cost_of_a_clustering_is_kept_where_a_uniform_sample_loses_it():
    rng = np.random.default_rng(0)
    X = (1 + rng.random((20_000, 10))).astype(np.float32)
    X[:5] = -1000 * rng.random((5, 10))
    small = coreset(X, 1000, clusters=20, rng=1)
    found = kmeans(small.points, 20, sample_weight=small.weights, rng=2, max_iter=300)
    true = ((X[:, None].astype(float) - found.centers[None]) ** 2).sum(-1).min(1).sum()
    assert max(true / found.cost, found.cost / true) < 1.3
    rows = rng.choice(len(X), 1000)
    uniform = kmeans(X[rows], 20, rng=2, max_iter=300)
    assert ((X[:5, None].astype(float) - uniform.centers[None]) ** 2).sum(-1).min(1).sum() > 100 * true


def test_coresets_merge_and_are_reduced():
    X = groups(2)
    totals = []
    for seed in range(300):
        parts = [
            coreset(X[rows], 80, clusters=6, ids=np.arange(500)[rows], rng=[seed, k])
            for k, rows in enumerate((slice(0, 200), slice(200, 500)))
        ]
        both = parts[0].merge(parts[1])
        assert len(both) == 160
        small = both.reduce(50, rng=seed)
        np.testing.assert_array_equal(small.points, X[small.indices])
        totals.append([small.weights.sum(), *(small.weights @ small.points)])
    means_agree(totals, [500, *X.sum(0)])
    assert both.reduce(160) is both


@pytest.mark.parametrize("batches", [[500], [50] * 10, [7, 133, 1, 0, 359]])
def test_a_stream_is_unbiased_for_any_batches_and_bounded(batches):
    X = groups(3)
    order = np.random.default_rng(0).permutation(500)
    totals = []
    for seed in range(60):
        stream = StreamingCoreset(40, clusters=6, rng=seed)
        at = 0
        for size in batches:
            stream.partial_fit(X[order[at : at + size]])
            at += size
            held = [c for c in (stream._pending, *stream._levels) if c is not None]
            assert sum(map(len, held)) <= 40 * (2 + np.log2(1 + stream.n_seen / 40))
        small = stream.result()
        assert len(small) == 40
        np.testing.assert_array_equal(small.points, X[order][small.indices])
        totals.append([small.weights.sum(), *(small.weights @ small.points)])
    assert stream.n_seen == 500
    means_agree(totals, [500, *X.sum(0)])


@pytest.mark.slow
def test_halving_in_turns_loses_no_more_than_one_draw():
    """With replacement each level would add a variance as large as the first's."""
    X = groups(5, n=3200)
    cost = ((X - X.mean(0)) ** 2).sum(1)
    once, streamed = [], []
    for seed in range(80):
        small = coreset(X, 100, clusters=6, replace=False, rng=seed)
        once.append(small.weights @ cost[small.indices])
        stream = StreamingCoreset(100, clusters=6, rng=seed)
        for start in range(0, 3200, 400):
            stream.partial_fit(X[start : start + 400])
        small = stream.result()
        streamed.append(small.weights @ cost[small.indices])
    assert np.std(streamed) < 1.5 * np.std(once)
    assert abs(np.mean(streamed) - cost.sum()) < 5 * np.std(streamed) / np.sqrt(80)


def test_looking_at_a_stream_does_not_change_it():
    X = groups(4)
    one, two = (StreamingCoreset(30, clusters=4, rng=1) for _ in range(2))
    for start in range(0, 500, 100):
        one.partial_fit(X[start : start + 100])
        two.partial_fit(X[start : start + 100])
        one.result()
    np.testing.assert_array_equal(one.result().indices, two.result().indices)


def test_half_precision_and_cosine():
    X = groups(5).astype(np.float16)
    small = coreset(X, 50, clusters=5, metric="cosine", rng=0)
    np.testing.assert_allclose(np.linalg.norm(small.points, axis=1), 1, rtol=1e-6)
    assert coreset(X, 50, clusters=5, rng=0).points.dtype == np.float32
    assert np.isfinite(lightweight_coreset(X, 50, rng=0).weights).all()


X = groups(0, n=30)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: coreset(X, 0, clusters=3), ValueError, "size must be at least 1"),
        (lambda: coreset(X, 5, clusters=31), ValueError, "clusters must be at most the number of points"),
        (lambda: coreset(X, 5, clusters=3, power=0), ValueError, "power must be positive"),
        (lambda: coreset(X, 5, clusters=3, ids=[1.5] * 30), ValueError, "ids must hold 30 integers"),
        (lambda: coreset(X * np.inf, 5, clusters=3), ValueError, "X has NaN or infinite"),
        (lambda: lightweight_coreset(X, 5, sample_weight=np.zeros(30)), ValueError, "sample_weight must be"),
        (lambda: StreamingCoreset(3, clusters=4), ValueError, "clusters must be at most size"),
        (lambda: StreamingCoreset(3, clusters=2).result(), ValueError, "no rows were given"),
        (
            lambda: StreamingCoreset(3, clusters=2).partial_fit(X).partial_fit(X[:, :2]),
            ValueError,
            "X must have 3 columns, got 2",
        ),
        (lambda: coreset(X, 5, clusters=3).merge(X), TypeError, "other must be a Coreset"),
        (
            lambda: coreset(X, 5, clusters=3).merge(coreset(X, 5, clusters=3, power=1)),
            ValueError,
            "other must have 3 columns and power 2",
        ),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_repr_says_the_total():
    assert (
        repr(Coreset(X, np.full(30, 2.0), np.arange(30), 2.0, 3)) == "Coreset: 30 points of total weight 60"
    )
