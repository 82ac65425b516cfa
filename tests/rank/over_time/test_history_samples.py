"""Draws of histories against quadrature, a long random-walk Metropolis, and each other."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.special import expit, log_expit

import steelyard
from steelyard.rank import Comparisons, whole_history
from steelyard.rank._over_time.draws import effective_sizes
from steelyard.reference import history as reference
from support import threads

pytestmark = pytest.mark.kernel


def climbs(seed, games=12):
    """One climber on one day on routes of known strength, and the log posterior on a fine grid."""
    rng = np.random.default_rng(seed)
    grades = {f"r{k}": float(g) for k, g in enumerate(rng.normal(size=games))}
    up = rng.random(games) < 0.8
    routes = np.array(list(grades))
    table = Comparisons.from_pairs(np.where(up, "c", routes), np.where(up, routes, "c"), time=np.zeros(games))
    grid = np.linspace(-12, 12, 40001)
    log = log_expit(grid) + log_expit(-grid)
    for won, grade in zip(up, grades.values(), strict=True):
        log += log_expit((grid - grade) * (1 if won else -1))
    density = np.exp(log - log.max())
    return table, grades, grid, density / density.sum()


@pytest.mark.parametrize("sampler", ["hamiltonian", "gibbs"])
@pytest.mark.parametrize("seed", range(3))
def test_one_strength_has_the_moments_and_chances_of_quadrature(seed, sampler):
    table, grades, grid, density = climbs(seed)
    fit = whole_history(table, volatility=0.5, known=grades).sample(5000, sampler=sampler, rng=seed)
    mean = density @ grid
    sd = np.sqrt(density @ (grid - mean) ** 2)
    found = fit.strength("c", 0)
    assert found.mean == pytest.approx(mean, abs=5 * sd / np.sqrt(fit.samples.effective_sizes.min()))
    assert found.sd == pytest.approx(sd, rel=0.05)
    assert fit.predict("c", "r0", 0).win == pytest.approx(density @ expit(grid - grades["r0"]), abs=0.01)
    later = fit.strength("c", 2.0)
    assert later.sd**2 == pytest.approx(found.sd**2 + 0.25 * 2.0)
    x = np.random.default_rng(0).normal(size=(400, 1)) * np.sqrt(0.5) + grid[::40] - grades["r0"]
    assert fit.predict("c", "r0", 2.0).win == pytest.approx(expit(x).mean(0) @ density[::40] * 40, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_ties_and_two_dates_have_the_moments_of_random_walk_metropolis(ties):
    """Two items, two dates, a tie parameter: 5 parameters, 1,000 walkers side by side."""
    rows = [("a", "b", False, 0)] * 3 + [("a", "b", True, 0)] * 2 + [("b", "a", False, 2)] * 2
    rows += [("b", "a", True, 2), ("a", "b", False, 2)]
    winner, loser, tie, time = map(list, zip(*rows, strict=True))
    table = Comparisons.from_pairs(winner, loser, tie=tie, time=time)

    def log_posterior(p):
        a0, a1, b0, b1, t = p
        value = log_expit(a0) + log_expit(-a0) + log_expit(b0) + log_expit(-b0)
        value = value - ((a1 - a0) ** 2 + (b1 - b0) ** 2) / (2 * 0.25 * 2)
        for x, wins, losses, draws in ((a0 - b0, 3, 0, 2), (a1 - b1, 1, 2, 1)):
            if ties == "davidson":
                logs = np.array([x / 2, -x / 2, t])
                logs = logs - np.logaddexp.reduce(logs, axis=0)
                value = value + wins * logs[0] + losses * logs[1] + draws * logs[2]
            else:
                value = value + (wins + draws) * log_expit(x - t) + (losses + draws) * log_expit(-x - t)
                value = value + draws * np.log(np.expm1(2 * np.maximum(t, 1e-300)))
        return value if ties == "davidson" else np.where(t > 0, value, -np.inf)

    rng = np.random.default_rng(3)
    at = np.abs(rng.normal(size=(5, 1000)) * 0.3)
    now, kept = log_posterior(at), []
    for k in range(4000):
        step = at + rng.normal(size=at.shape) * 0.45
        new = log_posterior(step)
        accepted = np.log(rng.random(1000)) < new - now
        at, now = np.where(accepted, step, at), np.where(accepted, new, now)
        if k >= 500 and k % 25 == 0:
            kept.append(at)
    walk = np.concatenate(kept, axis=1)
    fit = whole_history(table, volatility=0.5, ties=ties).sample(6000, rng=1)
    draws = fit.samples.strengths.reshape(-1, 4)
    log_tie = np.log(fit.samples.tie_parameter.ravel())
    both = np.column_stack([draws, log_tie]), walk.T
    sd = both[1].std(axis=0)
    few = fit.samples.effective_sizes.min()
    assert few > 2000
    error = sd * 5 * np.sqrt(1 / few + 1 / 20_000)
    np.testing.assert_array_less(np.abs(both[0].mean(0) - both[1].mean(0)), error)
    np.testing.assert_allclose(both[0].std(axis=0), sd, rtol=0.08)
    np.testing.assert_allclose(np.corrcoef(both[0].T), np.corrcoef(both[1].T), atol=0.08)


def league(seed=2, items=6, dates=8, games=120):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, items, games)
    b = (a + rng.integers(1, items, games)) % items
    return Comparisons.from_pairs(
        a, b, tie=rng.random(games) < 0.2, time=rng.integers(0, dates, games), home=rng.integers(-1, 2, games)
    )


@pytest.mark.parametrize(("sampler", "ties"), [("hamiltonian", "davidson"), ("gibbs", "half")])
def test_draws_go_on_where_they_ended_and_threads_change_no_bit(sampler, ties):
    def sampled(n_draws, n_threads=None):
        fit = whole_history(league(), volatility=0.3, home=True, ties=ties, n_threads=n_threads)
        with pytest.warns(steelyard.ConvergenceWarning, match="draw more"):
            return fit.sample(n_draws, sampler=sampler, rng=5)

    whole = sampled(60)
    threads.equal_over_threads(lambda n: sampled(60, n).samples.strengths)
    part = pickle.loads(pickle.dumps(sampled(20)))
    with pytest.warns(steelyard.ConvergenceWarning, match="draw more"):
        both = part.sample(40)
    np.testing.assert_array_equal(both.samples.strengths, whole.samples.strengths)
    np.testing.assert_array_equal(both.samples.home_advantage, whole.samples.home_advantage)
    with pytest.raises(ValueError, match="keep, sampler and rng are those"):
        both.sample(10, rng=1)


def test_draws_of_some_items_can_be_kept():
    fit = whole_history(league(), volatility=0.3).sample(600, keep=[2, 0], rng=1)
    assert fit.samples.strengths.shape[2] == len(fit.strength(0).mean) + len(fit.strength(2).mean)
    with pytest.raises(KeyError, match="draws of 1 were not kept"):
        fit.strength(1)
    errors = fit.standard_errors
    assert np.isnan(errors).sum() == len(errors) - fit.samples.strengths.shape[2]
    table = fit.to_frame(items=[0])
    np.testing.assert_allclose(table["strength"], fit.strength(0).mean)
    np.testing.assert_allclose(table["standard_error"], fit.strength(0).sd)


def test_too_many_draws_are_refused():
    fit = whole_history(league(), volatility=0.3, max_memory=100_000)
    with pytest.raises(MemoryError, match="the draws would take"):
        fit.sample(10_000)
    with pytest.raises(MemoryError, match="lower n_draws or n_chains"):
        fit.sample(10**12, keep=[])


@pytest.mark.parametrize("sampler", ["gibbs", "hamiltonian"])
def test_what_chains_work_in_counts_against_the_memory(sampler):
    fit = whole_history(sparse_league(), volatility=0.3, max_memory=2e5)
    with pytest.raises(MemoryError, match=r"chains .* GB to work in .*lower n_draws or n_chains"):
        fit.sample(4, n_chains=100, keep=[], sampler=sampler)


def test_posterior_mcmc_is_sample():
    fit = whole_history(league(games=30), volatility=0.3, posterior="mcmc", rng=3)
    assert fit.samples.strengths.shape[:2] == (4, 1000)
    mean = fit.samples.strengths.mean((0, 1), dtype=float)
    np.testing.assert_allclose(fit.strength(0).mean, mean[: len(fit.strength(0).mean)])


def test_effective_sizes_of_chains_with_known_memory():
    rng = np.random.default_rng(0)
    chains, n = 4, 20_000
    for rho in (0.0, 0.5, 0.9, -0.5):
        x = np.zeros((chains, n, 1))
        noise = rng.normal(size=(chains, n, 1)) * np.sqrt(1 - rho**2)
        x[:, 0] = rng.normal(size=(chains, 1))
        for k in range(1, n):
            x[:, k] = rho * x[:, k - 1] + noise[:, k]
        r_hat, size = effective_sizes(x)
        assert size[0] == pytest.approx(chains * n * (1 - rho) / (1 + rho), rel=0.15)
        assert r_hat[0] < 1.01


def test_chains_that_disagree_or_stand_still_are_told():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 500, 3))
    x[0, :, 0] += 3
    x[0, :, 1] *= 20
    r_hat, size = effective_sizes(x)
    assert r_hat[0] > 1.2
    assert r_hat[1] > 1.05
    assert size[0] < 50
    assert r_hat[2] < 1.02
    still = np.broadcast_to(np.arange(4.0)[:, None, None], (4, 500, 1))
    assert effective_sizes(still)[0][0] > 1e6
    assert effective_sizes(np.ones((4, 500, 1)))[0][0] == 1


def sparse_league(seed=4, items=25, dates=60, games=250):
    """Few games a date, so that Gibbs sweeps go item by item between joint draws."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, items, games)
    b = (a + rng.integers(1, items, games)) % items
    return Comparisons.from_pairs(a, b, time=rng.integers(0, dates, games), home=rng.integers(-1, 2, games))


