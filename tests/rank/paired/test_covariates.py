"""Strengths net of covariates: against the reference, a linear program, simulation, and hostile input."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import steelyard
from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry
from steelyard.rank._paired import cells_of, kernel_arguments, spec_of
from steelyard.rank._table import choose_columns
from steelyard.reference import rank as reference
from support import threads
from support.games import MODELS, as_modelled, random_cells


def with_covariates(seed: int, n: int, p: int = 2) -> reference.Cells:
    """Two cells a pair, each with covariates of its own."""
    cells = random_cells(seed, n)
    twice = reference._take(cells, np.tile(np.arange(len(cells.left)), 2))
    twice.covariates = np.random.default_rng(seed).normal(size=(len(twice.left), p)) * [3.0, 0.01, 7.0][:p]
    return twice


def as_table(cells: reference.Cells, **options) -> Comparisons:
    first = np.concatenate([cells.left, cells.right, cells.left])
    second = np.concatenate([cells.right, cells.left, cells.right])
    count = np.concatenate([cells.wins, cells.losses, cells.ties])
    rows = {
        "tie": np.repeat([False, False, True], len(cells.left)),
        "home": np.concatenate([cells.home, -cells.home, cells.home]).astype(int),
        "count": count,
        "covariates": np.concatenate([cells.covariates, -cells.covariates, cells.covariates]),
    }
    return Comparisons.from_pairs(first, second, **rows, **options)


def votes(seed: int, n: int, rows: int, beta: np.ndarray, spread: float = 1.0):
    """Single votes: winner, loser, and covariates of the winner less those of the loser."""
    rng = np.random.default_rng(seed)
    s = spread * rng.normal(size=n)
    a = rng.integers(0, n, rows)
    b = (a + rng.integers(1, n, rows)) % n
    z = rng.normal(size=(rows, len(beta)))
    won = rng.random(rows) < 1 / (1 + np.exp(-(s[a] - s[b] + z @ beta)))
    return np.where(won, a, b), np.where(won, b, a), np.where(won[:, None], z, -z), s - s.mean()


@pytest.mark.parametrize("prior", [0.0, 0.7])
@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("ties", MODELS)
def test_every_model_has_the_optimum_and_the_errors_of_the_reference(ties, home, prior):
    cells = with_covariates(5, 7)
    used, model = as_modelled(cells, ties)
    used.covariates = cells.covariates
    start = reference._start(7, model)
    start.coefficients = np.zeros(2)
    at, decrement = reference.newton(used, 7, model=model, home=home, prior=prior, start=start)
    assert decrement < 1e-9
    options = {"ties": ties, "home": home, "prior": prior, "covariates": True}
    fit = bradley_terry(as_table(cells), **options, standardize=False)
    assert fit.info.converged
    np.testing.assert_allclose(fit.strengths, at.s - at.s.mean(), atol=1e-8)
    np.testing.assert_allclose(fit.coefficients.values, at.coefficients, rtol=1e-7)
    if home:
        assert fit.home_advantage == pytest.approx(at.home, abs=1e-8)
    assert fit.log_likelihood == pytest.approx(reference.log_likelihood(used, at, model), rel=1e-10)
    if ties == "half":
        return  # the reference's sandwich takes whole games
    expected = reference.sandwich(used, at, model=model, home=home, prior=prior)
    np.testing.assert_allclose(fit.coefficients.covariance(), expected[-2:, -2:], rtol=1e-6)
    np.testing.assert_allclose(fit.covariance().matrix, expected[:7, :7], atol=1e-9)
    _, hessian = reference.derivatives(used, at, model=model, home=home, prior=prior)
    inverse = np.linalg.pinv(hessian)
    np.testing.assert_allclose(fit.coefficients.covariance("hessian"), inverse[-2:, -2:], rtol=1e-6)
    some = fit.covariance("hessian", items=[2, 5]).matrix
    np.testing.assert_allclose(some, fit.covariance("hessian").matrix[np.ix_([2, 5], [2, 5])], atol=1e-9)


def test_a_general_optimiser_agrees():
    cells = with_covariates(2, 5, 3)
    fit = bradley_terry(as_table(cells), covariates=True, standardize=False)

    def loss(theta):
        at = reference.Point(np.append(theta[:4], 0.0), theta[4], 0.0, theta[5:])
        return -reference.log_likelihood(cells, at, "davidson")

    scale = np.array([1.0, 1, 1, 1, 1, 1 / 3, 100, 1 / 7])
    found = minimize(lambda t: loss(t * scale), np.zeros(8), method="BFGS", options={"gtol": 1e-6}).x * scale
    np.testing.assert_allclose(fit.coefficients.values, found[5:], rtol=1e-4)
    np.testing.assert_allclose(fit.strengths - fit.strengths[4], np.append(found[:4], 0.0), atol=1e-4)


def test_one_pair_and_one_covariate_is_logistic_regression_by_hand():
    # outcome by x = s + b z at z = +-1: saturated, logit of .8 and of .4
    games = Comparisons.from_pairs(
        ["a", "b", "a", "b"],
        ["b", "a", "b", "a"],
        count=[8, 2, 4, 6],
        covariates={"z": [1.0, -1.0, -1.0, 1.0]},
    )
    fit = bradley_terry(games, covariates=True)
    up, down = np.log(8 / 2), np.log(4 / 6)
    assert fit.coefficients["z"] == pytest.approx((up - down) / 2, abs=1e-9)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx((up + down) / 2, abs=1e-9)
    error = 0.5 * np.sqrt(1 / 8 + 1 / 2 + 1 / 4 + 1 / 6)
    for kind in ("sandwich", "hessian"):
        assert fit.coefficients.standard_errors(kind)[0] == pytest.approx(error, rel=1e-7)
    assert fit.predict("a", "b", covariates={"z": 1}).win == pytest.approx(0.8, abs=1e-9)
    assert fit.predict("b", "a", covariates=[[1.0], [-1.0]]).win == pytest.approx([0.6, 0.2], abs=1e-9)
    assert fit.predict("a", "b").win == pytest.approx(1 / (1 + np.exp(-(up + down) / 2)), abs=1e-9)
    table = fit.coefficients.to_frame()
    assert table["upper"][0] - table["value"][0] == pytest.approx(1.959964 * error, rel=1e-6)
    assert "z +" in repr(fit.coefficients)
    assert "z +" in repr(fit)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_the_answer_does_not_depend_on_how_rows_are_written(seed):
    rng = np.random.default_rng(seed)
    winner, loser, z, _ = votes(7, 6, 300, np.array([1.0, -0.5]))
    fit = bradley_terry(Comparisons.from_pairs(winner, loser, covariates=z), covariates=True)
    rows = rng.permutation(300)
    names = rng.permutation(6)  # other labels sort otherwise: rows are turned
    shuffled = Comparisons.from_pairs(names[winner][rows], names[loser][rows], covariates=z[rows])
    again = bradley_terry(shuffled, covariates=True)
    np.testing.assert_allclose(again.strengths[names], fit.strengths, atol=1e-9)
    np.testing.assert_allclose(again.coefficients.values, fit.coefficients.values, atol=1e-9)
    np.testing.assert_allclose(
        again.coefficients.standard_errors(), fit.coefficients.standard_errors(), rtol=1e-8
    )
    parts = Comparisons.from_pairs(winner[:90], loser[:90], covariates=z[:90], items=range(6))
    parts = parts + Comparisons.from_pairs(winner[90:], loser[90:], covariates=z[90:], items=range(6))
    np.testing.assert_allclose(
        bradley_terry(parts, covariates=True).coefficients.values, fit.coefficients.values, atol=1e-9
    )


def test_units_change_coefficients_and_nothing_else():
    winner, loser, z, _ = votes(1, 8, 2000, np.array([0.7, 0.0]))
    games = Comparisons.from_pairs(winner, loser, covariates={"length": 500 * z[:, 0], "lists": z[:, 1]})
    own = bradley_terry(games, covariates=True, standardize=False)
    fit = bradley_terry(games, covariates=True)
    np.testing.assert_array_equal(fit.strengths, own.strengths)
    np.testing.assert_allclose(fit.coefficients.scales, np.sqrt((games.covariates**2).mean(axis=0)))
    np.testing.assert_allclose(own.coefficients.values * fit.coefficients.scales, fit.coefficients.values)
    np.testing.assert_allclose(
        own.coefficients.standard_errors() * fit.coefficients.scales, fit.coefficients.standard_errors()
    )
    alone = bradley_terry(games, covariates=["length"])
    assert alone.coefficients.names == ("length",)
    np.testing.assert_allclose(
        bradley_terry(games, covariates="length").coefficients.values, alone.coefficients.values
    )
    huge = Comparisons.from_pairs(winner, loser, covariates=z * 1e200)
    np.testing.assert_allclose(bradley_terry(huge, covariates=True).strengths, fit.strengths, atol=1e-9)
    assert bradley_terry(games).coefficients is None


def test_strengths_are_net_of_style_and_intervals_cover():
    """An item that always writes long looks strong; its strength net of length does not."""
    rng = np.random.default_rng(0)
    beta, s, verbose = 0.8, np.linspace(-1, 1, 9), np.zeros(9)
    verbose[0] = 1.5
    a = rng.integers(0, 9, 20_000)
    b = (a + rng.integers(1, 9, 20_000)) % 9
    z = verbose[a] - verbose[b] + rng.normal(size=20_000)
    won = rng.random(20_000) < 1 / (1 + np.exp(-(s[a] - s[b] + beta * z)))
    games = Comparisons.from_pairs(
        np.where(won, a, b), np.where(won, b, a), covariates={"length": np.where(won, z, -z)}
    )
    net = bradley_terry(games, covariates=True, standardize=False)
    error = net.coefficients.standard_errors()[0]
    assert abs(net.coefficients["length"] - beta) < 3 * error < 0.1
    assert np.abs(net.strengths - s).max() < 4 * net.standard_errors().max() < 0.3
    assert bradley_terry(games).strengths[0] > net.strengths[0] + 0.5


def test_the_errors_of_coefficients_are_those_of_repeated_data():
    found, errors = [], []
    for seed in range(200):
        winner, loser, z, _ = votes(seed, 5, 400, np.array([0.6]))
        fit = bradley_terry(Comparisons.from_pairs(winner, loser, covariates=z), covariates=True, prior=0.1)
        found.append(fit.coefficients.values[0] / fit.coefficients.scales[0])
        errors.append(fit.coefficients.standard_errors()[0] / fit.coefficients.scales[0])
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.15)


def test_clusters_enter_the_errors():
    winner, loser, z, _ = votes(3, 5, 300, np.array([0.5]))
    alone = bradley_terry(Comparisons.from_pairs(winner, loser, covariates=z), covariates=True)
    each = Comparisons.from_pairs(winner, loser, covariates=z, cluster=np.arange(300))
    fit = bradley_terry(each, covariates=True)
    np.testing.assert_allclose(
        fit.coefficients.covariance(), alone.coefficients.covariance() * 300 / 299, rtol=1e-7
    )
    # every vote three times over, in one cluster: as sure as once, but for the factor C / (C - 1)
    thrice = Comparisons.from_pairs(
        np.tile(winner, 3), np.tile(loser, 3), covariates=np.tile(z, (3, 1)), cluster=np.tile(range(300), 3)
    )
    again = bradley_terry(thrice, covariates=True)
    np.testing.assert_allclose(again.coefficients.covariance(), fit.coefficients.covariance(), rtol=1e-6)
    rounds = again.bootstrap(400, method="cluster", rng=1)
    assert rounds.coefficients.std() == pytest.approx(fit.coefficients.standard_errors()[0], rel=0.15)


def test_bootstraps_carry_coefficients_on_any_number_of_threads():
    winner, loser, z, _ = votes(4, 6, 500, np.array([0.5, -1.0]))
    fit = bradley_terry(Comparisons.from_pairs(winner, loser, covariates=z), covariates=True)
    for method in ("bayesian", "multinomial"):
        found = threads.equal_over_threads(
            lambda n, m=method: fit.bootstrap(300, method=m, rng=0, n_threads=n).coefficients
        )
        assert found.shape == (300, 2)
        np.testing.assert_allclose(found.std(axis=0), fit.coefficients.standard_errors(), rtol=0.2)
    sets = fit.rank_intervals(items=[0, 1])
    np.testing.assert_array_equal(sets.lower, fit.rank_intervals().lower[:2])
    assert bradley_terry(Comparisons.from_pairs(winner, loser)).bootstrap(3).coefficients is None


def test_rounds_whose_coefficients_run_away_are_counted():
    # one vote of each item keeps z from deciding everything: a round without either has no finite optimum
    z = np.r_[np.ones(30), -1.0, -1.0]
    games = Comparisons.from_pairs(
        ["a"] * 15 + ["b"] * 15 + ["a", "b"], ["b"] * 15 + ["a"] * 15 + ["b", "a"], covariates={"z": z}
    )
    fit = bradley_terry(games, covariates=True)
    with pytest.warns(steelyard.DisconnectedWarning, match="rounds have no finite optimum"):
        rounds = fit.bootstrap(400, method="multinomial", rng=0)
    share = rounds.info.infinite_rounds / 400
    assert share == pytest.approx(2 * (31 / 32) ** 32 - (30 / 32) ** 32, abs=0.08)
    assert np.isnan(rounds.coefficients).mean() == share


@pytest.mark.parametrize("where", ["few votes", "one item"])
def test_rounds_that_do_not_determine_a_coefficient_do_not_keep_the_one_they_start_from(where):
    winner, loser, z, _ = votes(0, 6, 500, np.array([0.5]))
    rare = np.zeros(500)
    if where == "few votes":
        rare[:4] = [1, -1, 1, -1]
    else:  # in rounds in which the item never won, or never lost, the others say nothing of the covariate
        winner, loser = np.r_[winner, 9, 0, 9, 1, 2, 9], np.r_[loser, 0, 9, 1, 9, 9, 2]
        z, rare = np.r_[z[:, 0], np.zeros(6)][:, None], np.r_[rare, 1, 0.5, -1, 0.3, 0.2, 0.7]
    games = Comparisons.from_pairs(winner, loser, covariates=np.column_stack([z[:, 0], rare]))
    fit = bradley_terry(games, covariates=True)
    with pytest.warns(steelyard.DisconnectedWarning):
        rounds = fit.bootstrap(300, method="multinomial", rng=0)
    assert rounds.info.unconverged_rounds == 0
    assert rounds.info.error_bound < 1e-6
    assert not (rounds.coefficients[:, 1] == fit.coefficients.values[1]).any()


@pytest.mark.parametrize("linear", ["dense", "sparse", "cg"])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "drop"])
@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_every_linear_solver_agrees_and_bounds_the_decrement(linear, ties, prior):
    cells = with_covariates(8, 12)
    games = as_table(cells)
    columns = choose_columns(games, True, True)
    used = cells_of(games, ties, True, columns)
    spec = spec_of(used, ties, True, prior, columns)

    def run(how, n_threads=1):
        return _core.rank._fit_bradley_terry(
            **kernel_arguments(used, spec),
            solver="newton",
            linear=how,
            tol=1e-9,
            max_iter=50,
            warm_sweeps=0,
            strengths=np.zeros(12),
            tie=0.1,
            home_advantage=0.0,
            coefficients=np.zeros(2),
            n_threads=n_threads,
            progress=None,
        )

    out, fit = run(linear), bradley_terry(games, ties=ties, home=True, prior=prior, covariates=True)
    assert out["info"]["converged"]
    assert out["info"]["error_bound"] < out["proving_decrement"]
    np.testing.assert_allclose(out["coefficients"], fit.coefficients.values, atol=1e-9)
    threads.equal_over_threads(lambda n: run(linear, n)["strengths"])


def test_a_start_from_an_earlier_fit_is_matched_by_name():
    winner, loser, z, _ = votes(9, 6, 600, np.array([0.4, 0.9]))
    games = Comparisons.from_pairs(winner, loser, covariates={"u": z[:, 0], "v": 10 * z[:, 1]})
    first = bradley_terry(games, covariates=["v", "u"])
    warm = bradley_terry(games, covariates=["u", "v"], init=first)
    assert warm.info.iterations <= 1
    np.testing.assert_allclose(warm.coefficients.values, first.coefficients.values[::-1], atol=1e-9)


@pytest.mark.parametrize("ties", ["drop", "davidson", "rao-kupper"])
@pytest.mark.parametrize("tails", ["log-normal", "cauchy", "one far out"])
def test_covariates_of_heavy_tails_are_fitted_and_proven(tails, ties):
    rng = np.random.default_rng(1)
    n, rows, s = 6, 2000, rng.normal(size=6)
    a = rng.integers(0, n, rows)
    b = (a + rng.integers(1, n, rows)) % n
    z = rng.normal(size=rows)
    if tails == "log-normal":
        z = rng.lognormal(0, 3, rows) * rng.choice([-1, 1], rows)
    elif tails == "cauchy":
        z = rng.standard_cauchy(rows)
    x = s[a] - s[b] + 0.5 * z
    if tails == "one far out":
        x[0], z[0] = 1.0, 1e8
    tie = (ties != "drop") & (rng.random(rows) < 0.2) & (np.abs(x) < 3)
    won = rng.random(rows) < 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    won[0] |= tails == "one far out"
    winner, loser, z = np.where(won, a, b), np.where(won, b, a), np.where(won, z, -z)
    games = Comparisons.from_pairs(winner, loser, tie=tie, covariates=z[:, None])
    fit = bradley_terry(games, covariates=True, ties=ties, standardize=False)
    assert fit.info.converged
    assert fit.info.iterations < 60
    assert fit.coefficients.values[0] == pytest.approx(0.5, abs=0.12)
    if ties == "drop":
        lost = 1 - fit.predict(winner, loser, covariates=z[:, None]).win
        assert abs(z @ lost) < 1e-6 * (np.abs(z) @ lost)


@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_two_covariates_far_out_in_one_vote_are_told_apart_by_the_others(prior):
    winner, loser, z, _ = votes(0, 6, 500, np.array([0.5, -0.3]))
    alone = bradley_terry(Comparisons.from_pairs(winner[1:], loser[1:], covariates=z[1:]), covariates=True)
    z[0] = 1e7  # a win that is certain since the coefficients add up to more than 0
    fit = bradley_terry(
        Comparisons.from_pairs(winner, loser, covariates=z), covariates=True, standardize=False, prior=prior
    )
    assert fit.info.converged
    found, expected = fit.coefficients.values, alone.coefficients.values / alone.coefficients.scales
    np.testing.assert_allclose(found, expected, atol=1e-6 if prior == 0 else 0.05)


def test_a_vote_against_a_covariate_counts_however_small_it_is_there():
    z = np.r_[np.ones(100), np.zeros(10), -1e-7]
    games = Comparisons.from_pairs(["a"] * 105 + ["b"] * 6, ["b"] * 105 + ["a"] * 6, covariates={"z": z})
    fit = bradley_terry(games, covariates=True, standardize=False)
    assert fit.info.converged
    # 100 sigma(-s - b) = 1e-7 sigma(s + ...): the votes at z = 1 against the one at z = -1e-7
    s, slope = fit.strengths[0] - fit.strengths[1], fit.coefficients["z"]
    up, down = 100 / (1 + np.exp(s + slope)), 1e-7 / (1 + np.exp(-s - 1e-7 * slope))
    assert up == pytest.approx(down, rel=1e-6)
    with pytest.raises(steelyard.SeparationError, match="keeps rising"):
        bradley_terry(
            Comparisons.from_pairs(
                games.items[[0] * 105 + [1] * 5], games.items[[1] * 105 + [0] * 5], covariates=z[:-1, None]
            ),
            covariates=True,
        )


def test_a_start_from_a_fit_in_other_units_comes_back():
    winner, loser, z, _ = votes(9, 6, 600, np.array([0.4, 0.9]))
    first = bradley_terry(Comparisons.from_pairs(winner, loser, covariates=z), covariates=True)
    games = Comparisons.from_pairs(winner, loser, covariates=1e6 * z)
    again = bradley_terry(games, covariates=True, init=first)
    assert again.info.converged
    np.testing.assert_allclose(again.coefficients.values, first.coefficients.values, atol=1e-8)


# ---- no finite optimum


def test_a_covariate_that_decides_every_vote_is_named():
    winner, loser, z, _ = votes(1, 5, 300, np.array([0.5, 0.3]))
    z[:, 1] = np.abs(z[:, 1]) + 0.1
    games = Comparisons.from_pairs(winner, loser, covariates={"length": z[:, 0], "lists": z[:, 1]})
    for prior in (0.0, 1.0):
        with pytest.raises(steelyard.SeparationError, match=r"lists.*keeps rising") as caught:
            bradley_terry(games, covariates=True, prior=prior)
        assert "lists" in caught.value.parameter
    assert bradley_terry(games, covariates=["length"]).info.converged


def test_covariates_of_items_are_confounded_with_strengths_unless_a_prior_holds_those():
    winner, loser, z, _ = votes(1, 5, 300, np.array([0.5]))
    size = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    games = Comparisons.from_pairs(
        winner, loser, covariates={"length": z[:, 0], "size": size[winner] - size[loser]}
    )
    with pytest.raises(steelyard.SeparationError, match=r"size.*does not determine") as caught:
        bradley_terry(games, covariates=True)
    assert caught.value.parameter == "size"
    assert bradley_terry(games, covariates=True, prior=1.0).info.converged
    twice = Comparisons.from_pairs(winner, loser, covariates=np.column_stack([z, -3 * z]))
    for prior in (0.0, 1.0):
        with pytest.raises(steelyard.SeparationError, match=r"x1.*does not determine"):
            bradley_terry(twice, covariates=True, prior=prior)


@pytest.mark.parametrize("ties", ["drop", "davidson", "rao-kupper"])
@example(seed=50767571)  # rates of 98 to .2 a step: Newton's direction alone does not tell in time
@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_an_optimum_is_refused_exactly_where_a_linear_program_finds_a_way_out(ties, seed):
    rng = np.random.default_rng(seed)
    n, rows, p = 3, int(rng.integers(9, 25)), int(rng.integers(1, 3))
    a = rng.integers(0, n, rows)
    b = (a + rng.integers(1, n, rows)) % n
    a[:6], b[:6] = [0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]  # strongly connected
    z = rng.integers(-2, 3, (rows, p)).astype(float)
    tie = (rng.random(rows) < 0.3) & (np.arange(rows) >= 6)
    if ties == "drop":
        tie[:] = False
    if not np.abs(z).any(axis=0).all():
        return
    games = Comparisons.from_pairs(a, b, tie=tie, covariates=z)
    try:
        fit = bradley_terry(games, ties=ties, covariates=True)
        found = ""
    except steelyard.SeparationError as error:
        found = str(error)
    # d = (ds, db, u): wins ask dx >= u, ties |dx| <= u; is there more than nothing that meets them all?
    free = ties != "drop" and tie.any()
    x = np.zeros((rows, n + p + 1))
    x[np.arange(rows), a] += 1
    x[np.arange(rows), b] -= 1
    x[:, n : n + p] = z
    u = np.zeros(n + p + 1)
    u[-1] = 1.0 if free else 0.0
    asked = np.concatenate([x[~tie] - u, x[tie] + u, u - x[tie]])
    bounds = [(0, 0)] + [(-1, 1)] * (n + p)
    inside = linprog(-asked.sum(axis=0), A_ub=-asked, b_ub=np.zeros(len(asked)), bounds=bounds)
    rank = np.linalg.matrix_rank(asked[:, 1:] if free else asked[:, 1:-1])
    whole = rank == n - 1 + p + (1 if free else 0)
    assert bool(found) == (-inside.fun > 1e-7 or not whole), (found, inside.fun, whole)
    if not found:
        assert fit.info.converged
        assert np.isfinite(fit.coefficients.standard_errors("hessian")).all()


# ---- input


def test_what_does_not_fit_is_named():
    winner, loser, z, _ = votes(2, 4, 100, np.array([0.5]))
    games = Comparisons.from_pairs(winner, loser, covariates={"length": z[:, 0]})
    with pytest.raises(ValueError, match="covariates must have distinct names"):
        Comparisons.from_pairs(winner, loser, covariates={1: z[:, 0], "1": 2 * z[:, 0]})
    with pytest.raises(ValueError, match="covariates needs comparisons with covariates"):
        bradley_terry(Comparisons.from_pairs(winner, loser), covariates=True)
    with pytest.raises(ValueError, match=r"covariates: no column 'lenght'.*length"):
        bradley_terry(games, covariates=["lenght"])
    with pytest.raises(TypeError, match="covariates must be True, False or a list of names"):
        bradley_terry(games, covariates=3)
    for names in ([], ["length", "length"]):
        with pytest.raises(ValueError, match="covariates must name each column once"):
            bradley_terry(games, covariates=names)
    with pytest.raises(ValueError, match="solver must be 'auto' or 'newton' with covariates"):
        bradley_terry(games, covariates=True, solver="newman")
    with pytest.raises(TypeError, match="standardize"):
        bradley_terry(games, covariates=True, standardize="yes")
    zero = Comparisons.from_pairs(winner, loser, covariates={"length": z[:, 0], "none": np.zeros(100)})
    with pytest.raises(ValueError, match="covariates: 'none' is zero in every comparison"):
        bradley_terry(zero, covariates=True)
    fit = bradley_terry(games, covariates=True)
    with pytest.raises(ValueError, match="covariates: the fit has none called 'lists'"):
        fit.predict(0, 1, covariates={"lists": 1})
    with pytest.raises(ValueError, match="covariates must have 1 columns"):
        fit.predict(0, 1, covariates=[1, 2])
    with pytest.raises(ValueError, match=r"covariates\['length'\] must be one number"):
        fit.predict([0, 1, 2], [1, 2, 3], covariates={"length": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"covariates\['length'\]"):
        fit.predict(0, 1, covariates={"length": np.nan})
    with pytest.raises(ValueError, match="covariates must be left out"):
        bradley_terry(games).predict(0, 1, covariates={"length": 1})
    with pytest.raises(ValueError, match="kind"):
        fit.coefficients.standard_errors("robust")
    with pytest.raises(KeyError, match="no covariate 'lists', only length"):
        fit.coefficients["lists"]


def test_data_frames_are_read_by_the_names_of_their_columns():
    pandas = pytest.importorskip("pandas")
    winner, loser, z, _ = votes(2, 4, 200, np.array([0.5, -1.0]))
    columns = {"length": z[:, 0], "lists": z[:, 1]}
    games = Comparisons.from_pairs(winner, loser, covariates=pandas.DataFrame(columns))
    assert games.covariate_names == ("length", "lists")
    fit = bradley_terry(games, covariates=True)
    asked = {"lists": [2.0, 0.0], "length": [0.0, 1.0]}
    expected = fit.predict(0, 1, covariates=asked)
    np.testing.assert_array_equal(fit.predict(0, 1, covariates=pandas.DataFrame(asked)).win, expected.win)
    unnamed = Comparisons.from_pairs(winner, loser, covariates=pandas.DataFrame(z))
    assert unnamed.covariate_names == ("x0", "x1")


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_errors_of_coefficients_are_right_in_units_whose_squares_are_not(scale):
    winner, loser, z, _ = votes(2, 4, 200, np.array([0.5]))
    fit = bradley_terry(Comparisons.from_pairs(winner, loser, covariates=z), covariates=True)
    own = bradley_terry(
        Comparisons.from_pairs(winner, loser, covariates=z * scale), covariates=True, standardize=False
    )
    found, expected = own.coefficients.to_frame(), fit.coefficients.to_frame()
    np.testing.assert_allclose(found["p_value"], expected["p_value"], rtol=1e-6)
    for name in ("value", "standard_error", "lower", "upper"):
        np.testing.assert_allclose(found[name] * scale * fit.coefficients.scales, expected[name], rtol=1e-6)


def test_a_fit_that_was_stopped_early_does_not_wait_for_a_large_linear_program(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "scipy.optimize.linprog",
        lambda *_, options, **__: asked.append(options["time_limit"]) or SimpleNamespace(x=None, fun=None),
    )
    for rows in (200, 30_000):
        winner, loser, z, _ = votes(2, 4, rows, np.array([0.5]))
        games = Comparisons.from_pairs(winner, loser, covariates=z)
        with pytest.warns(steelyard.ConvergenceWarning):
            bradley_terry(games, covariates=True, max_iter=1, tol=1e-300)
    assert asked == [5.0]


def test_more_covariates_than_rows_are_refused_at_once():
    z = np.random.default_rng(0).normal(size=(4, 5000))
    games = Comparisons.from_pairs(["a", "b", "a", "b"], ["b", "a", "b", "a"], covariates=z)
    for prior in (0.0, 1.0):
        with pytest.raises(steelyard.SeparationError, match=r"x4 has no finite optimum.*does not determine"):
            bradley_terry(games, covariates=True, prior=prior)


def test_a_message_lists_few_of_many_covariates():
    z = np.random.default_rng(0).normal(size=(40, 30))
    games = Comparisons.from_pairs(["a", "b"] * 20, ["b", "a"] * 20, covariates=z)
    with pytest.raises(
        steelyard.SeparationError, match=r"^x\d+, x\d+, x\d+, x\d+, x\d+ and \d+ more"
    ) as caught:
        bradley_terry(games, covariates=True)
    assert caught.value.parameter.count(", ") > 5
