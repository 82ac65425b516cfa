"""What the kernels of paired comparisons are given."""

import gc

import numpy as np
import pytest

from steelyard import _core
from steelyard.rank import Comparisons, whole_history
from steelyard.rank._chances import outcome_chances
from steelyard.rank._paired import PairProblem

MODELS = [("none", 0.0), ("davidson", 0.7), ("rao-kupper", 1.6)]


def games(home=False):
    first, second = [0, 1, 2, 0, 1, 2, 0, 1], [1, 2, 0, 2, 0, 1, 1, 2]
    sides = [1, -1, 1, 1, -1, 1, -1, 1] if home else None
    return Comparisons.from_pairs(first, second, tie=np.array([0, 0, 0, 1, 0, 1, 0, 0], bool), home=sides)


def problem(ties="davidson", prior=0.5):
    return PairProblem(games(), ties, False, prior).kernel


def point(at):
    return at.at(np.zeros(3), 0.1, 0.0, np.zeros(0))


def fit(at, **options):
    defaults = {"solver": "newton", "linear": "auto", "tol": 1e-9, "max_iter": 50, "warm_sweeps": 0}
    return at.fit(point(at), **(defaults | options), n_threads=1, progress=None)


@pytest.mark.parametrize("options", [{"solver": "magic"}, {"linear": "lu"}])
def test_an_unknown_word_is_refused_and_named(options):
    (name, word), at = next(iter(options.items())), problem()
    with pytest.raises(ValueError, match=f"{name} must be one of .*'{word}'"):
        fit(at, **options)


def test_an_unknown_model_of_ties_is_refused():
    graph = PairProblem(games(), "davidson", False, 0.0).graph
    with pytest.raises(ValueError, match="ties_model must be one of 'none', 'davidson', 'rao-kupper'"):
        _core.rank.PairProblem(graph, graph.wins, graph.losses, None, "half", False, 0.0)


@pytest.mark.parametrize("options", [{"method": "jackknife"}, {"tie_use": "keep"}, {"method": "cluster"}])
def test_the_bootstrap_refuses_what_it_does_not_know(options):
    defaults = {"method": "bayesian", "tie_use": "model", "rounds": 2, "seed": 1, "stream": 0, "tol": 1e-6}
    rows = {"cluster": None, "row_wins": None, "row_losses": None, "row_ties": None, "clusters": 0}
    with pytest.raises(ValueError, match=next(iter(options))):
        point(problem()).bootstrap(**(defaults | rows | options), n_threads=1, progress=None)


def test_columns_and_points_of_another_size_are_refused():
    graph = PairProblem(games(), "davidson", False, 0.0).graph
    with pytest.raises(ValueError, match="one entry an edge"):
        _core.rank.PairProblem(graph, graph.wins[:2], graph.losses, None, "none", False, 0.0)
    with pytest.raises(ValueError, match="strengths must have one entry an item"):
        problem().at(np.zeros(2), 0.0, 0.0, np.zeros(0))
    with pytest.raises(ValueError, match="coefficients must have one entry a covariate"):
        problem().at(np.zeros(3), 0.0, 0.0, np.zeros(1))


def test_a_point_outlives_the_names_of_what_it_was_made_of():
    expected = fit(problem())["strengths"]
    at = point(problem())  # graph, counts and problem have no other name
    gc.collect()
    junk = [np.full(1000, 7.0) for _ in range(100)]
    assert at.derivatives(1)["gradient"].shape == (3,)
    assert np.abs(at.derivatives(1)["gradient"]).max() < 10
    assert len(junk) == 100
    np.testing.assert_array_equal(fit(problem())["strengths"], expected)


@pytest.mark.parametrize(("ties", "parameter"), MODELS)
def test_chances_add_up_and_scores_are_their_logarithms_derivatives(ties, parameter):
    x, h = np.linspace(-6, 6, 41), 1e-6

    def chances(shift, factor):
        return _core.rank._outcome_chances(ties, np.array([parameter * factor]), x + shift)

    win, tie, loss = chances(0.0, 1.0)
    np.testing.assert_allclose(win + tie + loss, 1.0, atol=1e-15)
    scores = _core.rank._outcome_scores(ties, parameter, x)
    order = (0, 2, 1)  # scores are those of a win, a loss, a tie
    for k, (by_x, by_tie) in zip(order, scores, strict=True):
        if ties == "none" and k == 1:
            continue
        up, down = np.log(chances(h, 1.0)[k]), np.log(chances(-h, 1.0)[k])
        np.testing.assert_allclose(by_x, (up - down) / (2 * h), atol=1e-7)
        if ties != "none":
            up, down = np.log(chances(0.0, np.exp(h))[k]), np.log(chances(0.0, np.exp(-h))[k])
            np.testing.assert_allclose(by_tie, (up - down) / (2 * h), atol=1e-7)


def test_a_tie_parameter_of_its_own_for_every_difference():
    x, nu = np.linspace(-2, 2, 6).reshape(2, 3), np.array([[0.3], [1.2]])
    together = outcome_chances(x, "davidson", nu)
    for row in range(2):
        alone = outcome_chances(x[row], "davidson", nu[row, 0])
        for part, whole in zip(alone, together, strict=True):
            np.testing.assert_array_equal(part, whole[row])


def test_a_posterior_of_another_problem_is_refused():
    first, second = [0, 1, 2, 0], [1, 2, 0, 2]
    fits = [
        whole_history(Comparisons.from_pairs(first[:k], second[:k], time=range(k)), volatility=0.3)
        for k in (3, 4)
    ]
    own, other = fits[0]._problem.kernel, fits[1]._posterior()
    with pytest.raises(ValueError, match="posterior"):
        own.sample(
            own.at(fits[0].strengths, 0.0, 0.0),
            posterior=other,
            positions=None,
            steps=None,
            moves=None,
            n_chains=2,
            warmup=20,
            draws=4,
            kept=np.zeros(1, dtype=np.int64),
            seed=1,
            n_threads=1,
            progress=None,
        )
