"""The one conjugate gradient: definite and singular systems, what it says of its error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from steelyard import _core
from support.examples import examples

pytestmark = pytest.mark.kernel


def parts(a):
    a = sparse.csr_matrix(a)
    return a.indptr.astype(np.int64), a.indices.astype(np.int32), a.data.astype(float)


def laplacian(n, m, seed=0, weights=(0.1, 2.0)):
    """Of a connected random graph: a ring and m chords."""
    rng = np.random.default_rng([n, m, seed])
    ring = np.column_stack([np.arange(n), (np.arange(n) + 1) % n])
    edges = np.concatenate([ring, rng.integers(0, n, (m, 2))])
    edges = edges[edges[:, 0] != edges[:, 1]]
    w = rng.uniform(*weights, len(edges))
    a = sparse.coo_matrix((w, edges.T), shape=(n, n))
    a = (a + a.T).tocsr()
    return sparse.diags(np.asarray(a.sum(1)).ravel()) - a


def solve(a, b, **options):
    return _core.testing._conjugate_gradients(*parts(a), np.ascontiguousarray(b, dtype=float), **options)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 17, 64, 300])
@pytest.mark.parametrize("columns", [1, 2, 7])
@pytest.mark.parametrize("jacobi", [True, False])
def test_definite_systems_are_solved(n, columns, jacobi):
    a = laplacian(n, 2 * n) + sparse.diags(np.linspace(0.5, 3, n))
    b = np.random.default_rng(n).normal(size=(n, columns))
    answer = solve(a, b, tol=1e-13, jacobi=jacobi)
    assert answer["converged"]
    assert not answer["interrupted"]
    assert all(column["converged"] for column in answer["columns"])
    np.testing.assert_allclose(answer["x"], np.linalg.solve(a.toarray(), b), rtol=0, atol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 10, 100, 1000])
@pytest.mark.parametrize("columns", [1, 5])
@pytest.mark.parametrize("jacobi", [True, False])
def test_singular_laplacians_are_solved_with_mean_zero(n, columns, jacobi):
    a = laplacian(n, 3 * n)
    b = np.random.default_rng(n).normal(size=(n, columns))
    b -= b.mean(0)
    answer = solve(a, b, tol=1e-12, project_mean=True, jacobi=jacobi, max_iter=5000)
    assert answer["converged"]
    np.testing.assert_allclose(answer["x"].mean(0), 0, atol=1e-12 * np.abs(answer["x"]).max())
    expected = np.linalg.pinv(a.toarray(), hermitian=True) @ b
    np.testing.assert_allclose(answer["x"], expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def test_a_constant_part_of_the_right_hand_side_is_taken_off():
    a = laplacian(50, 100)
    b = np.random.default_rng(0).normal(size=(50, 1))
    b -= b.mean()
    plain = solve(a, b, project_mean=True)
    shifted = solve(a, b + 5.0, project_mean=True)
    np.testing.assert_allclose(shifted["x"], plain["x"], atol=1e-9)


def test_columns_are_solved_as_if_they_were_alone():
    a = laplacian(200, 400) + sparse.eye(200)
    b = np.random.default_rng(1).normal(size=(200, 4))
    b[:, 2] = 0
    together = solve(a, b, tol=1e-8)
    for k in range(4):
        alone = solve(a, b[:, [k]], tol=1e-8)
        np.testing.assert_allclose(together["x"][:, k], alone["x"][:, 0], rtol=1e-12, atol=1e-300)
        assert together["columns"][k]["iterations"] == alone["columns"][0]["iterations"]
        assert together["columns"][k]["energy"] == pytest.approx(alone["columns"][0]["energy"], rel=1e-12)
    assert together["iterations"] == max(column["iterations"] for column in together["columns"])


def test_nothing_is_solved_in_no_steps():
    answer = solve(sparse.eye(4), np.zeros((4, 2)))
    assert answer["converged"]
    assert answer["iterations"] == 0
    assert not answer["x"].any()


def test_a_good_start_saves_steps_and_the_exact_one_all():
    a = laplacian(300, 300) + 0.1 * sparse.eye(300)
    b = np.random.default_rng(2).normal(size=(300, 2))
    cold = solve(a, b, tol=1e-10)
    exact = np.linalg.solve(a.toarray(), b)
    warm = solve(a, b, tol=1e-10, start=exact + 1e-6 * np.random.default_rng(3).normal(size=b.shape))
    assert warm["converged"]
    assert warm["iterations"] < cold["iterations"]
    np.testing.assert_allclose(warm["x"], exact, atol=1e-8)
    assert solve(a, b, tol=1e-10, start=exact)["iterations"] == 0


def test_too_few_steps_are_admitted():
    a = laplacian(500, 0)  # a ring: slow
    b = np.zeros((500, 1))
    b[0], b[250] = 1, -1
    answer = solve(a, b, project_mean=True, max_iter=5)
    assert not answer["converged"]
    assert answer["iterations"] == 5
    assert answer["columns"][0]["residual"] > 0


def test_the_energy_is_a_lower_bound_that_rises_to_the_truth():
    a = laplacian(200, 100)
    b = np.random.default_rng(4).normal(size=(200, 1))
    b -= b.mean()
    truth = float((b.T @ np.linalg.pinv(a.toarray(), hermitian=True) @ b).item())
    energies = [
        solve(a, b, tol=1e-12, project_mean=True, max_iter=k)["columns"][0]["energy"]
        for k in (1, 3, 10, 30, 500)
    ]
    assert energies == sorted(energies)
    assert energies[-1] <= truth * (1 + 1e-10)
    assert energies[-1] == pytest.approx(truth, rel=1e-9)
    assert energies[0] < truth


def test_the_smallest_ritz_value_comes_down_to_the_smallest_eigenvalue():
    a = laplacian(80, 60)
    b = np.random.default_rng(5).normal(size=(80, 1))
    d = a.diagonal()
    scaled = a.toarray() / np.sqrt(np.outer(d, d))
    smallest = np.sort(np.linalg.eigvalsh(scaled))[1]
    few = solve(a, b, tol=1e-14, project_mean=True, max_iter=5)["columns"][0]["lanczos_smallest"]
    many = solve(a, b, tol=1e-13, project_mean=True)["columns"][0]["lanczos_smallest"]
    assert few >= many * (1 - 1e-6)
    assert many == pytest.approx(smallest, rel=1e-3)


def test_the_estimated_error_is_that_of_the_energy_norm_or_above():
    a = laplacian(150, 80) + 0.05 * sparse.eye(150)
    b = np.random.default_rng(6).normal(size=(150, 1))
    exact = np.linalg.solve(a.toarray(), b)
    for k in (20, 30, 40):
        answer = solve(a, b, tol=1e-14, max_iter=k)
        error = answer["x"] - exact
        energy_norm = float(np.sqrt(error.T @ (a @ error)).item())
        assert answer["columns"][0]["error_estimate"] >= 0.9 * energy_norm


def test_the_residual_is_that_of_the_preconditioned_norm():
    a = laplacian(100, 50) + sparse.eye(100)
    b = np.random.default_rng(7).normal(size=(100, 3))
    answer = solve(a, b, max_iter=6, tol=1e-14)
    r = b - a @ answer["x"]
    expected = np.sqrt((r**2 / a.diagonal()[:, None]).sum(0))
    np.testing.assert_allclose([c["residual"] for c in answer["columns"]], expected, rtol=1e-9)


def test_an_indefinite_matrix_never_converges_in_silence():
    answer = solve(np.diag([1.0, -1.0, 2.0]), np.ones((3, 1)), jacobi=False)
    assert not answer["converged"]


@pytest.mark.parametrize("columns", [1, 3])
def test_the_number_of_threads_changes_no_bit(columns, equal_over_threads):
    a = laplacian(20_000, 40_000)
    b = np.random.default_rng(8).normal(size=(20_000, columns))
    answer = equal_over_threads(lambda n: solve(a, b, tol=1e-6, project_mean=True, n_threads=n))
    assert answer["x"].shape == b.shape


@examples(20)
@given(st.integers(1, 30), st.integers(0, 60), st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_any_definite_system_is_solved(n, m, columns, seed, exponent):
    a = laplacian(n, m, seed, weights=(10.0**-exponent, 10.0 ** abs(exponent) + 1)) + sparse.eye(n)
    b = np.random.default_rng(seed).normal(size=(n, columns))
    answer = solve(a, b, tol=1e-12, max_iter=2000)
    assert answer["converged"]
    np.testing.assert_allclose(a @ answer["x"], b, atol=1e-6)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="must fit the pattern"):
        solve(sparse.eye(3), np.ones((4, 1)))
    with pytest.raises(ValueError, match="b must be 2-dimensional"):
        solve(sparse.eye(3), np.ones(3))
