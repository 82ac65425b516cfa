"""General similarity matrices: closed forms, both sides, singular and near-singular ones, size maps."""

from __future__ import annotations

import math
import operator
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steelyard import ConvergenceWarning, Info
from steelyard.reference import weigh as reference
from steelyard.weigh import similarity, solve_similarity
from support import hostile

SINGULAR_SCALE = np.log(2) / 2
SIDE = np.array([0, 0, 0, 1, 1])
K32 = np.where(SIDE[:, None] == SIDE, 2.0, 1.0) * ~np.eye(5, dtype=bool)


def random_matrix(n, kind, seed=0):
    rng = np.random.default_rng(seed)
    Z = reference.similarity(rng.normal(size=(n, 3)))
    if kind == "asymmetric":
        return Z * rng.uniform(0.5, 1, (n, n))
    if kind == "indefinite":
        signs = rng.choice([-1.0, 1.0], n)
        return Z * signs[:, None] * signs + np.diag(rng.choice([-3.0, 3.0], n))
    return Z


def inverse_sides(Z):
    inverse = np.linalg.inv(Z)
    return inverse.sum(axis=1), inverse.sum(axis=0)


# ---- regular matrices


@pytest.mark.parametrize("n", [1, 2, 3, 8, 17, 33, 97])
@pytest.mark.parametrize(
    ("kind", "solver"), [("definite", "Cholesky"), ("indefinite", "LDL'"), ("asymmetric", "LU")]
)
def test_each_kind_of_matrix_is_solved_by_its_factorisation(kind, solver, n):
    Z = random_matrix(n, kind, seed=n)
    if kind == "indefinite":
        Z[0, 0] = -2.0
    found = solve_similarity(Z)
    w, v = inverse_sides(Z)
    np.testing.assert_allclose(found.weighting, w, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.coweighting, v, rtol=1e-9, atol=1e-11)
    assert found.magnitude == pytest.approx(w.sum(), rel=1e-10, abs=1e-11)
    assert found.weighting_exists
    assert found.coweighting_exists
    assert max(found.weighting_residual, found.coweighting_residual) <= 1e-13
    assert found.info.converged
    assert found.info.error_bound == found.info.residual <= 1e-13
    assert found.info.rank == n
    if n > 1:
        assert found.info.solver.startswith(solver)
    assert found.info.positive_definite == found.info.solver.startswith("Cholesky")
    assert isinstance(found.info, Info)


@given(arrays(float, (4, 4), elements=st.floats(-1, 1)))
def test_both_sides_have_one_sum_and_transposing_swaps_them(noise):
    Z = 5 * np.eye(4) + noise
    found, swapped = solve_similarity(Z), solve_similarity(Z.T)
    np.testing.assert_allclose(Z @ found.weighting, 1, rtol=1e-13)
    np.testing.assert_allclose(found.coweighting @ Z, 1, rtol=1e-13)
    assert found.weighting.sum() == pytest.approx(found.coweighting.sum(), rel=1e-13)
    assert found.info.magnitude_gap <= 1e-14
    np.testing.assert_allclose(found.weighting, swapped.coweighting, rtol=1e-12)
    assert found.magnitude == pytest.approx(swapped.magnitude, rel=1e-13)


@given(st.integers(-1000, 1000), st.integers(-300, 300))
def test_scaling_the_matrix_or_its_rows_changes_nothing_else(exponent, row_exponent):
    Z = random_matrix(5, "asymmetric")
    plain = solve_similarity(Z)
    scaled = solve_similarity(np.ldexp(Z, exponent))
    np.testing.assert_array_equal(scaled.weighting, np.ldexp(plain.weighting, -exponent))
    assert scaled.magnitude == np.ldexp(plain.magnitude, -exponent)
    columns = np.ldexp(1.0, [0, row_exponent, 0, 0, -row_exponent])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        stretched = solve_similarity(Z * columns)
    assert stretched.info.rank == 5
    np.testing.assert_allclose(stretched.weighting * columns, plain.weighting, rtol=1e-12)


