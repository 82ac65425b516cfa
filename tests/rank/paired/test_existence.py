"""Where no finite optimum exists, who is told what."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import steelyard
from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry
from steelyard.rank._paired import cells_of, kernel_arguments, spec_of
from support.games import random_cells, to_comparisons


def test_an_unbeaten_item_is_named_and_the_ways_out_work():
    games = Comparisons.from_pairs(["ann", "ben", "cat", "ann"], ["ben", "cat", "ben", "cat"])
    with pytest.raises(steelyard.DisconnectedError, match=r"ann.*prior.*largest_component") as caught:
        bradley_terry(games)
    assert caught.value.report.n_strong == 2
    assert isinstance(caught.value, ValueError)
    assert bradley_terry(games.largest_component()).items.tolist() == ["ben", "cat"]
    with pytest.warns(steelyard.DisconnectedWarning, match="ann"):
        fit = bradley_terry(games, prior=1)
    assert fit.info.converged
    assert fit.order[0] == 0


def test_two_islands_cannot_be_compared():
    games = Comparisons.from_pairs([0, 1, 2, 3], [1, 0, 3, 2])
    with pytest.raises(steelyard.DisconnectedError) as caught:
        bradley_terry(games)
    assert caught.value.report.n_weak == 2


def test_a_tie_connects_both_ways_unless_dropped():
    games = Comparisons.from_pairs(["a", "a", "a", "b"], ["b", "b", "b", "a"], tie=[False, True, True, True])
    for ties in ("half",):
        assert bradley_terry(games, ties=ties).info.converged
    with pytest.raises(steelyard.DisconnectedError):
        bradley_terry(games, ties="drop")


def test_one_win_and_one_tie_send_the_tie_parameter_to_infinity():
    games = Comparisons.from_pairs(["a", "a"], ["b", "b"], tie=[False, True])
    for ties in ("davidson", "rao-kupper"):
        with pytest.raises(steelyard.SeparationError, match="tie_parameter") as caught:
            bradley_terry(games, ties=ties)
        assert caught.value.parameter == "tie_parameter"
    assert bradley_terry(games, ties="half").strengths[0] == pytest.approx(np.log(3) / 2, abs=1e-9)


def test_a_host_who_never_travels_has_no_home_advantage_of_its_own():
    games = Comparisons.from_pairs(["a", "b"], ["b", "a"], home=[1, -1])
    with pytest.raises(steelyard.SeparationError, match=r"home_advantage.*does not determine"):
        bradley_terry(games, home=True)
    assert bradley_terry(games).info.converged


def test_home_sides_that_always_win_send_the_advantage_to_infinity():
    games = Comparisons.from_pairs(["a", "b", "c"], ["b", "c", "a"], home=[1, 1, 1])
    with pytest.raises(steelyard.SeparationError, match=r"home_advantage.*infinity"):
        bradley_terry(games, home=True)
    with pytest.raises(steelyard.SeparationError, match="home_advantage"):
        bradley_terry(games, home=True, prior=1)


def test_home_needs_a_home_side():
    with pytest.raises(ValueError, match="home"):
        bradley_terry(Comparisons.from_pairs([0, 1], [1, 0]), home=True)


def separates_by_linear_programming(cells, model, prior: float) -> bool:
    """Does the likelihood never fall along some (ds, u, eta) != 0? See csrc/rank/separation.hpp."""
    n = cells.graph.items
    home = cells.graph.home if cells.graph.home is not None else np.zeros(len(cells.graph.left))
    rows = []

    def at_least_zero(sign: int, k: int, u: float) -> None:  # sign * dx + u * U >= 0
        row = np.zeros(n + 2)
        row[cells.graph.left[k]] += sign
        row[cells.graph.right[k]] -= sign
        row[n], row[n + 1] = u, sign * home[k]
        rows.append(row)

    for k in range(len(home)):
        if cells.wins[k]:
            at_least_zero(1, k, -1)
        if cells.losses[k]:
            at_least_zero(-1, k, -1)
        if cells.ties is not None and cells.ties[k]:
            at_least_zero(1, k, 1)
            at_least_zero(-1, k, 1)
    free_tie, free_home = model.ties != "none", model.home
    free_s = 0 if prior else None
    for target, sign in ((n, -1), (n + 1, -1), (n + 1, 1)):
        bounds = [(free_s, free_s)] * n + [(0, 1) if free_tie else (0, 0), (-1, 1) if free_home else (0, 0)]
        cost = np.zeros(n + 2)
        cost[target] = sign
        found = linprog(cost, A_ub=-np.array(rows), b_ub=np.zeros(len(rows)), bounds=bounds)
        assert found.status == 0
        if found.fun < -1e-7:
            return True
    return False


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 5),
    games=st.integers(2, 14),
    ties=st.sampled_from(["davidson", "rao-kupper", "half"]),
    home=st.booleans(),
    prior=st.sampled_from([0.0, 1.0]),
)
@settings(max_examples=300, deadline=None)
def test_separation_is_what_linear_programming_says(seed, n, games, ties, home, prior):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, n, games)
    second = (first + rng.integers(1, n, games)) % n
    comparisons = Comparisons.from_pairs(
        first,
        second,
        tie=rng.random(games) < 0.3,
        home=rng.integers(-1, 2, games) if home else None,
        items=range(n),
    )
    cells = cells_of(comparisons, ties, home and comparisons.home is not None)
    spec = spec_of(cells, ties, home and comparisons.home is not None, prior)
    found = _core.rank._separation(**kernel_arguments(cells, spec))
    if spec.extra_names:
        assert (found is not None) == separates_by_linear_programming(cells, spec, prior)
    else:
        assert found is None


@given(
    seed=st.integers(0, 10**6),
    ties=st.sampled_from(["davidson", "rao-kupper", "half", "drop"]),
    home=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_sparse_data_either_converges_or_says_why_not(seed, ties, home):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 4, 12)
    second = (first + rng.integers(1, 4, 12)) % 4
    games = Comparisons.from_pairs(first, second, tie=rng.random(12) < 0.25, home=rng.choice([-1, 1], 12))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fit = bradley_terry(games, ties=ties, home=home)
        except (steelyard.DisconnectedError, steelyard.SeparationError):
            return
    assert fit.info.converged
    assert np.abs(fit.strengths).max() < 60


def test_strong_cells_hold_the_parameters_finite():
    cells = cells_of(to_comparisons(random_cells(0, 6)), "davidson", True)
    assert _core.rank._separation(**kernel_arguments(cells, spec_of(cells, "davidson", True, 0.0))) is None
