"""Distances through the packed tile kernel, against the direct formula, on every instruction set."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import _core
from support import hostile
from support.examples import examples

pytestmark = [pytest.mark.smoke, pytest.mark.kernel]

SIZES = [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 97]
DTYPES = [np.float32, np.float64]
EPSILON = {np.float32: 1.2e-7, np.float64: 2.3e-16}


def points(rows, columns, dtype, seed=0):
    return np.random.default_rng([rows, columns, seed]).normal(size=(rows, columns)).astype(dtype)


def direct(x, y):
    """Squared distances of the stored numbers, in double."""
    return ((x[:, None].astype(float) - y[None].astype(float)) ** 2).sum(-1)


def cases():
    """Every size as number of rows of either side and as dimension, against awkward others."""
    for size in SIZES:
        for other, d in ((5, 3), (33, 1), (97, 17)):
            yield size, other, d
            yield other, size, d
        yield 17, 9, size


def everything(x, y, n_threads=1):
    index, squared = _core.testing._nearest(x, y, n_threads)
    return (
        _core.testing._squared_distances(x, y, n_threads),
        index,
        squared,
        _core.testing._exp_distance_sums(x, y, 0.7, n_threads),
        _core.testing._squared_distance_sums(x, y, n_threads),
    )


def nearest(x, y):
    return _core.testing._nearest(x, y)


def all_cases(dtype):
    return [everything(points(n, d, dtype), points(m, d, dtype, seed=1)) for n, m, d in cases()]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_size_agrees_with_the_formula(dtype, isa_level, on_isa):
    answers = on_isa(isa_level, all_cases, dtype)
    for (n, m, d), (squared, index, least, similar, total) in zip(cases(), answers, strict=True):
        exact = direct(points(n, d, dtype), points(m, d, dtype, seed=1))
        rtol = (d + 3) * EPSILON[dtype]
        assert squared.dtype == least.dtype == dtype
        np.testing.assert_allclose(squared, exact, rtol=rtol, atol=0)
        np.testing.assert_allclose(least, exact.min(1), rtol=rtol, atol=0)
        np.testing.assert_array_equal(index, exact.argmin(1))
        np.testing.assert_allclose(total, exact.sum(1), rtol=rtol + m * 1.2e-16)
        np.testing.assert_allclose(similar, np.exp(-0.7 * np.sqrt(exact)).sum(1), rtol=8 * rtol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("n", "m", "d"), [(1, 97, 3), (97, 1, 3), (1003, 517, 5), (257, 4001, 2), (40, 700, 130)]
)
def test_the_number_of_threads_changes_no_bit(dtype, n, m, d, equal_over_threads):
    x, y = points(n, d, dtype), points(m, d, dtype, seed=1)
    squared, *_ = equal_over_threads(lambda n_threads: everything(x, y, n_threads))
    np.testing.assert_allclose(squared, direct(x, y), rtol=(d + 3) * EPSILON[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_nearest_is_right_where_products_cancel(dtype, isa_level, on_isa):
    """Tight groups far apart: squared lengths swamp the distances within a group."""
    rng = np.random.default_rng(0)
    far = rng.normal(size=(6, 5)) * 1e4
    y = (far[rng.integers(0, 6, 90)] + rng.normal(size=(90, 5)) * 0.02).astype(dtype)
    x = (y[rng.integers(0, 90, 500)] + rng.normal(size=(500, 5)) * 0.02).astype(dtype)
    index, least = on_isa(isa_level, nearest, x, y)
    exact = direct(x, y)
    np.testing.assert_allclose(exact[np.arange(500), index], exact.min(1), rtol=20 * EPSILON[dtype])
    np.testing.assert_allclose(least, exact.min(1), rtol=8 * EPSILON[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("far", [1e2, 1e5, 1e9])
def test_a_few_far_centres_mislead_nobody(dtype, far, isa_level, on_isa):
    """They lengthen the bound of the error of no point but those near them."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=(70, 7))
    y[[3, 40, 69]] = far * rng.normal(size=(3, 7))
    x = np.concatenate([rng.normal(size=(300, 7)), y[[3, 40, 69]] * 1.01, y[:9], (y[:9] + y[9:18]) / 2])
    x, y = x.astype(dtype), y.astype(dtype)
    index, least = on_isa(isa_level, nearest, x, y)
    exact = direct(x, y)
    np.testing.assert_allclose(exact[np.arange(len(x)), index], exact.min(1), rtol=20 * EPSILON[dtype])
    np.testing.assert_allclose(least, exact.min(1), rtol=10 * EPSILON[dtype])
    assert index[303:312].tolist() == list(range(9))