@pytest.mark.parametrize(
    "case",
    ["league", "known", *(pytest.param(case, marks=pytest.mark.slow) for case in ("constant", "sparse"))],
)
def test_gibbs_and_hamiltonian_draws_have_the_same_moments(case):
    options = {
        "league": {"home": True, "prior": 0.5},
        "known": {"known": {0: 0.7, 3: -0.4}},
        "constant": {"constant": [1], "prior": 1.5},
        "sparse": {"home": True},
    }[case]
    table = sparse_league() if case == "sparse" else league()
    fit = whole_history(table, volatility=0.3, ties="half", **options)
    draws = 1000 if case == "sparse" else 3000
    both = [fit.sample(draws, sampler=kind, rng=2).samples for kind in ("gibbs", "hamiltonian")]
    assert [s.sampler for s in both] == ["gibbs", "hamiltonian"]
    assert (both[0]._chains["steps"].max() > 1) == (case == "sparse")
    values = [
        np.concatenate(
            [s.strengths, *([s.home_advantage[..., None]] if s.home_advantage is not None else [])], axis=2
        ).reshape(4 * draws, -1)
        for s in both
    ]
    sd = values[1].std(axis=0)
    free = sd > 0
    sizes = [effective_sizes(v.reshape(4, draws, -1)[:, :, free])[1] for v in values]
    error = sd[free] * np.sqrt(1 / sizes[0] + 1 / sizes[1])
    assert (np.abs(values[0].mean(axis=0) - values[1].mean(axis=0))[free] < 5 * error).all()
    np.testing.assert_allclose(values[0].std(axis=0), sd, rtol=0.15, atol=1e-12)
    log_posterior = [s.log_posterior.ravel() for s in both]
    assert log_posterior[0].mean() == pytest.approx(log_posterior[1].mean(), abs=0.1 * log_posterior[1].std())


