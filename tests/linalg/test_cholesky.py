"""Dense Cholesky: the own kernel, SciPy's BLAS in blocks, solves and inverses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import _core
from support.examples import examples

pytestmark = [pytest.mark.smoke, pytest.mark.kernel]

SIZES = [*range(1, 10), 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 128, 129, 200]


def spd(n, seed=0, condition=1e3):
    """Symmetric positive definite with eigenvalues from 1 to `condition`."""
    q, _ = np.linalg.qr(np.random.default_rng([n, seed]).normal(size=(n, n)))
    a = (q * np.geomspace(1, condition, n)) @ q.T
    return (a + a.T) / 2


def own_factors():
    return [_core.testing._cholesky(spd(n)) for n in SIZES]


def test_the_own_kernel_factors_every_size(isa_level, on_isa):
    for n, factor in zip(SIZES, on_isa(isa_level, own_factors), strict=True):
        a = spd(n)
        assert np.array_equal(factor, np.tril(factor))
        assert np.all(np.diag(factor) > 0)
        np.testing.assert_allclose(factor @ factor.T, a, atol=4e-15 * n * np.abs(a).max())


def test_only_the_lower_triangle_is_read():
    a = spd(70)
    spoilt = np.tril(a) + np.triu(np.full_like(a, np.nan), 1)
    assert np.array_equal(_core.testing._cholesky(spoilt), _core.testing._cholesky(a))
    large = spd(530)
    spoilt = np.tril(large) + np.triu(np.full_like(large, np.nan), 1)
    assert np.isfinite(_core.linalg._cholesky_large(spoilt)).all()


@pytest.mark.parametrize("n", [1, 64, 511, 512, 513, 700, 769, 1300])
def test_the_large_path_agrees_with_lapack(n):
    a = spd(n)
    np.testing.assert_allclose(
        _core.linalg._cholesky_large(a), np.linalg.cholesky(a), rtol=0, atol=1e-12 * np.abs(a).max()
    )


@pytest.mark.parametrize("n", [1, 5, 31, 32, 33, 64, 65, 100, 511, 513, 600, 1000])
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_a_matrix_that_is_not_positive_definite_is_refused(n, where):
    k = int(where * (n - 1))
    for bad in (-1.0, 0.0, np.nan, -np.inf, np.inf):
        a = np.eye(n)
        a[k, k] = bad
        assert _core.linalg._cholesky_large(a) is None
        if n <= 100:
            assert _core.testing._cholesky(a) is None


def test_an_indefinite_matrix_with_a_positive_diagonal_is_refused():
    for n in (2, 33, 65, 600):
        a = np.full((n, n), 2.0)
        np.fill_diagonal(a, 1.0)
        assert _core.testing._cholesky(a) is None
        assert _core.linalg._cholesky_large(a) is None


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("columns", [1, 2, 7, 16, 33])
def test_solves_have_small_residuals(n, columns):
    a, b = spd(n), np.random.default_rng(n).normal(size=(n, columns))
    x = _core.testing._cholesky_solve(_core.testing._cholesky(a), b)
    np.testing.assert_allclose(a @ x, b, atol=1e-12 * n)


def test_transposed_solves_turn_noise_into_the_inverse_covariance():
    a = spd(40)
    factor = _core.testing._cholesky(a)
    root = _core.testing._cholesky_solve_transposed(factor, np.eye(40))
    np.testing.assert_allclose(factor.T @ root, np.eye(40), atol=1e-12)
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(a), atol=1e-12)


@pytest.mark.parametrize("n", [*SIZES, 512, 513, 600, 1100])
def test_inverses_are_symmetric_and_right(n):
    a = spd(n)
    inverse = _core.linalg._cholesky_inverse(_core.linalg._cholesky_large(a))
    assert np.array_equal(inverse, inverse.T)
    np.testing.assert_allclose(a @ inverse, np.eye(n), atol=1e-11)
    np.testing.assert_allclose(_core.linalg._inverse_positive_definite(a), inverse, atol=1e-12)


def test_a_hilbert_matrix_is_factored_to_backward_stability():
    k = np.arange(8)
    a = 1.0 / (k[:, None] + k + 1)
    factor = _core.testing._cholesky(a)
    np.testing.assert_allclose(factor @ factor.T, a, rtol=0, atol=1e-16)


@examples(25)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1), st.floats(-30, 30))
def test_scaling_a_matrix_by_a_power_of_four_scales_its_factor_exactly(n, seed, exponent):
    a, power = spd(n, seed), round(exponent)
    assert np.array_equal(_core.testing._cholesky(a * 4.0**power), _core.testing._cholesky(a) * 2.0**power)


def test_the_own_kernel_has_the_same_bits_in_threads_and_on_every_call():
    a = spd(150)
    expected = _core.testing._cholesky(a).tobytes()
    assert all(_core.testing._cholesky(a).tobytes() == expected for _ in range(5))


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="a must be square"):
        _core.testing._cholesky(np.ones((2, 3)))
    with pytest.raises(ValueError, match="b must have as many rows"):
        _core.testing._cholesky_solve(np.eye(2), np.ones((3, 1)))
