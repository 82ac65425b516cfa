"""bradley_terry as a call: arguments, starts, threads, instruction sets, fork, Ctrl-C; what results show."""

from __future__ import annotations

import numpy as np
import pytest

import steelyard
from steelyard.rank import Comparisons, bradley_terry
from support.games import ladder, random_cells, simulate, to_comparisons


@pytest.fixture
def games() -> Comparisons:
    return to_comparisons(random_cells(7, 9))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prior", -1.0),
        ("prior", np.nan),
        ("prior", "1"),
        ("ties", "elo"),
        ("home", 1),
        ("solver", "bfgs"),
        ("tol", 0.0),
        ("tol", np.inf),
        ("max_iter", 0),
        ("max_iter", 2.5),
        ("init", np.zeros(9)),
        ("n_threads", 0),
        ("n_threads", 1.5),
        ("progress", 3),
    ],
)
def test_a_bad_argument_is_named(games, name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        bradley_terry(games, **{name: value})


def test_only_comparisons_are_taken():
    with pytest.raises(TypeError, match="from_pairs"):
        bradley_terry(np.eye(3))


def test_a_start_at_the_optimum_needs_no_step(games):
    first = bradley_terry(games, home=True)
    again = bradley_terry(games, home=True, init=first, tol=1e-8)
    assert again.info.iterations == 0
    np.testing.assert_allclose(again.strengths, first.strengths, atol=1e-7)


def test_a_start_is_matched_by_label_and_new_items_enter_at_zero():
    known = Comparisons.from_pairs(["b", "c", "b"], ["c", "b", "c"])
    more = known + Comparisons.from_pairs(["a", "b", "a", "c"], ["b", "a", "c", "a"])
    first = bradley_terry(known, ties="half")
    fit = bradley_terry(more, ties="half", init=first)
    np.testing.assert_allclose(fit.strengths, bradley_terry(more, ties="half").strengths, atol=1e-9)


def big_random_games(items: int = 3000, games: int = 60_000) -> Comparisons:
    """Big enough that every kernel works in many chunks."""
    first, second = np.random.default_rng(0).integers(0, items, (2, games))
    return Comparisons.from_pairs(first[first != second], second[first != second]).largest_component()


@pytest.mark.parametrize("solver", ["newton", "newman", "zermelo"])
@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_the_answer_is_the_same_for_any_number_of_threads(equal_over_threads, solver, prior):
    comparisons = big_random_games()

    def answer(n_threads: int) -> tuple[np.ndarray, float]:
        tol = 1.0 if solver == "zermelo" else 1e-4
        fit = bradley_terry(comparisons, solver=solver, prior=prior, tol=tol, n_threads=n_threads)
        assert "newton" not in solver or "conjugate" in fit.info.solver
        return fit.strengths, fit.info.newton_decrement

    equal_over_threads(answer)


def test_sparse_cholesky_gives_the_same_bits_for_any_number_of_threads(equal_over_threads):
    comparisons = ladder(5, 2000, 8, spread=3)
    strengths = equal_over_threads(lambda n: bradley_terry(comparisons, n_threads=n).strengths)
    assert np.isfinite(strengths).all()


def fitted_strengths() -> np.ndarray:
    return bradley_terry(to_comparisons(random_cells(7, 40)), home=True).strengths


def test_every_instruction_set_finds_the_optimum(isa_level, on_isa):
    np.testing.assert_allclose(on_isa(isa_level, fitted_strengths), fitted_strengths(), atol=1e-8)


def test_a_forked_child_can_fit(in_fork):
    np.testing.assert_array_equal(in_fork(fitted_strengths), fitted_strengths())


def endless_fit() -> None:
    bradley_terry(ladder(5, 3000, 5, spread=30), solver="zermelo", max_iter=10**8)


def test_ctrl_c_leaves_the_best_fit_so_far(ctrl_c):
    outcome = ctrl_c(endless_fit, after=0.3, within="rank.PairProblem")
    assert outcome.raised
    assert outcome.has_partial
    assert outcome.seconds < 2
    assert outcome.partial.info.interrupted
    assert not outcome.partial.info.converged
    assert np.isfinite(outcome.partial.strengths).all()


def test_progress_is_reported_and_its_errors_come_through():
    comparisons = ladder(5, 2000, 5, spread=12)
    seen = []
    with pytest.warns(steelyard.ConvergenceWarning):
        bradley_terry(comparisons, solver="zermelo", max_iter=2000, progress=lambda *call: seen.append(call))
    assert seen
    assert all(0 <= done <= total == 2000 for done, total in seen)

    class StopError(Exception):
        pass

    def stop(done: float, total: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        bradley_terry(comparisons, solver="zermelo", max_iter=2000, progress=stop)


def test_results_cannot_be_altered(games):
    fit = bradley_terry(games)
    with pytest.raises(ValueError, match="read-only"):
        fit.strengths[0] = 1
    with pytest.raises(AttributeError):
        fit.prior = 2


def test_predictions_name_what_is_wrong(games):
    fit = bradley_terry(games)
    with pytest.raises(KeyError, match="99"):
        fit.predict(0, 99)
    with pytest.raises(ValueError, match="home"):
        fit.predict(0, 1, home=1)
    with pytest.raises(ValueError, match="home"):
        bradley_terry(games, home=True).predict(0, 1, home=2)


def test_the_repr_says_how_good_the_answer_is_and_who_leads():
    names = ["<b>bold</b>", *"cdefghijklm"]
    comparisons = simulate(1, np.linspace(2, -2, 12), 30, nu=0.4)
    labelled = Comparisons.from_counts(
        _dense(comparisons, comparisons.left_wins, comparisons.right_wins),
        ties=_dense(comparisons, comparisons.ties, comparisons.ties),
        items=names,
    )
    fit = bradley_terry(labelled)
    text = repr(fit)
    assert "converged" in text
    assert "standard errors of the optimum" in text
    assert "... 2 more" in text
    assert text.index("<b>bold") < text.index("  c ")
    page = fit._repr_html_()
    assert "&lt;b&gt;bold" in page
    assert "<b>bold" not in page


def _dense(comparisons, forth, back):
    matrix = np.zeros((comparisons.n_items, comparisons.n_items))
    matrix[comparisons.left, comparisons.right] = forth
    matrix[comparisons.right, comparisons.left] = back
    return matrix