def test_gibbs_sampling_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match=r"not for ties='davidson'.*take sampler='hamiltonian'"):
        whole_history(league(), volatility=0.3).sample(10, sampler="gibbs")
    with pytest.raises(ValueError, match=r"a prior of 0\.5, 1, 1\.5, \.\.\., not 0\.3"):
        whole_history(league(), volatility=0.3, ties="half", prior=0.3).sample(10, sampler="gibbs")
    halves = Comparisons.from_pairs(["a", "b"], ["b", "a"], weight=[1.5, 2], time=[0, 1])
    with pytest.raises(ValueError, match="whole numbers of games"):
        whole_history(halves, volatility=0.3).sample(10, sampler="gibbs")
    with pytest.raises(ValueError, match="sampler must be"):
        whole_history(league(), volatility=0.3).sample(10, sampler="nuts")


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
def test_the_sampler_is_chosen_by_the_factor():
    small = whole_history(league(), volatility=0.3, ties="half")
    assert small.sample(4, rng=0).samples.sampler == "hamiltonian"
    dense = whole_history(sparse_league(items=300, dates=100, games=5000), volatility=0.3)
    assert dense.sample(4, n_warmup=20, rng=0).samples.sampler == "gibbs"
    with_ties = whole_history(league(), volatility=0.3)
    assert with_ties.sample(4, rng=0).samples.sampler == "hamiltonian"
    table = sparse_league(items=300, dates=100, games=5000)
    tight = whole_history(table, volatility=0.3, max_memory=1e7)
    drawn = tight.sample(4, n_warmup=20, keep=[0, 1], rng=0)
    assert drawn.samples.sampler == "gibbs"
    assert drawn.strength(0).sd.shape == drawn.strength(0).mean.shape
    with pytest.raises(MemoryError, match="joint posterior"):
        tight.sample(4, keep=[0], sampler="hamiltonian", rng=0)


