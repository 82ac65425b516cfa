"""Sparse Cholesky on graph matrices, against SciPy's sparse solver and dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import spsolve

from steelyard import _core
from support.examples import examples

pytestmark = [pytest.mark.smoke, pytest.mark.kernel]


def system(n, edges, weights, ridge):
    """Laplacian of the weighted edges plus `ridge`, as the kernel takes it: both halves, no diagonal.

    Edges may repeat: each stays an entry of its own.
    """
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    tail, head = np.concatenate([edges, edges[:, ::-1]]).T
    values = np.tile(np.asarray(weights, dtype=float), 2)
    order = np.argsort(tail, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=n))])
    diagonal = np.bincount(tail, weights=values, minlength=n) + ridge
    return offsets.astype(np.int64), head[order].astype(np.int32), diagonal, -values[order]


def matrix(offsets, indices, diagonal, off_diagonal):
    n = len(diagonal)
    return sparse.csr_matrix((off_diagonal, indices, offsets), shape=(n, n)).tocsc() + sparse.diags(
        diagonal, format="csc"
    )


def check(parts, columns=3, tol=1e-9):
    n = len(parts[2])
    b = np.random.default_rng(n).normal(size=(n, columns))
    answer = _core.testing._sparse_cholesky(*parts, b, 1e15)
    assert answer is not None
    x = answer[0]
    a = matrix(*parts)
    scale = np.abs(a).sum(1).max() * np.abs(x).max() + np.abs(b).max()
    assert np.abs(a @ x - b).max() <= 1e-14 * n**0.5 * scale
    expected = spsolve(a, b).reshape(b.shape)
    np.testing.assert_allclose(x, expected, atol=tol * np.abs(expected).max())
    return answer


def ladder(n, reach):
    return np.array([(i, i + k) for k in range(1, reach + 1) for i in range(n - k)])


def random_graph(n, degree, seed):
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, n, (n * degree // 2, 2))
    return edges[edges[:, 0] != edges[:, 1]]


def tree(n, seed):
    rng = np.random.default_rng(seed)
    return np.array([(rng.integers(0, i), i) for i in range(1, n)]).reshape(-1, 2)


GRAPHS = {
    "path": (300, ladder(300, 1)),
    "ladder": (500, ladder(500, 5)),
    "wide ladder": (300, ladder(300, 40)),
    "tree": (700, tree(700, 1)),
    "star": (400, np.array([(0, i) for i in range(1, 400)])),
    "star with its hub last": (400, np.array([(399, i) for i in range(399)])),
    "sparse random": (600, random_graph(600, 3, 2)),
    "denser random": (300, random_graph(300, 20, 3)),
    "complete": (60, np.array([(i, j) for i in range(60) for j in range(i)])),
    "grid": (
        900,
        np.array([(i, i + 1) for i in range(899) if i % 30 < 29] + [(i, i + 30) for i in range(870)]),
    ),
    "bipartite": (500, np.random.default_rng(4).integers([0, 100], [100, 500], (3000, 2))),
    "no edges": (5, np.zeros((0, 2), int)),
    "isolated and joined": (50, ladder(20, 2)),
    "one item": (1, np.zeros((0, 2), int)),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_graphs_of_every_shape_are_solved(name, ridge):
    n, edges = GRAPHS[name]
    check(system(n, edges, np.random.default_rng(0).uniform(0.1, 2, len(edges)), ridge))


@pytest.mark.parametrize("n", [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 97])
@pytest.mark.parametrize("columns", [1, 2, 5, 17])
def test_every_size_and_number_of_columns_is_solved(n, columns):
    edges = np.concatenate([tree(n, n), random_graph(n, 4, n)])
    check(system(n, edges, np.ones(len(edges)), 0.1), columns)


def test_parallel_edges_are_added():
    edges = ladder(40, 3)
    once = system(40, edges, np.full(len(edges), 3.0), 0.5)
    thrice = system(40, np.repeat(edges, 3, axis=0), np.ones(3 * len(edges)), 0.5)
    b = np.random.default_rng(1).normal(size=(40, 2))
    x, *size = _core.testing._sparse_cholesky(*once, b, 1e15)
    y, *size_of_parallel = _core.testing._sparse_cholesky(*thrice, b, 1e15)
    np.testing.assert_allclose(y, x, rtol=1e-12)
    assert size_of_parallel == size


@examples(30)
@given(st.integers(1, 40), st.integers(0, 120), st.integers(0, 2**32 - 1))
def test_any_graph_is_solved(n, m, seed):
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, n, (m, 2))
    edges = edges[edges[:, 0] != edges[:, 1]]
    check(system(n, edges, rng.uniform(1e-3, 1e3, len(edges)), 0.1), tol=1e-7)


def test_a_matrix_that_is_not_positive_definite_is_refused():
    for n, edges in GRAPHS.values():
        parts = system(n, edges, np.ones(len(edges)), 0.1)
        for where in (0, n // 2, n - 1):
            for bad in (-1.0, np.nan):
                diagonal = parts[2].copy()
                diagonal[where] = bad
                assert (
                    _core.testing._sparse_cholesky(
                        parts[0], parts[1], diagonal, parts[3], np.ones((n, 1)), 1e15
                    )
                    is None
                )


def test_an_indefinite_matrix_with_a_positive_diagonal_is_refused():
    offsets, indices, diagonal, off = system(300, ladder(300, 4), np.ones(len(ladder(300, 4))), 0.0)
    assert (
        _core.testing._sparse_cholesky(offsets, indices, diagonal * 0.5, off, np.ones((300, 1)), 1e15) is None
    )


def test_too_many_flops_are_refused_and_the_count_is_consistent():
    n, edges = GRAPHS["denser random"]
    parts = system(n, edges, np.ones(len(edges)), 1.0)
    b = np.ones((n, 1))
    _, flops, entries = _core.testing._sparse_cholesky(*parts, b, 1e15)
    assert n <= entries <= n * (n + 1) // 2
    assert entries <= flops <= n**3
    assert _core.testing._sparse_cholesky(*parts, b, flops / 4) is None
    assert _core.testing._sparse_cholesky(*parts, b, flops * 2) is not None


@pytest.mark.parametrize("name", ["path", "tree", "star", "star with its hub last"])
def test_trees_have_no_fill(name):
    n, edges = GRAPHS[name]
    _, _, entries = check(system(n, edges, np.ones(len(edges)), 1.0))
    assert entries <= 2 * n + 0.5 * n  # supernodes may store a few zeros


def test_the_ordering_keeps_a_grid_far_below_a_band():
    side = 40
    right = [(i, i + 1) for i in range(side * side - 1) if i % side < side - 1]
    down = [(i, i + side) for i in range(side * (side - 1))]
    _, _, entries = check(system(side * side, right + down, np.ones(len(right) + len(down)), 1.0))
    assert entries < 0.6 * side**3


def test_a_shuffled_ladder_costs_about_as_much_as_a_sorted_one():
    edges = ladder(2000, 5)
    shuffled = np.random.default_rng(6).permutation(2000)[edges]
    sizes = [check(system(2000, e, np.ones(len(edges)), 1.0))[2] for e in (edges, shuffled)]
    assert max(sizes) < 3 * min(sizes)
    assert max(sizes) < 40 * 2000


def shuffled_ladder_bits():
    edges = np.random.default_rng(6).permutation(500)[ladder(500, 5)]
    parts = system(500, edges, np.ones(len(edges)), 1.0)
    return _core.testing._sparse_cholesky(*parts, np.ones((500, 2)), 1e15)


def test_every_instruction_set_solves(isa_level, on_isa):
    x, flops, entries = on_isa(isa_level, shuffled_ladder_bits)
    here = shuffled_ladder_bits()
    np.testing.assert_allclose(x, here[0], rtol=1e-10)
    assert (flops, entries) == here[1:]


@pytest.mark.parametrize(
    ("offsets", "indices", "match"),
    [
        ([0, 1], [0, 0], "offsets"),
        ([1, 2], [0], "offsets"),
        ([0, 2, 1, 2], [1, 0], "offsets"),
        ([0, 1, 2], [1, 2], "indices"),
        ([0, 1, 2], [1, -1], "indices"),
    ],
)
def test_broken_patterns_are_refused(offsets, indices, match):
    n = len(offsets) - 1
    with pytest.raises(ValueError, match=match):
        _core.testing._sparse_cholesky(
            np.array(offsets),
            np.array(indices, np.int32),
            np.ones(n),
            np.zeros(len(indices)),
            np.ones((n, 1)),
            1e9,
        )


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_the_selected_inverse_is_the_inverse_where_the_pattern_is(name):
    n, edges = GRAPHS[name]
    rng = np.random.default_rng(n)
    parts = system(n, edges, rng.uniform(0.5, 2.0, len(edges)), 0.3)
    b = rng.normal(size=(n, 2))
    diagonal, entries, log_determinant, lower, upper = _core.testing._selected_inverse(*parts, b)
    dense = matrix(*parts).toarray()
    inverse = np.linalg.inv(dense)
    np.testing.assert_allclose(diagonal, np.diag(inverse), rtol=1e-9)
    rows = np.repeat(np.arange(n), np.diff(parts[0]))
    given = entries != 0
    np.testing.assert_allclose(entries[given], inverse[rows, parts[1]][given], rtol=1e-7, atol=1e-12)
    pairs = {tuple(sorted(p)) for p in zip(rows.tolist(), parts[1].tolist(), strict=True)}
    told = {tuple(sorted(p)) for p in zip(rows[given].tolist(), parts[1][given].tolist(), strict=True)}
    assert told == pairs
    assert log_determinant == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-10)
    np.testing.assert_allclose((lower**2).sum(0), (b * (inverse @ b)).sum(0), rtol=1e-9)
    np.testing.assert_allclose((upper * (dense @ upper)).sum(0), (b**2).sum(0), rtol=1e-9)
