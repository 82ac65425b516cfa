"""nearest_metric where pairs are unknown, in every norm, against linear and quadratic programs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog, nnls
from scipy.spatial.distance import squareform

import steelyard
from steelyard import metric
from support import threads

pytestmark = pytest.mark.kernel


def triangles(n):
    """All x_ij - x_ik - x_jk <= 0 over condensed pairs."""
    place = squareform(np.arange(n * (n - 1) // 2))
    rows = []
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(n):
                if k not in (i, j):
                    row = np.zeros(n * (n - 1) // 2)
                    row[place[i, j]], row[[place[i, k], place[j, k]]] = 1.0, -1.0
                    rows.append(row)
    return np.array(rows)


def instance(seed, unknown):
    """Condensed d with NaN on a share of the pairs; a path stays measured, so that all are joined."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 13))
    m = n * (n - 1) // 2
    d = [rng.normal(size=m), rng.integers(-1, 5, m).astype(float), rng.exponential(size=m) ** 2][seed % 3]
    lost = squareform(rng.random(m) < unknown)
    path = np.arange(n - 1)
    lost[path, path + 1] = lost[path + 1, path] = False
    d[squareform(lost)] = np.nan
    return n, d, rng.uniform(0.3, 3.0, m)


def exact_l1(n, d, w):
    """min sum w |x - d| over metrics by HiGHS; NaN costs nothing. The objective."""
    A, m = triangles(n), len(d)
    known = ~np.isnan(d)
    eye = np.eye(m)[known]
    program = linprog(
        np.r_[np.zeros(m), w[known]],
        A_ub=np.block(
            [
                [A, np.zeros((len(A), known.sum()))],
                [eye, -np.eye(known.sum())],
                [-eye, -np.eye(known.sum())],
            ]
        ),
        b_ub=np.r_[np.zeros(len(A)), d[known], -d[known]],
        bounds=[(0, None)] * (m + known.sum()),
    )
    assert program.status == 0
    return program.fun


@pytest.mark.parametrize("unknown", [0.0, 0.4])
@pytest.mark.parametrize("block", range(3))
def test_the_least_sum_of_changes_is_that_of_a_linear_program(block, unknown):
    for seed in range(9 * block, 9 * block + 9):
        n, d, w = instance(seed, unknown)
        w = None if seed % 2 else w
        found = metric.nearest_metric(d, norm="l1", weights=w, missing="free", tol=1e-6)
        best = exact_l1(n, d, np.ones(len(d)) if w is None else w)
        scale = np.nansum(np.abs(d)) or 1.0
        assert abs(found.objective - best) <= 2e-6 * max(best, 1e-3 * scale), seed
        assert found.info.lower_bound <= best + 1e-7 * scale, seed
        assert metric.violations(squareform(found.distances), tol=1e-9 * scale).is_pseudometric, seed


def shortest_paths(n, ends, x):
    """Floyd and Warshall with the node before the last; scipy's takes lengths near 0 for no edge."""
    paths, before = np.where(np.eye(n) > 0, 0.0, np.inf), np.tile(np.arange(n)[:, None], n)
    for (i, j), length in zip(ends, x, strict=True):
        paths[i, j] = paths[j, i] = max(length, 0.0)
    for k in range(n):
        over = paths[:, [k]] + paths[[k]]
        better = over < paths - 1e-13
        paths, before = np.where(better, over, paths), np.where(better, before[[k]], before)
    return paths, before


def exact_l2(n, d, w):
    """The same with squares: nonnegative least squares over the cycles that shortest paths find broken."""
    known = np.flatnonzero(~np.isnan(d))
    ends = np.array(np.triu_indices(n, 1)).T[known]
    number = {frozenset(pair): e for e, pair in enumerate(ends.tolist())}
    d, w = d[known], w[known]
    rows = [-row for row in np.eye(len(d))]
    x = np.maximum(d, 0.0)
    for _ in range(100):
        paths, before = shortest_paths(n, ends, x)
        broken = np.flatnonzero(x > paths[ends[:, 0], ends[:, 1]] + 1e-11)
        if len(broken) == 0:
            return x
        for e in broken:
            (i, j), row = ends[e], np.zeros(len(d))
            row[e] = 1.0
            while j != i:
                row[number[frozenset((int(j), int(before[i, j])))]] -= 1.0
                j = before[i, j]
            rows.append(row)
        A = np.array(rows)
        duals, _ = nnls(A.T / np.sqrt(w)[:, None], np.sqrt(w) * d, maxiter=100 * len(A))
        x = d - A.T @ duals / w
        rows = [row for row, dual in zip(rows[len(d) :], duals[len(d) :], strict=True) if dual > 0]
        rows = [-row for row in np.eye(len(d))] + rows
    raise AssertionError("no end")