def endless_draws(sampler):
    fit = whole_history(sparse_league(), volatility=0.3)
    return fit.sample(1_000_000, keep=[0], sampler=sampler, rng=0)


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")  # a busy machine makes few draws
@pytest.mark.parametrize("sampler", ["hamiltonian", "gibbs"])
def test_ctrl_c_leaves_the_draws_so_far_which_go_on(ctrl_c, sampler):
    found = ctrl_c(endless_draws, sampler, after=0.8, within="rank.HistoryProblem.sample")
    assert found.raised
    made = found.partial.samples.strengths
    assert made.shape[1] > 10
    assert np.isfinite(made).all()
    more = found.partial.sample(20)
    np.testing.assert_array_equal(more.samples.strengths[:, :-20], made)


@pytest.mark.slow
@pytest.mark.parametrize("by_item", [True, False])
def test_draws_have_the_moments_of_polya_gamma_gibbs_sampling(by_item):
    rng = np.random.default_rng(1)
    rows = [
        (int(a), int((a + rng.integers(1, 4)) % 4), float(rng.integers(0, 3))) for a in rng.integers(0, 4, 25)
    ]
    winner, loser, time = zip(*rows, strict=True)
    fit = whole_history(Comparisons.from_pairs(winner, loser, time=time), volatility=0.6).sample(2000, rng=1)
    hmc = fit.samples.strengths.reshape(-1, len(fit)).astype(float)
    model = reference.Model([(a, b, 1, t, 0) for a, b, t in rows], 0.6)
    assert model.nodes == list(zip(fit.node_items.tolist(), fit.node_times.tolist(), strict=True))
    gibbs = model.gibbs(6000, np.random.default_rng(2), by_item=by_item)[100:]
    _, sizes = effective_sizes(gibbs[None])
    error = gibbs.std(axis=0) / np.sqrt(np.minimum(sizes, fit.samples.effective_sizes.min()))
    assert (np.abs(hmc.mean(axis=0) - gibbs.mean(axis=0)) < 5 * error).all()
    np.testing.assert_allclose(hmc.std(axis=0), gibbs.std(axis=0), rtol=0.1)


