"""The quadratic solver against enumeration of active sets, SciPy, closed forms and its own certificate."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from steelyard import ConvergenceWarning, _core
from steelyard.weigh import solve_simplex_qp
from support import hostile
from support.examples import examples

pytestmark = pytest.mark.kernel


def random_problem(seed, n, rank=None):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(rank or n, n))
    return factor.T @ factor, rng.normal(size=n)


def value(K, q, x):
    return 0.5 * x @ K @ x - q @ x


def best_by_enumeration(K, q, lower, upper, total):
    """The least objective over all choices of who sits at which bound; n <= 6."""
    n, best = len(q), np.inf
    for at in itertools.product((0, -1, 1), repeat=n):
        state = np.array(at)
        if not np.isfinite(upper[state == 1]).all():
            continue
        x = np.where(state == 1, upper, lower)
        free = np.flatnonzero(state == 0)
        fixed = np.flatnonzero(state != 0)
        x[free] = 0.0
        m, summed = len(free), total is not None
        system = np.zeros((m + summed, m + summed))
        system[:m, :m] = K[np.ix_(free, free)]
        right = q[free] - K[np.ix_(free, fixed)] @ x[fixed]
        if summed:
            system[:m, m:] = 1.0
            system[m:, :m] = 1.0
            right = np.append(right, total - x[fixed].sum())
        x[free] = np.linalg.lstsq(system, right, rcond=None)[0][:m]
        feasible = (x >= lower - 1e-9).all() and (x <= upper + 1e-9).all()
        if feasible and (not summed or abs(x.sum() - total) < 1e-9):
            best = min(best, value(K, q, x))
    return best


def certificate(K, q, x, lower, upper, total):
    """g'x - min g's by filling the cheapest coordinates first."""
    g = K @ x - q
    s = lower.copy()
    rest = total - lower.sum()
    for i in np.argsort(g, kind="stable"):
        part = min(rest, upper[i] - lower[i])
        s[i] += part
        rest -= part
    return g @ x - g @ s


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("total", [1.0, None])
@pytest.mark.parametrize("bounded", [False, True])
def test_small_problems_are_solved_as_by_enumeration(n, total, bounded):
    for seed in range(4):
        K, q = random_problem(seed, n)
        rng = np.random.default_rng(seed + 100)
        lower = rng.uniform(-0.3, 0.1, n) if bounded else np.zeros(n)
        upper = lower + rng.uniform(1.5 / n, 3.0 / n, n) if bounded else np.full(n, np.inf)
        sum_to = total if total is None or not bounded else 0.5 * (lower.sum() + upper.sum())
        found = solve_simplex_qp(K, q, lower=lower, upper=upper, total=sum_to)
        assert found.info.converged
        assert (found.x >= lower).all()
        assert (found.x <= upper).all()
        if sum_to is not None:
            assert found.x.sum() == pytest.approx(sum_to, abs=1e-13)
        assert found.objective == pytest.approx(value(K, q, found.x), rel=1e-12, abs=1e-12)
        assert found.objective == pytest.approx(
            best_by_enumeration(K, q, lower, upper, sum_to), rel=1e-9, abs=1e-9
        )


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 40))
@examples(30)
def test_the_gap_is_what_its_definition_says_and_within_tol(seed, n, rank):
    K, q = random_problem(seed, n, rank)
    rng = np.random.default_rng(seed)
    lower, upper = np.zeros(n), rng.uniform(1.1 / n, 4.0 / n, n)
    found = solve_simplex_qp(K, q, upper=upper)
    again = certificate(K, q, found.x, lower, upper, 1.0)
    scale = 0.5 * found.x @ K @ found.x + abs(q @ found.x)
    assert found.gap == pytest.approx(again, abs=1e-12 * np.abs(K).max())
    assert found.gap <= 1e-10 * scale + 1e-13 * np.abs(K).max()
    assert found.info.convex


def test_scipy_finds_nothing_better():
    K, q = random_problem(3, 12)
    found = solve_simplex_qp(K, q)
    other = minimize(
        lambda x: value(K, q, x),
        np.full(12, 1 / 12),
        jac=lambda x: K @ x - q,
        bounds=[(0, None)] * 12,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": lambda x: np.ones(12)},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.objective <= other.fun + 1e-12
    assert found.objective == pytest.approx(other.fun, rel=1e-7)


def test_without_a_sum_it_is_nonnegative_least_squares():
    rng = np.random.default_rng(5)
    A, b = rng.normal(size=(60, 25)), rng.normal(size=60)
    found = solve_simplex_qp(A.T @ A, A.T @ b, total=None)
    np.testing.assert_allclose(found.x, nnls(A, b)[0], atol=1e-10)
    assert found.info.error_kind == "estimate"
    np.testing.assert_array_equal(found.support, np.flatnonzero(found.x))


def test_an_objective_of_zero_counts_as_reached_at_rounding():
    A = np.round(np.random.default_rng(8).normal(size=(5, 12)))
    weights = np.random.default_rng(9).uniform(0, 1e-3, 12)
    for total in (weights.sum(), None):
        found = solve_simplex_qp(A.T @ A, A.T @ (A @ weights), total=total)
        assert found.info.converged
        np.testing.assert_allclose(A @ found.x, A @ weights, atol=1e-12)


@pytest.mark.parametrize("length", [0.3, 3.0, 30.0])
def test_near_singular_kernels_reach_ten_digits(length):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(150, 2)), rng.normal(0.5, 1.0, size=(200, 2))
    K = np.exp(-((X[:, None] - X) ** 2).sum(-1) / (2 * length**2))
    q = np.exp(-((X[:, None] - Y) ** 2).sum(-1) / (2 * length**2)).mean(1)
    found = solve_simplex_qp(K, q, upper=10 / 150)  # kernel mean matching
    assert found.info.converged
    assert certificate(K, q, found.x, np.zeros(150), np.full(150, 10 / 150), 1.0) <= 2e-10
    assert found.x.max() <= 10 / 150


def test_kernels_that_are_definite_on_sum_zero_alone_are_convex():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(80, 2)), rng.normal(0.4, 1.0, size=(90, 2))
    K = -np.linalg.norm(X[:, None] - X, axis=-1)
    q = -np.linalg.norm(X[:, None] - Y, axis=-1).mean(1)
    found = solve_simplex_qp(K, q)
    assert found.info.convex
    assert found.info.converged
    shifted = solve_simplex_qp(K + 10.0, q)
    np.testing.assert_allclose(found.x, shifted.x, atol=1e-9)


def test_a_callable_gives_what_its_array_gives():
    K, q = random_problem(7, 130)
    asked = []

    def rows(indices):
        asked.append(len(indices))
        return K[indices]

    np.testing.assert_array_equal(solve_simplex_qp(rows, q).x, solve_simplex_qp(K, q).x)
    assert max(asked) > 1


@pytest.mark.parametrize("as_rows", [False, True])
@pytest.mark.parametrize("total", [1.0, None])
def test_the_bits_do_not_depend_on_threads(equal_over_threads, as_rows, total):
    K, q = random_problem(2, 300)
    matrix = (lambda i: K[i]) if as_rows else K
    found = equal_over_threads(
        lambda threads: solve_simplex_qp(matrix, q, total=total, upper=0.02, n_threads=threads)
    )
    assert found.info.converged


@pytest.mark.parametrize("total", [1.0, None])
def test_conjugate_gradients_take_over_where_a_factor_would_be_too_large(total):
    X = np.random.default_rng(0).normal(size=(200, 5))
    K = np.exp(-2 * np.linalg.norm(X[:, None] - X, axis=-1))
    q, lower, upper = np.full(200, 0.01), np.zeros(200), np.full(200, np.inf)
    found = _core.linalg._simplex_qp(K, q, lower, upper, total, 1e-10, factor_limit=20)
    exact = _core.linalg._simplex_qp(K, q, lower, upper, total, 1e-10)
    assert "conjugate gradients" in found["info"]["solver"]
    assert "conjugate gradients" not in exact["info"]["solver"]
    assert found["info"]["converged"]
    np.testing.assert_allclose(found["x"], exact["x"], atol=1e-7)


def test_few_cached_rows_are_enough():
    K, q = random_problem(4, 60)
    bounds = np.zeros(60), np.full(60, np.inf)
    few = _core.linalg._simplex_qp(lambda i: K[i], q, *bounds, 1.0, 1e-10, cache_bytes=0)
    np.testing.assert_allclose(few["x"], solve_simplex_qp(K, q).x, atol=1e-12)


def test_indefinite_matrices_end_in_a_point_of_zero_gap_and_say_so():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 40))
    found = solve_simplex_qp(A + A.T, np.zeros(40))
    assert not found.info.convex
    assert found.info.error_kind == "estimate"
    assert "negative curvature" in found.info.message
    assert certificate(A + A.T, np.zeros(40), found.x, np.zeros(40), np.full(40, np.inf), 1.0) <= 1e-9


def test_a_missed_tolerance_warns_and_says_how_far_it_is():
    K, q = random_problem(0, 200)
    with pytest.warns(ConvergenceWarning, match="relative gap"):
        found = solve_simplex_qp(K, q, max_iter=3)
    assert not found.info.converged
    assert found.gap == pytest.approx(
        certificate(K, q, found.x, np.zeros(200), np.full(200, np.inf), 1.0), rel=1e-9
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lower": 0.6}, "total must be at least"),
        ({"upper": 0.4}, "total must be at most"),
        ({"lower": [1, 0], "upper": [0.5, 1]}, "lower must be at most upper"),
        ({"lower": -np.inf}, "lower has entries"),
        ({"upper": [np.nan, 1]}, "upper has entries"),
        ({"upper": [1, 1, 1]}, "upper must be a number or have shape"),
        ({"total": np.inf}, "total must be finite"),
        ({"tol": 0}, "tol must be positive"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"lower": "0"}, "lower must hold real numbers"),
        ({"progress": 3}, "progress must be callable"),
    ],
)
def test_what_has_no_solution_is_refused_by_name(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        solve_simplex_qp(np.eye(2), [0, 0], **options)


def test_an_endless_fall_is_refused():
    with pytest.raises(ValueError, match="upper must be finite"):
        solve_simplex_qp(np.zeros((2, 2)), [0.0, 1.0], total=None)
    assert solve_simplex_qp(np.zeros((2, 2)), [0.0, 1.0], total=None, upper=3).x.tolist() == [0.0, 3.0]


def test_matrices_must_be_symmetric():
    with pytest.raises(ValueError, match=r"K must be symmetric, got 2.0 at \(0, 1\) and 0.0"):
        solve_simplex_qp([[1.0, 2.0], [0.0, 1.0]], [0, 0])


def test_rows_of_the_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="must have shape"):
        solve_simplex_qp(lambda i: np.eye(3)[i], [0.0, 0.0])
    with pytest.raises(ValueError, match="NaN"):
        solve_simplex_qp(lambda i: np.full((len(i), 2), np.nan), [0.0, 0.0])
    with pytest.raises(ZeroDivisionError):
        solve_simplex_qp(lambda i: 1 / 0, [0.0, 0.0])


PLAIN = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID, without={"bool"}))
def test_any_layout_gives_the_same_answer(variant):
    hostile.check_same(lambda K: solve_simplex_qp(K, np.zeros(3)).x, PLAIN, variant)
    hostile.check_same(lambda q: solve_simplex_qp(PLAIN, q).x, np.arange(3.0), variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused(variant):
    hostile.check_refused(lambda K: solve_simplex_qp(K, np.zeros(3)), PLAIN, variant, "K")
    hostile.check_refused(lambda q: solve_simplex_qp(PLAIN, q), np.arange(3.0), variant, "q")


def endless_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 2))

    def rows(indices):
        return np.exp(-((X[indices, None] - X) ** 2).sum(-1) / 8)

    while True:
        solve_simplex_qp(rows, np.sin(X[:, 0]))


@pytest.mark.parametrize("after", [0.1, 0.3])
def test_ctrl_c_leaves_the_best_weights_so_far(ctrl_c, after):
    outcome = ctrl_c(endless_rows, after=after, within="linalg._simplex_qp")
    assert outcome.raised
    assert outcome.has_partial
    assert outcome.partial.info.interrupted
    assert outcome.partial.x.sum() == pytest.approx(1.0)
    assert (outcome.partial.x >= 0).all()


def test_the_repr_names_the_gap():
    text = repr(solve_simplex_qp(np.eye(3), np.zeros(3)))
    assert "3 of 3 coordinates" in text
    assert "converged: gap" in text


def test_an_objective_beyond_float64_is_said_and_not_called_converged():
    with pytest.warns(ConvergenceWarning, match="beyond float64: give K, q and total in other units"):
        found = solve_simplex_qp(np.eye(3), np.ones(3), total=1e308)
    assert not found.info.converged
    assert found.info.error_bound == found.gap == np.inf
