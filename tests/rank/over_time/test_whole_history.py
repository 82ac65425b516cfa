"""Whole-history ratings against dense algebra, a general optimiser and their own simulation."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, log_expit

import steelyard
from steelyard.rank import Comparisons, bradley_terry, whole_history
from steelyard.reference import history as reference
from support import threads
from support.examples import examples


def some_games(seed, items=5, dates=6, games=40, tie_share=0.2):
    """(first, second, outcome, time, home)."""
    rng = np.random.default_rng(seed)
    pairs = [rng.choice(items, 2, replace=False) for _ in range(games)]
    outcomes = rng.choice([1, 0, -1], games, p=[0.5 - tie_share / 2, tie_share, 0.5 - tie_share / 2])
    when = rng.integers(0, dates, games) * 1.5
    where = rng.integers(-1, 2, games)
    return [
        (int(a), int(b), int(o), float(t), int(h))
        for (a, b), o, t, h in zip(pairs, outcomes, when, where, strict=True)
    ]


def table_of(games, **options):
    first, second, outcome, time, home = map(np.array, zip(*games, strict=True))
    won = outcome >= 0
    return Comparisons.from_pairs(
        np.where(won, first, second),
        np.where(won, second, first),
        tie=outcome == 0,
        time=time,
        home=np.where(won, home, -home),
        **options,
    )


def node_list(fit):
    return list(zip(fit.items[fit.node_items].tolist(), fit.node_times.tolist(), strict=True))


@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "half"])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_dense_maximum_with_its_covariance(seed, ties, home):
    games = some_games(seed)
    model = reference.Model(games, 0.4, prior=0.7, ties=ties == "davidson", home=home)
    at, covariance = model.fit()
    fit = whole_history(table_of(games), volatility=0.4, prior=0.7, ties=ties, home=home)
    n = len(model.nodes)
    assert node_list(fit) == model.nodes
    np.testing.assert_allclose(fit.strengths, at[:n], atol=1e-7)
    np.testing.assert_allclose(fit.standard_errors**2, np.diag(covariance)[:n], rtol=1e-7)
    if home:
        assert fit.home_advantage == pytest.approx(at[-1], abs=1e-7)
    if ties == "davidson":
        assert fit.tie_parameter == pytest.approx(np.exp(at[n]), rel=1e-7)
    a, b = model.nodes[0], model.nodes[-1]
    lead = np.zeros(len(at))
    lead[0], lead[n - 1] = 1, -1
    nodes, factors = np.array([[0, 0, n - 1, n - 1]]), np.array([[1.0, 0, -1, 0]])
    _, variance = fit._lead_moments(nodes, factors, np.zeros(1), np.zeros(1), True)
    assert variance[0] == pytest.approx(lead @ covariance @ lead, rel=1e-7)
    assert (a, b) == (node_list(fit)[0], node_list(fit)[-1])
    assert fit.info.error_bound <= 1e-8


def test_rao_kupper_is_what_a_general_optimiser_finds():
    games = some_games(7, items=3, dates=3, games=25)
    fit = whole_history(table_of(games), volatility=0.6, ties="rao-kupper")
    nodes = node_list(fit)
    place = {node: k for k, node in enumerate(nodes)}

    def loss(at):
        s, delta = at[:-1], np.exp(at[-1])
        value = 0.0
        for first, second, outcome, time, _ in games:
            x = s[place[first, time]] - s[place[second, time]]
            if outcome:
                value -= log_expit(outcome * x - delta)
            else:
                value -= log_expit(x - delta) + log_expit(-x - delta) + np.log(np.expm1(2 * delta))
        for k, (item, time) in enumerate(nodes):
            if k and nodes[k - 1][0] == item:
                value += (s[k] - s[k - 1]) ** 2 / (2 * 0.36 * (time - nodes[k - 1][1]))
            else:
                value -= log_expit(s[k]) + log_expit(-s[k])
        return value

    found = minimize(loss, np.zeros(len(nodes) + 1), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(fit.strengths, found.x[:-1], atol=1e-5)
    assert fit.tie_parameter == pytest.approx(np.exp(np.exp(found.x[-1])), rel=1e-5)


@examples(20)
@given(st.integers(0, 10**6))
def test_names_order_and_split_counts_do_not_matter(seed):
    games = some_games(seed, items=4, dates=4, games=20)
    rng = np.random.default_rng(seed)
    plain = whole_history(table_of(games), volatility=0.5)
    turned = [(b, a, -o, t, -h) for a, b, o, t, h in games]
    mixed = [turned[k] if rng.random() < 0.5 else games[k] for k in rng.permutation(len(games))]
    again = whole_history(table_of(mixed), volatility=0.5)
    np.testing.assert_allclose(again.strengths, plain.strengths, atol=1e-7)
    half = table_of(games[:9]) + table_of(games[9:])
    np.testing.assert_allclose(whole_history(half, volatility=0.5).strengths, plain.strengths, atol=1e-7)
    new = rng.permutation(4)
    renamed = whole_history(table_of([(new[a], new[b], o, t, h) for a, b, o, t, h in games]), volatility=0.5)
    for item in {g[0] for g in games}:
        np.testing.assert_allclose(renamed.strength(new[item]).mean, plain.strength(item).mean, atol=1e-7)


def test_slow_change_is_bradley_terry_and_fast_change_forgets():
    games = some_games(3, items=4, dates=5, games=60)
    static = bradley_terry(table_of(games), prior=1.0)
    slow = whole_history(table_of(games), volatility=1e-5)
    at = static.strengths + static.info.shift
    for item in range(4):
        np.testing.assert_allclose(slow.strength(item).mean, at[item], atol=1e-6)
    fast = whole_history(table_of(games), volatility=30.0)
    assert np.abs(np.diff(fast.strength(0).mean)).max() > 10 * np.abs(np.diff(slow.strength(0).mean)).max()


def test_between_dates_it_is_a_brownian_bridge_and_beyond_them_a_random_walk():
    games = some_games(1, tie_share=0.0)
    model = reference.Model(games, 0.4)
    at, covariance = model.fit()
    fit = whole_history(table_of(games), volatility=0.4)
    nodes = model.nodes
    k = next(k for k in range(1, len(nodes)) if nodes[k][0] == nodes[k - 1][0])
    (item, before), (_, after) = nodes[k - 1], nodes[k]
    share = 0.3
    found = fit.strength(item, before + share * (after - before))
    weights = np.zeros(len(at))
    weights[k - 1], weights[k] = 1 - share, share
    bridge = 0.16 * (after - before) * share * (1 - share)
    assert found.mean == pytest.approx(weights @ at, abs=1e-7)
    assert found.sd**2 == pytest.approx(weights @ covariance @ weights + bridge, rel=1e-7)
    own = [n for n in nodes if n[0] == item]
    ends = fit.strength(item, [own[0][1] - 2.0, own[0][1], own[-1][1], own[-1][1] + 3.0])
    np.testing.assert_allclose(ends.sd[[0, 3]] ** 2 - ends.sd[[1, 2]] ** 2, [0.16 * 2, 0.16 * 3])
    assert ends.mean[0] == ends.mean[1]
    assert fit.strength(item, before, uncertainty=False).sd is None


def test_chances_are_averaged_over_the_posterior():
    fit = whole_history(table_of(some_games(2)), volatility=0.4, home=True)
    rng = np.random.default_rng(0)
    covariance = reference.Model(some_games(2), 0.4, ties=True, home=True).fit()[1]
    nodes = node_list(fit)
    time = next(t for item, t in nodes if item == 0 and (1, t) in nodes)
    lead = np.zeros(len(covariance))
    lead[nodes.index((0, time))], lead[nodes.index((1, time))], lead[-1] = 1, -1, 1
    mean = fit.strength(0, time).mean - fit.strength(1, time).mean + fit.home_advantage
    x = rng.normal(mean, np.sqrt(lead @ covariance @ lead), 400_000)
    nu = fit.tie_parameter
    win = np.mean(1 / (1 + np.exp(-x) + nu * np.exp(-x / 2)))
    found = fit.predict(0, 1, time, home=1)
    assert found.win == pytest.approx(win, abs=2e-3)
    assert found.win + found.tie + found.loss == pytest.approx(1)
    sure = fit.predict(0, 1, time, home=1, uncertainty=False)
    assert sure.win == pytest.approx(1 / (1 + np.exp(-mean) + nu * np.exp(-mean / 2)))
    several = fit.predict([0, 1], [1, 0], [time, time], [1, -1])
    np.testing.assert_allclose(several.win, [found.win, found.loss])


def test_known_and_constant_items_are_climbers_on_routes():
    rng = np.random.default_rng(4)
    grades = {f"route {g}": g / 2 for g in range(-4, 5)}
    names = list(grades)
    climber = rng.integers(0, 3, 300)
    day = rng.integers(0, 50, 300)
    route = rng.integers(0, len(names), 300)
    up = rng.random(300) < expit(0.02 * day + climber - 1 - np.array(list(grades.values()))[route])
    who = np.array([f"climber {c}" for c in climber])
    what = np.array(names)[route]
    table = Comparisons.from_pairs(np.where(up, who, what), np.where(up, what, who), time=day)
    fit = whole_history(table, volatility=0.1, known=grades)
    for name, grade in grades.items():
        strength = fit.strength(name, 10)
        assert (strength.mean, strength.sd) == (grade, 0.0)
    late = [fit.strength(f"climber {c}", 49) for c in range(3)]
    assert late[0].mean < late[1].mean < late[2].mean

    def loss(at):  # one climber alone: routes are fixed
        days = np.unique(day[climber == 1])
        mine = climber == 1
        x = at[np.searchsorted(days, day[mine])] - np.array(list(grades.values()))[route[mine]]
        value = -log_expit(np.where(up[mine], x, -x)).sum() - log_expit(at[0]) - log_expit(-at[0])
        return value + (np.diff(at) ** 2 / (2 * 0.01 * np.diff(days))).sum()

    found = minimize(loss, np.zeros(len(np.unique(day[climber == 1]))), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(fit.strength("climber 1").mean, found.x, atol=1e-4)
    free = whole_history(table, volatility=0.1, constant=names)
    estimates = [free.strength(name) for name in names]
    assert all(len(e.mean) == 1 and e.sd[0] > 0 for e in estimates)
    assert np.corrcoef([e.mean[0] for e in estimates], list(grades.values()))[0, 1] > 0.9
    assert np.isnan(free.node_times[free._lines.nodes_of("route 0")]).all()


def simulated(seed, volatility, items=12, dates=40, games=30):
    rng = np.random.default_rng(seed)
    s = rng.normal(size=(items, 1)) + np.cumsum(volatility * rng.normal(size=(items, dates)), axis=1)
    rows = [(*rng.choice(items, 2, replace=False), t) for t in range(dates) for _ in range(games)]
    a, b, t = np.array(rows).T
    up = rng.random(len(a)) < expit(s[a, t] - s[b, t])
    return s, Comparisons.from_pairs(np.where(up, a, b), np.where(up, b, a), time=t)


def test_the_volatility_of_a_simulation_is_found_and_its_strengths_are_covered():
    truth, table = simulated(5, 0.25)
    fit = whole_history(table, volatility="estimate")
    assert 0.18 < fit.volatility < 0.34
    z = []
    for item in range(len(truth)):
        mean, sd = fit.strength(item, np.arange(truth.shape[1]))
        z.append((mean - truth[item]) / sd)
    z = np.array(z) - np.mean(z)
    assert 0.9 < np.mean(np.abs(z) < 1.96) <= 1.0
    nearby = [whole_history(table, volatility=fit.volatility * f).log_evidence for f in (0.9, 1.0, 1.1)]
    assert nearby[1] > max(nearby[0], nearby[2])


def test_the_evidence_is_that_of_dense_algebra():
    games = some_games(8)
    values = []
    for volatility in (0.2, 0.9):
        model = reference.Model(games, volatility, ties=True)
        at, covariance = model.fit()
        dense = model.derivatives(at)[0] + 0.5 * np.linalg.slogdet(covariance)[1]
        values.append(whole_history(table_of(games), volatility=volatility).log_evidence - dense)
    assert values[0] == pytest.approx(values[1], abs=1e-6)


def test_dates_have_units():
    days = np.array(["2020-01-01", "2020-01-08", "2020-03-01"], dtype="datetime64[D]")
    table = Comparisons.from_pairs(["a", "b", "a"], ["b", "a", "b"], time=days)
    weekly = whole_history(table, volatility=0.5, time_unit="week")
    daily = whole_history(table, volatility=0.5 / np.sqrt(7))
    assert whole_history(table, volatility=0.5, time_unit=7).strengths.tolist() == weekly.strengths.tolist()
    np.testing.assert_allclose(weekly.strengths, daily.strengths, atol=1e-9)
    np.testing.assert_array_equal(weekly.node_times[:3], days)
    assert weekly.strength("a", "2020-01-08") == weekly.strength("a", days[1])
    frame = weekly.to_frame(items=["b"], scale="elo")
    assert frame["item"].tolist() == ["b"] * 3
    np.testing.assert_allclose(
        frame["strength"], 1500 + 400 / np.log(10) * weekly.strength("b").mean, rtol=1e-12
    )


def test_threads_change_no_bit():
    strengths, errors = threads.equal_over_threads(
        lambda n: (lambda f: (f.strengths, f.standard_errors))(
            whole_history(simulated(1, 0.3)[1], volatility=0.3, n_threads=n)
        )
    )
    assert (errors > 0).all()
    assert np.isfinite(strengths).all()


def test_pickles_know_their_posterior():
    fit = whole_history(table_of(some_games(1)), volatility=0.3, home=True)
    errors = fit.standard_errors
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fit)).standard_errors, errors)


def test_too_large_a_posterior_is_refused_and_the_strengths_stay():
    fit = whole_history(table_of(some_games(1)), volatility=0.3, max_memory=100)
    assert np.isfinite(fit.strength(0, uncertainty=False).mean).all()
    with pytest.raises(MemoryError, match="raise max_memory"):
        _ = fit.standard_errors


def test_what_did_not_converge_says_so():
    with pytest.warns(steelyard.ConvergenceWarning, match="stopped after 1 steps"):
        fit = whole_history(table_of(some_games(1)), volatility=0.3, max_iter=1)
    assert not fit.info.converged


def test_unbeaten_and_unplayed_items_are_finite_or_refused():
    table = Comparisons.from_pairs(["a", "a"], ["b", "c"], time=[0, 1], items=["a", "b", "c", "idle"])
    fit = whole_history(table, volatility=0.1)
    assert np.isfinite(fit.standard_errors).all()
    with pytest.raises(KeyError, match="has no comparisons"):
        fit.strength("idle", 0)
    with pytest.raises(KeyError, match="no item 'nobody'"):
        fit.predict("a", "nobody", 0)


TABLE = table_of(some_games(1))
DATED = Comparisons.from_pairs(["a"], ["b"], time=["2020-01-01"])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: whole_history([1], volatility=1), TypeError, "comparisons must be a Comparisons"),
        (lambda: whole_history(TABLE, volatility=0), ValueError, "volatility must be positive"),
        (lambda: whole_history(TABLE, volatility="guess"), ValueError, "volatility must be one of"),
        (lambda: whole_history(TABLE, volatility=1, prior=0), ValueError, "prior must be positive"),
        (lambda: whole_history(TABLE, volatility=1, time_unit="week"), ValueError, "needs dates"),
        (
            lambda: whole_history(TABLE, volatility=1, time_unit="aeon"),
            ValueError,
            "time_unit must be one of",
        ),
        (lambda: whole_history(TABLE, volatility=1, constant=[9]), ValueError, "constant holds 9"),
        (lambda: whole_history(TABLE, volatility=1, constant="ab"), TypeError, "constant must be a list"),
        (lambda: whole_history(TABLE, volatility=1, known=[0]), TypeError, "known must map"),
        (lambda: whole_history(TABLE, volatility=1, known={0: np.nan}), ValueError, r"known\[0\] must be"),
        (
            lambda: whole_history(TABLE, volatility=1, known=dict.fromkeys(range(5), 0.0)),
            ValueError,
            "at least one item",
        ),
        (lambda: whole_history(TABLE, volatility=1e-170), ValueError, "volatility .* is too small"),
        (
            lambda: whole_history(Comparisons.from_pairs([0], [1]), volatility=1),
            ValueError,
            "comparisons must have times",
        ),
        (lambda: whole_history(DATED, volatility="estimate"), ValueError, "compared on two dates"),
        (lambda: whole_history(DATED, volatility=1).strength("a", 3), TypeError, "time must hold dates"),
        (lambda: whole_history(TABLE, volatility=1).strength(0, "2020-01-01"), TypeError, "time must hold"),
        (lambda: whole_history(TABLE, volatility=1).predict(0, 1, 0, home=1), ValueError, "home must be 0"),
        (lambda: whole_history(DATED, volatility=1, home=True), ValueError, "home=True needs"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_home_side_that_always_wins_is_named():
    table = Comparisons.from_pairs(["a", "b"], ["b", "a"], time=[0, 1], home=[1, 1])
    with pytest.raises(steelyard.SeparationError, match="home_advantage"):
        whole_history(table, volatility=0.1, home=True)


def test_times_that_are_none_are_refused_by_name():
    table = Comparisons.from_pairs(["a", "b"] * 3, ["b", "a"] * 3, time=np.arange(6))
    fit = whole_history(table, volatility=0.3, time_unit=1)
    for time in ({1}, [{1}, 2], object(), [["a"]]):
        with pytest.raises((TypeError, ValueError), match=r"^time must"):
            fit.strength("a", time)