@pytest.mark.parametrize("block", range(5))
def test_the_least_sum_of_squares_is_that_of_a_quadratic_program(block):
    for seed in range(24 * block, 24 * block + 24):
        n, d, w = instance(seed, 0.3)
        found = metric.nearest_metric(d, weights=w, missing="free", tol=1e-10, max_iter=20_000)
        try:
            exact = exact_l2(n, d, w)
        except RuntimeError:  # SciPy 1.13 gives up on some
            assert found.info.error_bound <= 1e-10
            continue
        scale = np.sqrt(np.nanmean(d**2)) or 1.0
        np.testing.assert_allclose(
            found.distances[~np.isnan(d)], exact, atol=1e-6 * scale, err_msg=f"seed {seed}"
        )


def exact_linf(n, d):
    A, m = triangles(n), len(d)
    known = ~np.isnan(d)
    eye, one = np.eye(m)[known], np.ones((known.sum(), 1))
    program = linprog(
        np.r_[np.zeros(m), 1.0],
        A_ub=np.block([[A, np.zeros((len(A), 1))], [eye, -one], [-eye, -one]]),
        b_ub=np.r_[np.zeros(len(A)), d[known], -d[known]],
        bounds=[(0, None)] * (m + 1),
    )
    assert program.status == 0
    return program.fun


