"""The Newton decrement: what it is, that it bounds, and that misses are told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import steelyard
from steelyard.rank import bradley_terry
from steelyard.rank._paired import PairPoint, PairProblem
from steelyard.reference import rank as reference
from support.games import MODELS, as_modelled, ladder, random_cells, to_comparisons


def true_decrement(cells: reference.Cells, at: reference.Point, **model) -> float:
    gradient, hessian = reference.derivatives(cells, at, **model)
    return float(np.sqrt(gradient @ np.linalg.pinv(hessian, rcond=1e-12) @ gradient))


def reach(cells: reference.Cells, at: reference.Point, **model) -> float:
    """Largest change by Newton's step: of an x, the tie parameter, or a strength under the prior."""
    gradient, hessian = reference.derivatives(cells, at, **model)
    step, n = np.linalg.pinv(hessian, rcond=1e-12) @ gradient, len(at.s)
    tied = model["model"] != "none"
    changes = [step[cells.left] - step[cells.right] + cells.home * step[n + tied], step[n : n + tied]]
    return float(np.abs(np.concatenate([*changes, step[:n] if model["prior"] > 0 else []])).max())


@pytest.mark.parametrize("prior", [0.0, 0.4])
@pytest.mark.parametrize("ties", MODELS)
@pytest.mark.parametrize("solver", ["newton", "newman", "zermelo"])
def test_the_reported_decrement_is_that_of_the_answer_and_its_way_to_the_optimum(solver, ties, prior):
    cells = random_cells(5, 8)
    used, model = as_modelled(cells, ties)
    with pytest.warns(steelyard.ConvergenceWarning, match="decrement"):
        fit = bradley_terry(
            to_comparisons(cells), ties=ties, home=True, prior=prior, solver=solver, max_iter=1
        )
    at = reference.Point(fit.strengths + fit.info.shift, 0.0, fit.home_advantage)
    if model != "none":
        at.tie = np.log(fit.tie_parameter)
    options = {"model": model, "home": True, "prior": prior}
    # Far from the optimum the stated bound allows for curvatures that change on the way.
    expected = true_decrement(used, at, **options) * np.exp(reach(used, at, **options))
    assert not fit.info.converged
    assert fit.info.newton_decrement == fit.info.error_bound == pytest.approx(expected, rel=1e-4)
    assert fit.info.error_kind == "asymptotic"


def solve(comparisons, linear, *, ties="davidson", home=False, prior=0.0, max_iter=100, tol=1e-10, threads=1):
    start = PairPoint(np.zeros(comparisons.n_items), 0.1, 0.0, np.zeros(0))
    return PairProblem(comparisons, ties, home, prior).fit(
        start, solver="newton", linear=linear, tol=tol, max_iter=max_iter, n_threads=threads
    )


@pytest.mark.parametrize("prior", [0.0, 1.0])
@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_with_conjugate_gradients_the_decrement_is_bounded_from_above(prior, max_iter):
    comparisons = ladder(1, 300, 3, spread=8)
    rough = solve(comparisons, "cg", prior=prior, max_iter=max_iter)
    graph = PairProblem(comparisons, "davidson", False, prior).graph
    plain = reference.Cells(graph.left, graph.right, graph.wins, graph.losses)
    truth = true_decrement(plain, reference.Point(rough["strengths"]), model="none", home=False, prior=prior)
    assert truth <= rough["info"]["error_bound"] * (1 + 1e-9)
    assert rough["info"]["error_bound"] <= 3 * truth  # and not by much


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_with_a_border_the_conjugate_gradient_bound_still_holds(ties):
    cells = random_cells(4, 30)
    rough = solve(to_comparisons(cells), "cg", ties=ties, home=True, max_iter=1)
    at = reference.Point(rough["strengths"], rough["tie"], rough["home"])
    truth = true_decrement(cells, at, model=ties, home=True, prior=0.0)
    assert truth <= rough["info"]["error_bound"] * (1 + 1e-9)


@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("prior", [0.0, 1.0])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_the_three_linear_solvers_agree(ties, prior, home):
    comparisons = to_comparisons(random_cells(6, 40))
    answers = [
        solve(comparisons, linear, ties=ties, home=home, prior=prior) for linear in ("dense", "sparse", "cg")
    ]
    assert all(a["info"]["converged"] for a in answers)
    for other in answers[1:]:
        np.testing.assert_allclose(other["strengths"], answers[0]["strengths"], atol=1e-9)
        assert other["tie"] == pytest.approx(answers[0]["tie"], abs=1e-9)
        assert other["home"] == pytest.approx(answers[0]["home"], abs=1e-9)


def test_a_ladder_is_solved_by_sparse_cholesky_as_exactly_as_by_dense():
    comparisons = ladder(2, 1500, 5, spread=9)
    fit = bradley_terry(comparisons)
    assert "sparse" in fit.info.solver
    assert fit.info.iterations < 20
    dense = solve(comparisons, "dense")
    np.testing.assert_allclose(fit.strengths, dense["strengths"] - dense["strengths"].mean(), atol=1e-6)


def test_no_contrast_is_further_off_than_the_decrement_says():
    comparisons = to_comparisons(random_cells(9, 10))
    exact = bradley_terry(comparisons)
    errors = exact.covariance("hessian").contrast_errors() + np.eye(10)
    for tol in (1e-1, 1e-2, 1e-4):
        rough = bradley_terry(comparisons, solver="zermelo", tol=tol)
        gap = rough.strengths - exact.strengths
        worst = np.max(np.abs(gap[:, None] - gap) / errors)
        assert worst <= 1.05 * rough.info.newton_decrement + 1e-8


def test_step_size_is_not_what_decides():
    comparisons = ladder(3, 400, 2, spread=6)
    with pytest.warns(steelyard.ConvergenceWarning, match="zermelo stopped after 50 iterations"):
        fit = bradley_terry(comparisons, solver="zermelo", max_iter=50)
    assert fit.info.trace["largest_change"][-1] < 0.1
    assert fit.info.newton_decrement > 1


def test_the_trace_has_one_row_an_iteration_and_ends_at_the_answer():
    fit = bradley_terry(to_comparisons(random_cells(1, 6)), solver="newton")
    trace = fit.info.trace
    assert trace["newton_decrement"][-1] == fit.info.error_bound
    assert len(trace) == fit.info.iterations + 1
    assert (np.diff(trace["iteration"]) >= 0).all()


def test_an_unreachable_tolerance_is_told():
    comparisons = to_comparisons(random_cells(1, 6))
    with pytest.warns(steelyard.ConvergenceWarning, match="float64"):
        fit = bradley_terry(comparisons, tol=1e-300)
    assert not fit.info.converged
    assert fit.info.message


def test_a_converged_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bradley_terry(to_comparisons(random_cells(1, 6))).info.converged
