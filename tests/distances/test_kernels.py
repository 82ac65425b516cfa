"""Kernels of points against their formulas, on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import _core

pytestmark = pytest.mark.kernel

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97]
KERNELS = ["energy", "laplacian", "gaussian", "matern32", "matern52"]
SCALE = 0.7


def formula(x, y, kernel, scale=SCALE):
    r = np.sqrt(((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2))
    s = r / scale
    a, b = np.sqrt(3) * s, np.sqrt(5) * s
    return {
        "energy": lambda: -r,
        "laplacian": lambda: np.exp(-s),
        "gaussian": lambda: np.exp(-(s**2) / 2),
        "matern32": lambda: (1 + a) * np.exp(-a),
        "matern52": lambda: (1 + b + b**2 / 3) * np.exp(-b),
    }[kernel]()


def cases():
    rng = np.random.default_rng(3)
    for n, m, d in [(n, 5, 3) for n in SIZES] + [(5, n, 2) for n in SIZES] + [(9, 17, d) for d in SIZES]:
        yield rng.normal(size=(n, d)), rng.normal(size=(m, d))


def all_values(kernel):
    return [_core.linalg._kernel_matrix(x, y, kernel, SCALE) for x, y in cases()]


@pytest.mark.parametrize("kernel", KERNELS)
def test_values_agree_with_the_formula(kernel, isa_level, on_isa):
    for (x, y), found in zip(cases(), on_isa(isa_level, all_values, kernel), strict=True):
        np.testing.assert_allclose(found, formula(x, y, kernel), rtol=2e-14, atol=2e-15)


def all_products(kernel):
    return [
        _core.linalg._kernel_product(x, y, kernel, SCALE, np.sin(np.arange(2.0 * len(y))).reshape(-1, 2))
        for x, y in cases()
    ]


@pytest.mark.parametrize("kernel", KERNELS)
def test_products_agree_with_the_matrix(kernel, isa_level, on_isa):
    for (x, y), found in zip(cases(), on_isa(isa_level, all_products, kernel), strict=True):
        v = np.sin(np.arange(2.0 * len(y))).reshape(-1, 2)
        K = formula(x, y, kernel)
        bound = (len(y) + x.shape[1] + 16) * 2.0**-53 * (np.abs(K) + 1).sum(axis=1).max()
        np.testing.assert_allclose(found, K @ v, rtol=0, atol=4 * bound)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_of_equal_points_is_exact_and_of_distant_ones_nothing(kernel):
    x = np.array([[1.0, 2.0], [1.0, 2.0], [1e9, 0.0]])
    found = _core.linalg._kernel_matrix(x, x, kernel, SCALE)
    assert found[0, 1] == found[2, 2] == (0.0 if kernel == "energy" else 1.0)
    if kernel == "energy":
        np.testing.assert_allclose(found[0, 2], -np.hypot(1e9 - 1, 2.0), rtol=1e-15)
    else:
        assert 0 <= found[0, 2] < 1e-60


def test_products_are_the_same_for_any_number_of_threads(equal_over_threads):
    rng = np.random.default_rng(5)
    x, v = rng.normal(size=(700, 3)), rng.normal(size=(700, 2))
    equal_over_threads(
        lambda threads: _core.linalg._kernel_product(x, x, "matern32", 1.0, v, n_threads=threads)
    )
