"""Similarities whose distances come from products: as good as from differences on data that cancel.

exp(-scale * distance) is off by at most 8 (d + 2) u / e through products, with u the rounding unit
(csrc/simd/tile.hpp); rounding the coordinates moves a distance by u (|x| + |y|), lengths taken from the
middle of the points; exp itself and the sums add a few u.
"""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import _core, weigh

pytestmark = pytest.mark.kernel

DIMENSIONS = [16, 64, 384]
KINDS = ["uniform", "offset 1e4", "offset 1e6", "near-copies", "clusters", "sorted clusters", "heavy tail"]
ROUNDING = {True: 2.0**-24, False: 2.0**-53}
N, CHOSEN = 331, 24


def points(kind, n, d):
    rng = np.random.default_rng([n, d])
    x = rng.normal(size=(n, d))
    if kind.startswith("offset"):
        x += float(kind.split()[1])
    elif kind == "near-copies":
        x[: n // 4] = x[n // 4 : n // 4 * 2] + 1e-9 * rng.normal(size=(n // 4, d))
    elif "clusters" in kind:
        group = rng.integers(0, 7, n)
        x = 3 * x[:7][np.sort(group) if "sorted" in kind else group] + 0.01 * x
    elif kind == "heavy tail":
        x[n // 2] = 1e8
        x[n // 3] *= 1e3
    return x


def median(x):
    return float(np.median(np.linalg.norm(x[: len(x) // 2] - x[-(len(x) // 2) :], axis=1)))


def columns_of_z(x, metric, scale, single, n_threads=1):
    """Z[:, j] for every 13th j, each from a vector with a single one."""
    v = np.zeros((len(x), CHOSEN))
    v[13 * np.arange(CHOSEN), np.arange(CHOSEN)] = 1
    space = _core.weigh._point_space(x, metric)
    return _core.weigh._similarity_product(
        space, np.full(CHOSEN, scale), v, single=single, n_threads=n_threads
    )


def every_kind(d, single):
    scales = [(x, times / median(x)) for kind in KINDS for x in [points(kind, N, d)] for times in (1, 20)]
    return [columns_of_z(x, "euclidean", scale, single) for x, scale in scales]


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("d", DIMENSIONS)
def test_similarities_stay_within_the_bound(d, single, isa_level, on_isa):
    found = iter(on_isa(isa_level, every_kind, d, single))
    u = ROUNDING[single]
    for kind in KINDS:
        x = points(kind, N, d)
        y = x[13 * np.arange(CHOSEN)]
        D = np.sqrt(((x[:, None] - y) ** 2).sum(-1))
        length = np.linalg.norm(x - np.median(x, axis=0), axis=1)
        for times in (1, 20):
            scale = times / median(x)
            Z = np.exp(-scale * D)
            moved = scale * (length[:, None] + length[13 * np.arange(CHOSEN)]) * Z
            error = np.abs(next(found) - Z)
            assert (error <= u * (8 * (d + 2) / np.e + 2 * moved + 8)).all(), (kind, times)
            # What to expect is far below: rounding errors do not all point one way.
            assert np.sqrt((error**2).mean()) <= 4 * u, (kind, times)


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("kind", KINDS)
def test_similarity_of_a_point_to_itself_is_one(kind, single):
    x = points(kind, N, 64)
    Z = columns_of_z(x, "euclidean", 20 / median(x), single)
    np.testing.assert_array_equal(Z[13 * np.arange(CHOSEN), np.arange(CHOSEN)], 1.0)


def cosines(d, single):
    x = points("clusters", N, d) + 2
    return columns_of_z(x / np.linalg.norm(x, axis=1, keepdims=True), "cosine", 50.0, single)


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("d", DIMENSIONS)
def test_cosine_similarities_agree_with_differences(d, single, isa_level, on_isa):
    x = points("clusters", N, d) + 2
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    exact = np.exp(-25 * ((x[:, None] - x[13 * np.arange(CHOSEN)]) ** 2).sum(-1))
    tolerance = ROUNDING[single] * (16 * (d + 2) / np.e + 200)
    np.testing.assert_allclose(on_isa(isa_level, cosines, d, single), exact, rtol=0, atol=tolerance)


@pytest.mark.parametrize("d", [1, 7, 8, 9, 11, 12, 13, 31, 32, 33, 65])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 31, 33, 127, 129, 300])
def test_every_size_has_its_sums(n, d):
    x = points("uniform", n, d)
    v = np.random.default_rng(n).random((n, 2))
    D = np.sqrt(((x[:, None] - x) ** 2).sum(-1))
    exact = np.column_stack([np.exp(-0.1 * D) @ v[:, 0], np.exp(-D) @ v[:, 1]])
    for single, tolerance in ((False, 1e-13), (True, 2e-6)):
        found = _core.weigh._similarity_product(
            _core.weigh._point_space(x, "euclidean"), [0.1, 1.0], v, single=single
        )
        np.testing.assert_allclose(found, exact, rtol=tolerance)


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_threads_changes_no_bit(kind, single, equal_over_threads):
    x = points(kind, 1500, 64)
    v = np.random.default_rng(0).normal(size=(1500, 1))
    space = _core.weigh._point_space(x, "euclidean")
    scale = 1 / median(x)
    equal_over_threads(
        lambda k: _core.weigh._similarity_product(space, [scale], v, single=single, n_threads=k)
    )


@pytest.mark.parametrize("far", [1e19, 1e25, 1e200])
def test_squares_that_overflow_leave_the_other_points_alone(far):
    x = points("uniform", 100, 16)
    x[50] = far
    rest = np.delete(np.arange(100), 50)
    D = np.sqrt(((x[rest][:, None] - x[rest]) ** 2).sum(-1))
    v = np.ones((100, 1))
    for single in (False, True) if far < 1e38 else (False,):
        found = _core.weigh._similarity_product(
            _core.weigh._point_space(x, "euclidean"), [0.2], v, single=single
        )
        np.testing.assert_allclose(found[rest, 0], np.exp(-0.2 * D).sum(1), rtol=1e-5 if single else 1e-12)
        assert found[50, 0] == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_many_features_reach_their_tolerance(kind):
    x = points(kind, 1300, 64)
    scale = 1 / median(x)
    found = weigh.weighting(x, scale=scale, method="cg", tol=1e-8)
    D = _core.weigh._cross_distances(x, x, "euclidean")
    assert found.info.converged
    assert np.linalg.norm(1 - np.exp(-scale * D) @ found.weights) <= 1.05e-8 * np.sqrt(len(x))


def test_weights_come_back_in_the_order_of_the_points(equal_over_threads):
    """Points are solved group by group; start and weights are given in the order that they arrived in."""
    x = points("clusters", 1300, 24)
    space = _core.weigh._point_space(x, "euclidean")

    def solve(n_threads=1, start=None):
        return _core.weigh._weights_by_gradients(space, [0.3, 0.9], 1e-9, start=start, n_threads=n_threads)

    found = equal_over_threads(lambda k: solve(k)["weights"])
    D = _core.weigh._cross_distances(x, x, "euclidean")
    for c, scale in enumerate((0.3, 0.9)):
        np.testing.assert_allclose(np.exp(-scale * D) @ found[:, c], 1.0, atol=1e-7)
    assert [column["iterations"] for column in solve(start=found)["columns"]] == [0, 0]