def test_badly_scaled_matrices_are_not_mistaken_for_singular_ones():
    for Z in (np.diag([1.0, 1e-18]), np.diag([1.0, -1e-18]), np.array([[1.0, 1e-18], [0.0, 1e-18]])):
        found = solve_similarity(Z)
        w, v = inverse_sides(Z)
        np.testing.assert_allclose(found.weighting, w, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(found.coweighting, v, rtol=1e-14, atol=1e-15)


def test_matrices_symmetric_to_rounding_count_as_symmetric():
    Z = random_matrix(20, "definite")
    Z[3, 7] += 1e-16
    assert solve_similarity(Z).info.solver.startswith("Cholesky")
    Z[3, 7] += 1e-12
    assert solve_similarity(Z).info.solver.startswith("LU")


def test_negative_and_zero_magnitudes_are_given():
    assert solve_similarity([[-1.0]]).magnitude == -1
    assert solve_similarity([[1.0, 0.0], [0.0, -1.0]]).magnitude == 0


# ---- near a singular matrix


@pytest.mark.parametrize("distance", [-0.3, -1e-2, -1e-3, 1e-3, 1e-2, 0.3, 3.0])
def test_k32_has_its_rational_magnitude(distance):
    t = SINGULAR_SCALE + distance
    q = np.exp(-t)
    expected = (5 - 7 * q) / ((1 + q) * (1 - 2 * q**2))
    found = solve_similarity(np.exp(-t * K32))
    assert found.magnitude == pytest.approx(expected, rel=1e-10)
    assert found.info.positive_definite == (distance > 0)


@pytest.mark.parametrize("distance", [1e-6, -1e-6, 1e-9, -1e-9, 1e-12])
def test_nearer_to_the_singular_scale_the_backward_error_is_that_of_rounding(distance):
    t = SINGULAR_SCALE + distance
    q = np.exp(-t)
    expected = (5 - 7 * q) / ((1 + q) * (1 - 2 * q**2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = solve_similarity(np.exp(-t * K32))
    assert found.info.backward_error <= 1e-15
    assert found.magnitude == pytest.approx(expected, rel=found.info.weight_error)
    assert found.info.weight_error == pytest.approx(2e-16 / abs(distance), rel=100)


def test_at_the_singular_scale_there_is_no_weighting():
    found = solve_similarity(np.exp(-SINGULAR_SCALE * K32))
    assert found.weighting is found.coweighting is found.magnitude is None
    assert not found.weighting_exists
    assert not found.coweighting_exists
    # the null vector is (1, 1, 1, -sqrt 2, -sqrt 2) / sqrt 7
    assert found.weighting_residual == pytest.approx((3 - 2 * np.sqrt(2)) / np.sqrt(35), rel=1e-12)
    assert found.info.rank == 4
    assert "no weighting exists" in found.info.message
    assert "magnitude none" in repr(found)


def test_a_residual_above_the_tolerance_is_warned_of():
    Z = np.exp(-(SINGULAR_SCALE + 1e-12) * K32)
    with pytest.warns(ConvergenceWarning, match="close to singular"):
        found = solve_similarity(Z)
    assert not found.info.converged
    assert found.weighting_exists
    assert "single weights are not determined" in found.info.message


# ---- singular matrices


def test_copies_share_a_weight_evenly():
    X = np.random.default_rng(3).normal(size=(6, 2))
    position = np.array([0, 1, 1, 2, 3, 4, 5, 5, 5])
    found = solve_similarity(reference.similarity(X[position]))
    apart = solve_similarity(reference.similarity(X))
    count = np.bincount(position)
    np.testing.assert_allclose(found.weighting, (apart.weighting / count)[position], rtol=1e-11)
    assert found.magnitude == pytest.approx(apart.magnitude, rel=1e-12)
    assert found.info.rank == 6
    assert "not unique" in found.info.message


def test_one_side_can_exist_without_the_other():
    found = solve_similarity([[1, 1], [0.5, 0.5]])
    assert not found.weighting_exists
    assert found.magnitude is None
    np.testing.assert_allclose(found.coweighting, [0.8, 0.4])  # of least norm on v_0 + v_1 / 2 = 1
    assert found.weighting_residual == pytest.approx(1 / np.sqrt(10))
    turned = solve_similarity([[1, 0.5], [1, 0.5]])
    np.testing.assert_allclose(turned.weighting, [0.8, 0.4])
    assert turned.coweighting is None


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("rank", [0, 1, 3, 7])
def test_singular_matrices_agree_with_least_squares(rank, symmetric):
    rng = np.random.default_rng(rank)
    left = rng.normal(size=(8, rank))
    Z = left @ (left.T if symmetric else rng.normal(size=(rank, 8)))
    found = solve_similarity(Z)
    _, _, on_the_left, on_the_right = reference.solve_similarity(Z)
    assert found.weighting_residual == pytest.approx(on_the_left, rel=1e-9)
    assert found.coweighting_residual == pytest.approx(on_the_right, rel=1e-9)
    assert found.info.rank == rank
    assert found.magnitude is None


@pytest.mark.parametrize("n", [2, 5, 9])
def test_singular_asymmetric_matrices_with_both_sides_have_a_magnitude(n):
    Z = random_matrix(n, "asymmetric", seed=n)
    doubled = Z[np.ix_([*range(n), 0], [*range(n), 0])]
    found, apart = solve_similarity(doubled), solve_similarity(Z)
    assert found.info.rank == n
    assert found.magnitude == pytest.approx(apart.magnitude, rel=1e-11)
    np.testing.assert_allclose(found.weighting[[0, n]], apart.weighting[0] / 2, rtol=1e-10)
    w, v, _, _ = reference.solve_similarity(doubled)
    np.testing.assert_allclose(found.weighting, w, rtol=1e-10)
    np.testing.assert_allclose(found.coweighting, v, rtol=1e-10)


def test_the_tolerance_decides_what_a_residual_is_worth():
    Z = [[1, 1], [0.5, 0.5]]
    assert solve_similarity(Z, tol=0.4).weighting_exists
    assert not solve_similarity(Z, tol=0.3).weighting_exists


# ---- arrays as they arrive


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_weights(variant):
    Z = np.array([[4.0, 1.0, 0.0], [2.0, 5.0, 1.0], [0.0, 1.0, 3.0]])
    hostile.check_same(lambda z: solve_similarity(z).weighting, Z, variant)
    hostile.check_same(lambda z: solve_similarity(z).coweighting, Z, variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(solve_similarity, np.eye(4), variant, "Z")


def test_what_is_wrong_with_a_matrix_is_said():
    with pytest.raises(ValueError, match=r"square .* got shape \(2, 3\)"):
        solve_similarity(np.ones((2, 3)))
    with pytest.raises(ValueError, match="first: row 1, column 0"):
        solve_similarity([[1, 0], [math.nan, 1]])
    with pytest.raises(ValueError, match="multiply Z"):
        solve_similarity(np.eye(3) * 5e-320)
    with pytest.raises(ValueError, match="tol"):
        solve_similarity(np.eye(2), tol=0)


def test_results_are_read_only():
    found = solve_similarity(np.eye(2))
    for array in (found.weighting, found.coweighting):
        with pytest.raises(ValueError):
            array[0] = 3.0


# ---- size maps


def test_distances_with_an_exponential_are_the_metric_case():
    X = np.random.default_rng(0).normal(size=(7, 2))
    D = reference.distances(X)
    Z = similarity(D, lambda x: math.exp(-0.7 * x), compose=operator.add)
    np.testing.assert_allclose(Z, reference.similarity(X, 0.7), rtol=1e-15)
    assert solve_similarity(Z).magnitude == pytest.approx(reference.magnitude(X, 0.7), rel=1e-12)


def test_an_infinite_number_is_a_hom_object():
    Z = similarity([[0, math.inf], [1, 0]], lambda x: math.exp(-x), compose=operator.add)
    np.testing.assert_allclose(Z, [[1, 0], [math.exp(-1), 1]])


def test_determinants_of_matrices_multiply():
    hom = np.random.default_rng(1).normal(size=(4, 4, 3, 3))
    np.testing.assert_allclose(similarity(hom, np.linalg.det), np.linalg.det(hom), rtol=1e-15)
    nested = [[matrix.tolist() for matrix in row] for row in hom]
    np.testing.assert_array_equal(similarity(nested, np.linalg.det), similarity(hom, np.linalg.det))


@pytest.mark.parametrize(
    ("size_map", "match"),
    [
        (np.trace, "identity matrix must have size 1, got 3"),
        (lambda a: np.linalg.norm(a, "nuc") / 3, r"composite of hom\[0\]\[0\] and hom\[0\]\[0\] has size"),
        (lambda a: np.abs(a).max(), "not multiplicative"),
    ],
)
def test_sizes_that_are_not_multiplicative_are_refused(size_map, match):
    hom = np.random.default_rng(1).normal(size=(3, 3, 3, 3))
    with pytest.raises(ValueError, match=match):
        similarity(hom, size_map)
    assert similarity(hom, size_map, check=0).shape == (3, 3)


def test_composites_of_numbers_are_checked_by_the_law_that_is_given():
    D = [[0.0, 1.0], [2.0, 0.0]]
    assert similarity(D, lambda x: 1 / (1 + x))[0, 1] == 0.5  # no law, no check
    with pytest.raises(ValueError, match="not multiplicative"):
        similarity(D, lambda x: 1 / (1 + x), compose=operator.add)
    chances = [[1.0, 0.5], [0.25, 1.0]]
    np.testing.assert_array_equal(
        similarity(chances, lambda x: x**2, compose=operator.mul), np.square(chances)
    )
    with pytest.raises(ValueError, match="not multiplicative"):
        similarity(chances, lambda x: x**2, compose=operator.add)


def test_no_more_composites_are_formed_than_asked_for():
    calls = []

    def compose(a, b):
        calls.append((a, b))
        return a + b

    similarity(np.ones((9, 9)), lambda x: math.exp(-x), compose=compose, check=25)
    assert len(calls) == 25


def test_hom_objects_can_not_be_altered_by_the_size_map():
    def greedy(matrix):
        matrix[0, 0] = 0
        return 1.0

    with pytest.raises(ValueError, match="read-only"):
        similarity(np.ones((2, 2, 2, 2)), greedy)


@pytest.mark.parametrize(
    "variant",
    hostile.params(hostile.INVALID, without={"inf"}),
)
def test_nonsense_as_hom_is_refused_by_name(variant):
    hostile.check_refused(lambda hom: similarity(hom, lambda x: 1.0), np.ones((4, 4)), variant, "hom")


@pytest.mark.parametrize(
    ("hom", "match"),
    [
        (np.ones((2, 3)), "shape"),
        (np.ones((2, 2, 3, 2)), "shape"),
        (np.ones((0, 0, 2, 2)), "shape"),
        ([[1, 2], [3]], "hom is ragged"),
        ([[np.eye(2), np.eye(3)], [np.eye(2), np.eye(2)]], "hom is ragged"),
        (np.full((2, 2, 2, 2), np.inf), "only numbers may be"),
        ([[0, -np.inf], [1, 0]], "only numbers may be"),
    ],
)
def test_what_is_wrong_with_hom_is_said(hom, match):
    with pytest.raises(ValueError, match=match):
        similarity(hom, lambda x: 1.0)


@pytest.mark.parametrize("size", [None, 1j, "1", [1.0], True, np.ones(2)])
def test_a_size_is_one_real_number(size):
    with pytest.raises(TypeError, match=r"size_map must return a real number, .* for hom\[0\]\[0\]"):
        similarity(np.ones((2, 2)), lambda x: size)


def test_sizes_are_finite_and_maps_are_callable():
    with pytest.raises(ValueError, match=r"finite number, got inf for hom\[0\]\[0\]"):
        similarity(np.ones((2, 2)), lambda x: math.inf)
    with pytest.raises(TypeError, match="size_map must be callable"):
        similarity(np.ones((2, 2)), 3)
    with pytest.raises(TypeError, match="compose must be callable"):
        similarity(np.ones((2, 2)), math.exp, compose="add")
    with pytest.raises(ValueError, match="check must be at least 0"):
        similarity(np.ones((2, 2)), math.exp, check=-1)


def test_a_channel_that_garbles_is_found_by_its_coweight():
    def channel(error):
        return np.array([[1 - error, error], [error, 1 - error]])

    garbled = np.full(6, 0.01)
    garbled[2] = 0.2
    hom = [[np.eye(2) if i == j else channel(0.01) @ channel(garbled[j]) for j in range(6)] for i in range(6)]
    found = solve_similarity(similarity(hom, lambda a: abs(np.linalg.det(a))))
    assert found.coweighting.argmax() == 2
    assert found.coweighting[2] > 3 * np.delete(found.coweighting, 2).max()
