"""The nearest metric on measured pairs against closed forms and an exact solver over all cycles."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import nnls
from scipy.sparse import csgraph

from steelyard import _core, metric
from steelyard.metric import _cycles, _measured
from support import threads
from support.examples import examples


def solve(n, pairs, values, weights=None, **options):
    rows, cols = np.array(pairs, np.int32).T.copy()
    return _cycles.nearest_on_graph(n, rows, cols, np.asarray(values, float), weights, **options)


def cycle_rows(n, pairs):
    """x >= 0 and every edge against every path of the others, as rows of A x <= 0."""
    number = {frozenset(pair): e for e, pair in enumerate(pairs)}
    rows = [-np.eye(len(pairs))[e] for e in range(len(pairs))]
    for e, (i, j) in enumerate(pairs):
        others = [v for v in range(n) if v not in (i, j)]
        for size in range(1, len(others) + 1):
            for inner in permutations(others, size):
                path = [number.get(frozenset(p)) for p in zip((i, *inner), (*inner, j), strict=True)]
                if None not in path:
                    row = np.zeros(len(pairs))
                    row[e], row[path] = 1.0, -1.0
                    rows.append(row)
    return np.array(rows)


def instance(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 6))
    every = list(zip(*np.triu_indices(n, 1), strict=True))
    kept = rng.random(len(every)) < 0.8
    kept[: n - 1] = True  # a star keeps it connected
    pairs = [pair for pair, keep in zip(every, kept, strict=True) if keep]
    kind = seed % 3
    values = rng.normal(size=len(pairs)) if kind == 0 else rng.exponential(size=len(pairs)) ** 2
    if kind == 1:
        values = rng.integers(-1, 4, size=len(pairs)).astype(float)
    return n, pairs, values, rng.uniform(0.3, 3.0, size=len(pairs))


@pytest.mark.parametrize("block", range(4))
def test_it_is_the_answer_of_an_exact_solver(block):
    for seed in range(15 * block, 15 * block + 15):
        n, pairs, d, w = instance(seed)
        A = cycle_rows(n, pairs)
        duals, _ = nnls(A.T / np.sqrt(w)[:, None], np.sqrt(w) * d, maxiter=100 * len(A))
        found = solve(n, pairs, d, w, tol=1e-10, max_iter=5000)
        scale = np.sqrt(np.mean(d**2)) or 1.0
        np.testing.assert_allclose(found.edges, d - A.T @ duals / w, atol=1e-6 * scale, err_msg=str(seed))
        assert found.info.converged


@pytest.mark.parametrize("seed", range(8))
def test_rows_are_broken_cycles_and_the_first_of_an_edge_is_its_shortest_path(seed):
    rng = np.random.default_rng(seed)
    n = 30
    i, j = np.triu_indices(n, 1)
    kept = rng.random(len(i)) < 0.25
    rows, cols = i[kept].astype(np.int32), j[kept].astype(np.int32)
    x = np.abs(rng.standard_cauchy(len(rows))) - 0.1
    starts, edges, closed, _ = _core.metric._MeasuredGraph(n, rows, cols).find_cycles(x, 0.0)
    lengths = np.maximum(x, 0.0)
    paths = csgraph.dijkstra(sparse.csr_array((lengths + 1e-300, (rows, cols)), (n, n)), directed=False)
    np.testing.assert_allclose(closed, paths[rows, cols], atol=1e-12)
    seen = {}
    for row in np.split(edges, starts[1:-1]):
        if len(row) == 1:
            assert x[row[0]] < 0
            continue
        way = lengths[row[1:]].sum()
        assert way < x[row[0]]
        ends = np.concatenate([rows[row], cols[row]])
        assert (np.bincount(ends)[np.unique(ends)] == 2).all()  # each node twice: a cycle
        assert len(np.unique(row)) == len(row)
        seen.setdefault(row[0], []).append(way)
    assert set(seen) == set(np.flatnonzero(x > closed + 1e-12))
    for edge, ways in seen.items():
        assert ways[0] == pytest.approx(closed[edge])
        assert (np.diff(ways) >= -1e-12).all()
        assert len(ways) <= 4
    assert max(map(len, seen.values())) == 4


def test_a_cycle_of_four_in_closed_form():
    # 6 against 1 + 1 + 1: an excess of 3 is shared by four edges.
    found = solve(4, [(0, 1), (0, 3), (1, 2), (2, 3)], [1.0, 6.0, 1.0, 1.0])
    np.testing.assert_allclose(found.edges, [1.75, 5.25, 1.75, 1.75], atol=1e-6)
    assert found.distances[0, 2] == pytest.approx(3.5, abs=1e-6)
    assert found.objective == pytest.approx(0.5 * 4 * 0.75**2, abs=1e-6)


def test_a_negative_bridge_becomes_zero():
    found = solve(3, [(0, 1), (1, 2)], [-2.0, 1.0])
    np.testing.assert_allclose(found.edges, [0.0, 1.0], atol=1e-9)


def test_all_pairs_measured_is_nearest_metric():
    d = np.random.default_rng(3).exponential(size=45) ** 2
    whole = metric.nearest_metric(d, tol=1e-9)
    found = solve(10, list(zip(*np.triu_indices(10, 1), strict=True)), d, tol=1e-9)
    np.testing.assert_allclose(found.edges, whole.distances, atol=1e-6)
    assert found.info.lower_bound <= whole.objective * (1 + 1e-9)


@examples(20)
@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_scaling_and_relabelling_carry_over_and_twice_is_once(seed, factor):
    n, pairs, d, w = instance(seed)
    found = solve(n, pairs, d, w, tol=1e-9, max_iter=5000)
    unit = np.abs(d).max(initial=1e-9)
    scaled = solve(n, pairs, factor * d, w, tol=1e-9, max_iter=5000)
    np.testing.assert_allclose(scaled.edges / factor, found.edges, atol=1e-5 * unit)
    flipped = [(n - 1 - i, n - 1 - j) for i, j in pairs]
    np.testing.assert_allclose(
        solve(n, flipped, d, w, tol=1e-9, max_iter=5000).edges, found.edges, atol=1e-5 * unit
    )
    again = solve(n, pairs, found.edges, w)
    np.testing.assert_allclose(again.edges, found.edges, atol=1e-5 * unit)
    np.testing.assert_allclose(found.distances[tuple(np.transpose(pairs))], found.edges, atol=1e-12 * unit)


def sparse_case(n=60, m=400):
    rng = np.random.default_rng(5)
    rows, cols = np.triu_indices(n, 1)
    kept = np.sort(rng.choice(len(rows), m, replace=False))
    return n, np.c_[rows[kept], cols[kept]], rng.exponential(size=m) ** 2


def test_threads_change_no_bit():
    def call(n_threads):
        found = solve(*sparse_case(), n_threads=n_threads)
        return found.edges, found.distances, found.held.duals, found.info.error_bound

    *_, duals, bound = threads.equal_over_threads(call)
    assert (duals > 0).all()
    assert bound <= 1e-6


def test_a_warm_start_ends_at_once():
    cold = solve(*sparse_case())
    warm = solve(*sparse_case(), init=cold.held)
    assert warm.info.iterations <= 2 < cold.info.iterations


def test_items_that_nothing_joins_are_infinitely_far_apart():
    found = solve(3, [(0, 1)], [2.0])
    assert found.distances[0].tolist() == [0.0, 2.0, np.inf]


def test_ctrl_c_carries_a_metric_so_far():
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        solve(*sparse_case(), progress=stop)
    x = caught.value.partial.distances
    assert (x[:, None, :] <= x[:, :, None] + x[None] + 1e-12).all()


def test_every_form_of_input_lists_the_same_pairs():
    nan = np.nan
    square = np.array([[0, 1.0, nan], [1.0, 0, 0.0], [nan, 0.0, nan]])
    one_sided = sparse.coo_array(([1.0, 0.0], ([0, 2], [1, 1])), shape=(3, 3))
    for pairs in (
        _measured.from_square_with_nan(square),
        _measured.from_condensed_with_nan([1.0, nan, 0.0]),
        _measured.from_sparse(one_sided),
        _measured.from_sparse(sparse.csr_array(([1.0, 1.0, 0.0], ([0, 1, 1], [1, 0, 2])), shape=(3, 3))),
    ):
        assert pairs.n == 3
        assert pairs.rows.tolist() == [0, 1]
        assert pairs.cols.tolist() == [1, 2]
        assert pairs.values.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (([1.0, 2.0], ([0, 1], [1, 0])), "symmetric"),
        (([1.0], ([1], [1])), "diagonal"),
        (([np.nan], ([0], [1])), "finite"),
        (([1.0, 1.0], ([0, 0], [1, 1])), "twice"),
    ],
)
def test_sparse_input_that_contradicts_itself_is_refused(entries, says):
    with pytest.raises(ValueError, match=says):
        _measured.from_sparse(sparse.coo_array(entries, shape=(3, 3)))


def test_a_square_with_nan_on_one_side_only_is_refused():
    with pytest.raises(ValueError, match="symmetric"):
        _measured.from_square_with_nan([[0.0, np.nan], [1.0, 0.0]])
