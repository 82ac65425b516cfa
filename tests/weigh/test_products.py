"""Kernels that are products over the features: grids in closed form, single weights elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import weigh


def grid(*values):
    return np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, len(values))


def shuffled(x, seed=0):
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order], order


@pytest.mark.parametrize("metric", ["cityblock", "hamming"])
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_a_full_grid_is_solved_in_closed_form(metric, scale):
    x, _ = shuffled(grid([0.0, 0.3, 2.0], [5.0], [-1.0, 1.0, 1.5, 7.0], [0.0, 9.0]))
    found = weigh.weighting(x, metric=metric, scale=scale)
    factored = weigh.weighting(x, metric=metric, scale=scale, method="cholesky")
    assert found.info.solver.startswith("closed form on a grid")
    error = np.linalg.norm(found.weights - factored.weights)
    assert error <= factored.info.weight_error + 1e-12 * np.linalg.norm(found.weights)
    assert found.info.lower_bound <= factored.magnitude * (1 + 1e-12)
    assert factored.magnitude <= (found.info.lower_bound + found.info.error_bound) * (1 + 1e-9)
    assert found.info.error_kind == "rigorous"


def test_weights_of_a_grid_are_products_of_weights_on_lines():
    a, b, c = np.arange(16.0), np.sort(np.random.default_rng(1).uniform(size=9)), np.array([0.0, 4.0])
    x, order = shuffled(grid(a, b, c))
    lines = [weigh.weighting(v[:, None], scale=0.01).weights for v in (a, b, c)]
    expected = np.einsum("i,j,k->ijk", *lines).ravel()[order]
    found = weigh.weighting(x, metric="cityblock", scale=0.01)
    np.testing.assert_allclose(found.weights, expected, rtol=1e-12)
    assert (found.weights > 0).all()


def test_copies_on_a_grid_share_and_a_missing_corner_is_no_grid():
    x = grid([0.0, 1.0, 3.0], [0.0, 1.0])
    twice = weigh.weighting(np.vstack([x, x]), metric="cityblock")
    assert twice.info.solver.startswith("closed form on a grid")
    np.testing.assert_allclose(2 * twice.weights[:6], weigh.weighting(x, metric="cityblock").weights)
    assert "grid" not in weigh.weighting(x[1:], metric="cityblock").info.solver
    assert "grid" not in weigh.weighting(x, metric="euclidean").info.solver
    assert "grid" not in weigh.weighting(x, metric="cityblock", jitter=0.1).info.solver
    with pytest.raises(ValueError, match="method='grid' needs cityblock or hamming"):
        weigh.weighting(x[1:], metric="cityblock", method="grid")


@pytest.mark.parametrize("metric", ["cityblock", "hamming", "minkowski(1.5)", "euclidean"])
def test_weights_by_iteration_are_as_close_as_the_account_says(metric):
    """The preconditioner, an approximate inverse, tells what residuals leave open."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 5, (900, 5)).astype(float) if metric == "hamming" else rng.uniform(size=(900, 3))
    exact = weigh.weighting(x, metric=metric, method="cholesky")
    found = weigh.weighting(x, metric=metric, method="cg", tol=1e-8)
    error, size = np.linalg.norm(found.weights - exact.weights), np.linalg.norm(exact.weights)
    assert found.info.converged
    assert error <= found.info.weight_error + exact.info.weight_error
    assert found.info.weight_error <= 1e-2 * size  # and not by far: no note of what is not so


def test_a_lattice_with_a_hole_says_how_far_single_weights_are_open():
    """The smallest eigenvalue of this kernel falls like the cube of the spacing."""
    x = np.delete(grid(*[np.arange(9.0)] * 3), 300, axis=0)
    exact = weigh.weighting(x, metric="cityblock", scale=0.01, method="cholesky")
    found = weigh.weighting(x, metric="cityblock", scale=0.01, method="cg")
    error, size = np.linalg.norm(found.weights - exact.weights), np.linalg.norm(exact.weights)
    assert error <= found.info.weight_error + exact.info.weight_error
    assert found.info.weight_error <= 1e-2 * size or "single weights are open" in found.info.message


def test_spreads_and_queries_tell_how_far_they_are():
    x = np.random.default_rng(0).uniform(size=(3500, 5))
    steps = []
    weigh.spread(x, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] > 1
    steps.clear()
    weigh.query(x[:20], x[20:200], 3, scale=1.0, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    steps.clear()
    weigh.solve_similarity(np.ones((4, 4)), progress=lambda done, total: steps.append((done, total)))
    assert steps[0] == (0, 3)
    assert steps[-1] == (3, 3)


def test_ctrl_c_in_a_callback_ends_a_spread():
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weigh.spread(np.random.default_rng(0).uniform(size=(3500, 5)), progress=stop)