def test_gibbs_sampling_refuses_a_billion_games():
    many = Comparisons.from_pairs(["a", "b"], ["b", "a"], weight=[2e9, 1e9], time=[0, 1])
    fit = whole_history(many, volatility=0.3)
    with pytest.raises(ValueError, match=r"3e\+09 a sweep \(at most 1e\+09\)"):
        fit.sample(10, sampler="gibbs")
    with pytest.raises(ValueError, match=r"1\.2e\+10 a sweep"):  # the prior's games count
        whole_history(league(), volatility=0.3, ties="half", prior=1e9).sample(10, sampler="gibbs")


def endless_prior_games():
    whole_history(sparse_league(), volatility=0.3, prior=1e7).sample(4, sampler="gibbs", rng=0)


def test_ctrl_c_is_answered_among_the_games_of_the_prior(ctrl_c):
    found = ctrl_c(endless_prior_games, after=0.3, within="rank.HistoryProblem.sample")
    assert found.raised
    assert found.seconds < 1.0
    assert found.partial.samples is None


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
def test_a_hamiltonian_move_takes_a_bounded_number_of_steps():
    fit = whole_history(league(), volatility=1e6, ties="half")
    drawn = fit.sample(4, n_warmup=40, sampler="hamiltonian", rng=1).samples
    assert drawn._chains["steps"].min() < 1e-3
    assert drawn.gradients <= 4 * 1024 * 44 + 4


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
def test_gibbs_draws_where_the_fit_drowns_in_rounding_are_those_of_constant_items():
    still = whole_history(sparse_league(), volatility=1.0, constant=range(25)).sample(1000, rng=2)
    mean, sd = still.samples.strengths.mean((0, 1)), still.standard_errors
    for volatility in (1e-20, 1e-8):
        stiff = whole_history(sparse_league(), volatility=volatility).sample(1000, sampler="gibbs", rng=1)
        firsts = stiff._lines.starts[:-1]
        assert stiff.samples.r_hat.max() < 1.02
        np.testing.assert_allclose(stiff.samples.strengths.mean((0, 1))[firsts], mean, atol=0.2 * sd.min())
        np.testing.assert_allclose(stiff.standard_errors[firsts], sd, rtol=0.1)


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("volatility", [1e-6, 1e3])
def test_gibbs_draws_follow_stiff_and_loose_links(volatility):
    """Links so stiff that strengths are constant, or so loose that each date stands alone."""
    table = Comparisons.from_pairs(list("aaab"), list("bbba"), time=[0, 1, 2, 2])
    fit = whole_history(table, volatility=volatility)
    draws = fit.sample(4000, sampler="gibbs", rng=1).samples.strengths.astype(float)
    assert np.isfinite(draws).all()
    steps = np.diff(draws[:, :, :3], axis=2)
    if volatility < 1:
        constant = whole_history(table, volatility=1.0, constant=["a", "b"]).sample(4000, rng=1).samples
        assert np.abs(steps).max() < 1e-5
        sd = draws.std(axis=(0, 1))
        np.testing.assert_allclose(sd[[0, -1]], constant.strengths.std(axis=(0, 1)), rtol=0.1)
    else:
        assert steps.std() > 100


def test_effective_sizes_of_numbers_that_are_lost_are_nan():
    x = np.random.default_rng(0).normal(size=(2, 100, 3))
    x[1, 7, 1] = np.nan
    r_hat, sizes = effective_sizes(x)
    np.testing.assert_array_equal(np.isnan(r_hat), [False, True, False])
    np.testing.assert_array_equal(np.isnan(sizes), [False, True, False])