@pytest.mark.parametrize("dtype", DTYPES)
def test_several_cache_blocks_of_y_are_joined(dtype):
    d = 1500  # one block holds some 20 (float64) or 40 (float32) rows
    x, y = points(70, d, dtype), points(333, d, dtype, seed=1)
    squared, index, least, similar, total = everything(x, y, 2)
    exact = direct(x, y)
    np.testing.assert_allclose(squared, exact, rtol=d * EPSILON[dtype])
    np.testing.assert_array_equal(index, squared.argmin(1))
    np.testing.assert_allclose(least, exact.min(1), rtol=d * EPSILON[dtype])
    np.testing.assert_allclose(similar, np.exp(-0.7 * np.sqrt(exact)).sum(1), rtol=d * EPSILON[dtype] * 50)
    np.testing.assert_allclose(total, exact.sum(1), rtol=d * EPSILON[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_points_are_exactly_zero_apart_and_the_first_is_nearest(dtype, isa_level, on_isa):
    assert on_isa(isa_level, duplicates, dtype) == (0, True, 200 * 100.0)


def duplicates(dtype):
    x = np.tile(points(1, 37, dtype) * 1000, (200, 1))
    squared = _core.testing._squared_distances(x, x[:100])
    index, _ = _core.testing._nearest(x, x[:100])
    return (
        float(np.abs(squared).max()),
        bool((index == 0).all()),
        float(_core.testing._exp_distance_sums(x, x[:100], 5.0).sum()),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_go_to_the_lowest_index_across_tiles(dtype):
    y = np.zeros((200, 2), dtype)
    y[:, 0] = 7
    for first in (0, 3, 15, 16, 31, 32, 40, 63, 64, 150):
        target = y.copy()
        target[[first, min(first + 1, 199), min(first + 32, 199), min(first + 33, 199), 199], 0] = 1
        index, least = _core.testing._nearest(np.zeros((5, 2), dtype), target)
        assert index.tolist() == [first] * 5
        assert least.tolist() == [1] * 5


@pytest.mark.parametrize("dtype", DTYPES)
def test_far_from_the_origin_nothing_cancels(dtype):
    near = np.round(points(50, 8, dtype) * 64) / 64
    offset = dtype(2.0**15 if dtype == np.float32 else 2.0**40)
    far = (near + offset).astype(dtype)  # exact: the grid of 1/64 fits
    assert np.array_equal((far - offset).astype(dtype), near) or dtype == np.float32
    exact = direct(far, far)
    np.testing.assert_allclose(
        _core.testing._squared_distances(far, far), exact, rtol=10 * EPSILON[dtype], atol=0
    )


@examples(30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_distances_are_symmetric_and_shift_free(n, m, d, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-50, 50, (n, d)).astype(float), rng.integers(-50, 50, (m, d)).astype(float)
    squared = _core.testing._squared_distances(x, y)
    assert np.array_equal(squared, _core.testing._squared_distances(y, x).T)
    assert np.array_equal(squared, _core.testing._squared_distances(x + 1000, y + 1000))
    order = rng.permutation(n)
    assert np.array_equal(squared[order], _core.testing._squared_distances(x[order], y))
    np.testing.assert_array_equal(squared, direct(x, y))


def test_no_rows_and_no_columns_have_their_meaning():
    none, some = np.zeros((0, 3)), np.ones((4, 3))
    assert _core.testing._squared_distances(none, some).shape == (0, 4)
    assert _core.testing._squared_distances(some, none).shape == (4, 0)
    index, least = _core.testing._nearest(some, none)
    assert index.tolist() == [-1] * 4
    assert np.isinf(least).all()
    assert _core.testing._exp_distance_sums(some, none, 1.0).tolist() == [0] * 4
    assert _core.testing._exp_distance_sums(np.zeros((2, 0)), np.zeros((3, 0)), 1.0).tolist() == [3, 3]


def test_similarities_fade_from_one_to_zero_with_the_scale():
    x = points(30, 3, np.float64)
    np.testing.assert_array_equal(_core.testing._exp_distance_sums(x, x, 0.0), np.full(30, 30.0))
    np.testing.assert_array_equal(_core.testing._exp_distance_sums(x, x, 1e6), np.ones(30))


def test_float32_is_kept_and_everything_else_becomes_float64():
    x32, x64 = np.ones((2, 2), np.float32), np.ones((2, 2))
    for x, y in itertools.product((x32, x64, x64.astype(int)), repeat=2):
        expected = np.float32 if x is y is x32 else np.float64
        assert _core.testing._squared_distances(x, y).dtype == expected
    assert _core.testing._squared_distances(np.asfortranarray(x32), x32).dtype == np.float32


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID, without={"longdouble", "list"}))
def test_any_layout_gives_the_same_distances(variant):
    array = (np.arange(20.0) % 2).reshape(5, 4)
    hostile.check_same(lambda x: _core.testing._squared_distances(x, np.eye(4)), array, variant)


@pytest.mark.parametrize(
    "name",
    ["complex", "object", "none-inside", "strings", "bytes", "dates", "records", "scalar", "one-axis-more"],
)
def test_nonsense_is_refused_by_name(name):
    variant = next(v for v in hostile.INVALID if v.name == name)
    hostile.check_refused(lambda x: _core.testing._nearest(x, np.eye(4)), np.ones((5, 4)), variant, "x")


def test_columns_must_match():
    with pytest.raises(ValueError, match=r"y must have as many columns as x \(2\), got 3"):
        _core.testing._nearest(np.ones((2, 2)), np.ones((2, 3)))