@pytest.mark.parametrize("seed", range(12))
def test_the_least_largest_change_is_that_of_a_linear_program(seed):
    n, d, _ = instance(seed, 0.4)
    found = metric.nearest_metric(d, norm="linf", missing="free", tol=1e-9)
    assert found.objective == pytest.approx(exact_linf(n, d), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("norm", ["l2", "l1", "linf"])
def test_a_cycle_of_four_in_closed_form(norm):
    # 6 against 1 + 1 + 1: an excess of 3, shared by four edges or put on whichever are cheapest.
    nan = np.nan
    d = np.array([[0, 1, nan, 6], [1, 0, 1, nan], [nan, 1, 0, 1], [6, nan, 1, 0.0]])
    found = metric.nearest_metric(d, norm=norm, missing="free")
    x = found.distances
    assert {"l2": 1.125, "l1": 3.0, "linf": 0.75}[norm] == pytest.approx(found.objective, rel=1e-5)
    assert x[0, 2] == pytest.approx(x[0, 1] + x[1, 2], rel=1e-5)
    assert x[0, 3] == pytest.approx(x[0, 1] + x[1, 2] + x[2, 3], rel=1e-4)
    assert d[0, 2] != d[0, 2], "the input is as it was"


@pytest.mark.parametrize("norm", ["l2", "l1", "linf"])
@pytest.mark.parametrize("decrease_only", [False, True])
def test_square_condensed_and_sparse_are_the_same_problem(norm, decrease_only):
    d = np.abs(instance(8, 0.5)[1])
    square = squareform(d)
    listed = np.argwhere(np.triu(~np.isnan(square), 1)).T
    given = sparse.coo_array((square[*listed], listed), shape=square.shape)
    options = {"norm": norm, "decrease_only": decrease_only}
    one = metric.nearest_metric(d, missing="free", **options).distances
    np.testing.assert_array_equal(
        metric.nearest_metric(square, missing="free", **options).distances, squareform(one)
    )
    np.testing.assert_array_equal(metric.nearest_metric(given, **options).distances, squareform(one))


def test_nothing_unknown_is_the_ordinary_problem():
    d = np.random.default_rng(1).exponential(size=45)
    plain, free = metric.nearest_metric(d), metric.nearest_metric(d, missing="free")
    np.testing.assert_array_equal(plain.distances, free.distances)
    assert len(free.triangles) > 0


def test_lowering_only_is_shortest_paths():
    d = np.abs(instance(5, 0.5)[1])
    square = np.where(np.isnan(squareform(d)), 0.0, squareform(d) + 1e-300)
    expected = sparse.csgraph.shortest_path(sparse.csr_array(square), directed=False)
    found = metric.nearest_metric(squareform(d), decrease_only=True, missing="free")
    np.testing.assert_allclose(found.distances, expected, rtol=1e-12)


@pytest.mark.parametrize("norm", ["l2", "l1", "linf"])
def test_items_that_nothing_joins_are_infinitely_far_apart_and_said_to_be(norm):
    with pytest.warns(steelyard.DisconnectedWarning, match="1 of 3"):
        found = metric.nearest_metric([2.0, np.nan, np.nan], norm=norm, missing="free")
    assert found.distances.tolist() == [2.0, np.inf, np.inf]
    with pytest.warns(steelyard.DisconnectedWarning, match="2 of 3"):
        found = metric.nearest_metric(sparse.csr_array((3, 3)), norm=norm)
    assert found.objective == 0


def test_a_warm_start_ends_sooner_and_must_be_of_the_same_pairs():
    d = np.random.default_rng(0).exponential(size=300) ** 2
    d[np.random.default_rng(1).random(300) < 0.6] = np.nan
    cold = metric.nearest_metric(d, missing="free")
    warm = metric.nearest_metric(d, missing="free", init=cold)
    assert warm.info.iterations <= 2 < cold.info.iterations
    np.testing.assert_allclose(warm.distances, cold.distances, atol=1e-5)
    d[np.flatnonzero(~np.isnan(d))[0]] = np.nan
    with pytest.raises(ValueError, match="init must be a result for the same measured pairs"):
        metric.nearest_metric(d, missing="free", init=cold)


def test_threads_change_no_bit():
    d = np.random.default_rng(2).exponential(size=30 * 29 // 2) ** 2
    d[::3] = np.nan

    def call(n_threads):
        return [
            metric.nearest_metric(d, norm=norm, missing="free", tol=1e-4, n_threads=n_threads).distances
            for norm in ("l2", "l1", "linf")
        ]

    for distances in threads.equal_over_threads(call):
        assert metric.violations(squareform(distances), tol=1e-9).is_pseudometric


def test_what_cannot_be_read_is_refused_by_name():
    nan = np.nan
    with pytest.raises(ValueError, match=r"D has 1 entries that are NaN.*missing='free'"):
        metric.nearest_metric([1.0, nan, 1.0])
    with pytest.raises(ValueError, match="missing must be one of"):
        metric.nearest_metric([1.0, nan, 1.0], missing="zero")
    with pytest.raises(ValueError, match="D has 1 negative entries"):
        metric.nearest_metric([-1.0, nan, 1.0], missing="free", decrease_only=True)
    with pytest.raises(ValueError, match="weights must have a number for each measured pair, 1 have none"):
        metric.nearest_metric([1.0, nan, 1.0], missing="free", weights=[1.0, 1.0, nan])
    with pytest.raises(ValueError, match="weights must be positive"):
        metric.nearest_metric([1.0, nan, 1.0], missing="free", weights=[1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="init goes with norm='l2'"):
        metric.nearest_metric([1.0, 3.0, 1.0], norm="l1", init=metric.nearest_metric([1.0, 3.0, 1.0]))


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_a_missed_tolerance_is_said(norm):
    d = np.random.default_rng(4).exponential(size=190) ** 2
    d[::4] = np.nan
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol"):
        found = metric.nearest_metric(d, norm=norm, missing="free", tol=1e-9, max_iter=1)
    assert not found.info.converged
    assert found.info.lower_bound <= found.objective


def long_call(norm):
    d = np.random.default_rng(4).exponential(size=150 * 149 // 2) ** 2
    d[::4] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metric.nearest_metric(d, norm=norm, missing="free", tol=1e-15, max_iter=10**6)


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_ctrl_c_brings_the_best_so_far(ctrl_c, norm):
    answer = ctrl_c(long_call, norm, after=0.5)
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    assert metric.violations(squareform(answer.partial.distances), tol=1e-9).is_pseudometric
