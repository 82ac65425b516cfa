"""Comparisons.from_counts: dense and sparse matrices."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steelyard.rank import Comparisons

pytestmark = pytest.mark.smoke

SPARSE = [sp.csr_array, sp.csc_array, sp.coo_array, sp.lil_array, sp.dok_array, sp.csr_matrix, sp.coo_matrix]


def dense_counts(table):
    wins, ties = np.zeros((2, table.n_items, table.n_items))
    wins[table.left, table.right] = table.left_wins
    wins[table.right, table.left] = table.right_wins
    if table.ties is not None:
        ties[table.left, table.right] = ties[table.right, table.left] = table.ties
    return wins, ties


square = st.integers(2, 6).flatmap(
    lambda n: arrays(np.int64, (2, n, n), elements=st.sampled_from([0, 0, 0, 1, 2, 7]))
)


@given(square, st.sampled_from([np.asarray, *SPARSE]))
def test_the_matrices_come_back(matrices, make):
    wins, ties = matrices
    np.fill_diagonal(wins, 0)
    ties = np.triu(ties, 1) + np.triu(ties, 1).T
    if not (wins.any() or ties.any()):
        with pytest.raises(ValueError, match="nothing to compare"):
            Comparisons.from_counts(make(wins), make(ties))
        return
    table = Comparisons.from_counts(make(wins), make(ties))
    assert table.items.tolist() == list(range(len(wins)))
    back = dense_counts(table)
    np.testing.assert_array_equal(back[0], wins)
    np.testing.assert_array_equal(back[1], ties)
    assert (table.left < table.right).all()


def test_counts_and_pairs_agree():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 9, 500)
    b = (a + rng.integers(1, 9, 500)) % 9
    wins = np.zeros((9, 9))
    np.add.at(wins, (a, b), 1)
    pairs, counts = Comparisons.from_pairs(a, b), Comparisons.from_counts(wins)
    for name in ("items", "left", "right", "left_wins", "right_wins"):
        np.testing.assert_array_equal(getattr(pairs, name), getattr(counts, name))
    assert pairs.n_comparisons == (pairs + counts).n_comparisons / 2


def test_items_label_the_rows_in_their_order():
    table = Comparisons.from_counts([[0, 3], [1, 0]], items=["z", "a"])
    assert table.items.tolist() == ["z", "a"]
    assert table.left_wins.tolist() == [3.0]


def test_a_large_sparse_matrix_is_not_made_dense():
    n = 1_000_000
    wins = sp.coo_array(([1.0, 2.0], ([0, n - 1], [n - 1, 5])), shape=(n, n))
    table = Comparisons.from_counts(wins)
    assert table.n_items == n
    assert table.left.tolist() == [0, 5]
    assert table.right_wins.tolist() == [0.0, 2.0]


def test_duplicate_entries_add_up_and_the_matrix_stays_as_it_is():
    wins = sp.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(2, 2))
    assert Comparisons.from_counts(wins).left_wins.tolist() == [3.0]
    assert wins.nnz == 2


def test_stored_zeros_are_no_games():
    wins = sp.coo_array(([0.0, 2.0, 0.0], ([0, 0, 1], [0, 1, 0])), shape=(2, 2))
    assert Comparisons.from_counts(wins).n_comparisons == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"wins": np.ones((2, 3))}, ValueError, r"wins must be a square matrix, got shape \(2, 3\)"),
        ({"wins": [1, 2]}, ValueError, "wins must be a square matrix"),
        ({"wins": np.zeros((0, 0))}, ValueError, "nothing to compare"),
        ({"wins": np.zeros((2, 2))}, ValueError, "nothing to compare"),
        ({"wins": np.eye(2)}, ValueError, r"wins must have an empty diagonal, got 1.0 at \(0, 0\)"),
        (
            {"wins": [[0, -1], [1, 0]]},
            ValueError,
            r"wins must hold finite numbers >= 0, got -1.0 at \(0, 1\)",
        ),
        ({"wins": [[0, np.nan], [1, 0]]}, ValueError, r"got nan at \(0, 1\)"),
        ({"wins": [[0, np.inf], [1, 0]]}, ValueError, r"got inf at \(0, 1\)"),
        ({"wins": [[0, 1j], [1, 0]]}, TypeError, "wins must hold real numbers"),
        ({"wins": [["0", "1"], ["1", "0"]]}, TypeError, "wins must hold real numbers"),
        ({"wins": np.ma.array(np.ones((2, 2)), mask=np.eye(2))}, ValueError, "masked"),
        ({"ties": [[0, 1], [0, 0]]}, ValueError, "ties must be symmetric"),
        ({"ties": [[0, 1], [2, 0]]}, ValueError, "ties must be symmetric"),
        ({"ties": np.zeros((3, 3))}, ValueError, r"ties must have the shape of wins, \(2, 2\), got \(3, 3\)"),
        ({"items": ["a"]}, ValueError, "items must have 2 labels, one a row of wins, got 1"),
        ({"items": ["a", "a"]}, ValueError, "items must be unique"),
    ],
)
@pytest.mark.parametrize("sparse", [False, True])
def test_wrong_matrices_are_refused_by_name(options, error, message, sparse):
    options = {"wins": np.array([[0, 2], [1, 0]]), **options}
    if sparse:
        for name in ("wins", "ties"):
            matrix = np.asarray(options.get(name, 0))
            if matrix.ndim == 2 and matrix.dtype.kind in "ifc" and not np.ma.isMaskedArray(options[name]):
                options[name] = sp.coo_array(matrix)
    with pytest.raises(error, match=message):
        Comparisons.from_counts(**options)
