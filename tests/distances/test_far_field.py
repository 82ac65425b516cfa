"""Products by a far field against stored matrices, and what they state of themselves, on hostile clouds."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import _core
from steelyard.reference import weigh as reference

pytestmark = pytest.mark.kernel

SIZES = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65, 97]


def exact(x, v, scale):
    return reference.similarity(x, scale) @ v


def product(x, v, p, scale, *, single=False, n_threads=1):
    """(Z~ v, root mean square, largest, sum of |v_i| row_i)."""
    return _core.testing._far_field_product(np.ascontiguousarray(x), v, p, scale, single, n_threads)


KERNELS = {
    "energy": lambda r: -r,
    "laplacian": lambda r: np.exp(-r),
    "gaussian": lambda r: np.exp(-r * r),
    "matern32": lambda r: (1 + r) * np.exp(-r),
    "matern52": lambda r: (1 + r + r * r / 3) * np.exp(-r),
}


def signs(n, seed=0):
    return np.random.default_rng([n, seed]).choice([-1.0, 1.0], n)


def hostile(rng, d, n=700):
    flat = rng.uniform(size=(n, d))
    line, plane = flat.copy(), flat.copy()
    line[:, 1:] = 0.3
    plane[:, d - 1] = 0.7
    outlier = rng.normal(size=(n, d))
    outlier[-1] = 1e9
    return {
        "uniform": flat,
        "one point": np.full((n, d), 0.25),
        "copies": np.repeat(flat[: n // 7], 7, axis=0),
        "outlier": outlier,
        "line": line,
        "plane": plane,
        "clusters": rng.normal(size=(n, d)) * 1e-4 + rng.integers(0, 3, size=(n, d)),
        "one cell and another": np.concatenate([flat * 1e-12, flat[:3] + 1.0]),
        "grid": np.floor(flat * 6),
        "dense middle": np.sign(flat - 0.5) * np.abs(flat - 0.5) ** 6,
    }


CLOUDS = list(hostile(np.random.default_rng(0), 2))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_small_products_agree_with_a_stored_matrix(d):
    for n in SIZES:
        x = np.random.default_rng(n).uniform(size=(n, d))
        np.testing.assert_allclose(product(x, signs(n), 10, 3.0)[0], exact(x, signs(n), 3.0), atol=1e-7)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_no_row_is_further_off_than_stated(d, cloud):
    x = hostile(np.random.default_rng(d), d)[cloud]
    v = signs(len(x))
    for scale in (1e-3, 2.0, 300.0):
        truth = exact(x, v, scale)
        for p in (3, 6) if d == 3 else (4, 9):
            found, rms, largest, weighted = product(x, v, p, scale)
            off = found - truth
            assert np.abs(off).max() <= largest + 1e-12
            assert np.sqrt(np.mean(off**2)) <= rms + 1e-12
            assert abs(v @ off) <= weighted + 1e-9


def interpolant(z, p):
    """Values at z of the Lagrange polynomials of p Chebyshev nodes, and these, in extended precision."""
    pi = np.longdouble("3.14159265358979323846264338327950288")
    angle, degree = (2 * np.arange(p) + 1) * pi / (2 * p), np.arange(p)
    weights = np.where(degree == 0, 1, 2)[:, None] / np.longdouble(p) * np.cos(degree[:, None] * angle)
    return np.cos(degree * np.arccos(z)[:, None]) @ weights, np.cos(angle)


@pytest.mark.parametrize("rate", [1e-3, 1.0, 8.0])
@pytest.mark.parametrize("shape", [(2,), (2, 0), (2, 1), (3, 3)])
def test_interpolation_is_within_both_of_its_bounds_and_near_one(shape, rate):
    rng, d = np.random.default_rng(len(shape)), len(shape)
    x, y = rng.choice([-1, -0.95, -0.5, 0, 0.5, 0.95, 1], (2, 60, d)).astype(np.longdouble)
    for p in (4, 8, 12):
        nodes = np.stack(np.meshgrid(*[interpolant(x[:, 0], p)[1]] * d, indexing="ij"), -1).reshape(-1, d)

        def kernel(a, b):
            gaps = 2 * np.array(shape) + a[:, None] - b
            return np.exp(-np.longdouble(rate) * np.sqrt((gaps**2).sum(-1)))

        def values(z, p=p):
            out = interpolant(z[:, 0], p)[0]
            return out if d == 1 else (out[:, :, None] * interpolant(z[:, 1], p)[0][:, None]).reshape(60, -1)

        off = float(np.abs(values(x) @ kernel(nodes, nodes) @ values(y).T - kernel(x, y)).max())
        ellipse, series = _core.testing._interpolation_error(list(shape), p, rate)
        assert off <= min(ellipse, series) + 1e-17
        assert series <= 300 * off + 1e-13 + 1e-10 * min(1, rate)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("d", "p", "n"), [(1, 10, 900), (2, 9, 1600), (3, 7, 1600), (4, 5, 1200)])
def test_every_kernel_agrees_with_a_stored_matrix(kernel, d, p, n):
    x = hostile(np.random.default_rng(d), d, n)["uniform" if d != 2 else "dense middle"]
    x[-1] = 5.0
    v = signs(n)
    for rate in (0.1, 4.0):
        K = KERNELS[kernel](reference.distances(x) * (1 if kernel == "energy" else rate))
        found = _core.testing._far_field_product(x, v, p, rate, kernel=kernel)[0]
        rough = {1: 1e-6, 2: 1e-6, 3: 3e-5, 4: 3e-3}[d]
        assert np.linalg.norm(found - K @ v) <= rough * np.linalg.norm(np.abs(K) @ np.ones(n))
        single = _core.testing._far_field_product(x, v, p, rate, single=True, kernel=kernel)[0]
        assert np.linalg.norm(single - K @ v) <= (rough + 1e-5) * np.linalg.norm(np.abs(K) @ np.ones(n))


@pytest.mark.parametrize("kernel", KERNELS)
def test_products_of_every_kernel_are_symmetric(kernel):
    x = np.random.default_rng(8).normal(size=(900, 3)) ** 3
    u, v = signs(900, 1), signs(900, 2)
    ways = [a @ _core.testing._far_field_product(x, b, 4, 1.0, kernel=kernel)[0] for a, b in ((u, v), (v, u))]
    assert ways[0] == pytest.approx(ways[1], rel=1e-10, abs=1e-8)


@pytest.mark.parametrize("d", [2, 3])
def test_more_points_of_interpolation_leave_less(d):
    x = np.random.default_rng(3).uniform(size=(2500, d))
    v = signs(len(x))
    off, stated = [], []
    for p in (3, 5, 7):
        found, rms, _, _ = product(x, v, p, 2.0)
        off.append(np.abs(found - exact(x, v, 2.0)).max())
        stated.append(rms)
    assert off[0] > 20 * off[1] > 20 * off[2] > 0
    assert stated[0] > stated[1] > stated[2]


def products_by_isa(single):
    x = np.random.default_rng(5).uniform(size=(2000, 2))
    return [product(x, signs(2000), p, 5.0, single=single)[0] for p in (5, 7, 10)]


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
def test_every_instruction_set_gives_the_same_product(single, isa_level, on_isa):
    for found, own in zip(on_isa(isa_level, products_by_isa, single), products_by_isa(single), strict=True):
        np.testing.assert_allclose(found, own, rtol=0, atol=2e-4 if single else 1e-11)


def test_single_precision_is_near_double():
    x = np.random.default_rng(6).uniform(size=(3000, 2))
    found = product(x, np.ones(3000), 7, 2.0, single=True)[0]
    np.testing.assert_allclose(found, exact(x, np.ones(3000), 2.0), rtol=3e-6)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
def test_products_carry_the_same_bits_for_any_number_of_threads(d, single, equal_over_threads):
    x = np.random.default_rng(7).normal(size=(4000, d))
    v = signs(4000)
    equal_over_threads(lambda k: product(x, v, 5, 2.0, single=single, n_threads=k)[0])


def test_the_product_is_symmetric():
    x = np.random.default_rng(8).normal(size=(1500, 2)) ** 3
    u, v = signs(1500, 1), signs(1500, 2)
    left, right = u @ product(x, v, 5, 3.0)[0], v @ product(x, u, 5, 3.0)[0]
    assert left == pytest.approx(right, abs=1e-9)
    assert abs(left - u @ exact(x, v, 3.0)) > 1e-7  # though it is not that of Z


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_reference_interpolates_too(d):
    x = np.random.default_rng(9).uniform(size=(60, d))
    v = signs(60)
    for count in (3, 5):
        own = reference.far_field_product(x, v, 2.0, count)
        off = np.abs(own - exact(x, v, 2.0)).max()
        assert 0 < off < (0.5 if count == 3 else 1e-2)
    np.testing.assert_allclose(product(x, v, 10, 2.0)[0], own, atol=1e-2)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_earlier_neighbours_are_the_nearest_of_lower_rank(d):
    rng = np.random.default_rng(10)
    x, rank = rng.normal(size=(300, d)), rng.permutation(300).astype(np.int32)
    found = _core.testing._earlier_neighbours(x, rank, 5, 2)
    D = reference.distances(x)
    D[rank[None, :] >= rank[:, None]] = np.inf
    for i in range(300):
        known = found[i][found[i] >= 0]
        assert len(known) == min(5, rank[i])
        np.testing.assert_allclose(D[i, known], np.sort(D[i])[: len(known)], rtol=1e-12)


def test_the_tree_finds_the_smallest_distance():
    x = np.random.default_rng(11).normal(size=(4000, 2))
    x[3999] = x[17] + 1e-7
    found = _core.weigh._smallest_distance(_core.weigh._far_space(x), 2)
    assert found == pytest.approx(np.sqrt(2) * 1e-7, rel=1e-8)
