"""Elo and Glicko-2 against worked examples, plain Python and what users pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import rank
from steelyard.rank import elo, glicko2
from steelyard.reference import sequential as reference
from support import hostile
from support.examples import examples


def games(seed, n=12, m=200):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    return first, second, rng.random(m) < 0.2


@examples(20)
@given(st.integers(0, 10**6), st.floats(0.0, 100.0), st.floats(50.0, 1000.0))
def test_it_is_the_plain_loop(seed, k, scale):
    first, second, tie = games(seed)
    found = elo(first, second, tie=tie, k=k, scale=scale)
    score = np.where(tie, 0.5, 1.0)
    plain = reference.elo(zip(first.tolist(), second.tolist(), score.tolist(), strict=True), k, scale)
    np.testing.assert_allclose(found.ratings, [plain[item] for item in found.items.tolist()], rtol=1e-12)
    assert found.ratings.mean() == pytest.approx(1500)
    assert found.games.sum() == 400


def test_a_game_by_hand():
    found = elo(["a", "a"], ["b", "b"], k=20)
    # 1510 against 1490: expected 1 / (1 + 10^(-20/400)).
    expected = 1 / (1 + 10 ** (-0.05))
    assert found.rating("a") == pytest.approx(1510 + 20 * (1 - expected))
    assert found.predict("a", "b") == pytest.approx(
        1 / (1 + 10 ** (-(found.rating("a") - found.rating("b")) / 400))
    )
    assert found.log_loss == pytest.approx(-(np.log(0.5) + np.log(expected)) / 2)
    assert found.accuracy == 1.0
    assert found.to_frame()["item"].tolist() == ["a", "b"]


def test_margin_weight_and_home_change_the_step_as_stated():
    one = elo([0], [1]).ratings[0] - 1500
    factors = {0: 1, 1: 1, 2: 1.5, 3: 14 / 8, 5: 2}
    for margin, factor in factors.items():
        assert elo([0], [1], margin=[margin]).ratings[0] - 1500 == pytest.approx(factor * one)
    assert elo([0], [1], weight=[0.25]).ratings[0] - 1500 == pytest.approx(0.25 * one)
    at_home = elo([0], [1], home=[1], home_advantage=100).ratings[0] - 1500
    away = elo([0], [1], home=[-1], home_advantage=100).ratings[0] - 1500
    assert at_home == pytest.approx(32 * (1 - 1 / (1 + 10 ** (-0.25))))
    assert away == pytest.approx(32 * (1 - 1 / (1 + 10**0.25)))


def test_history_ends_at_the_ratings_and_games_can_go_on():
    first, second, tie = games(1)
    whole = elo(first, second, tie=tie, history=True)
    for item in range(12):
        rows, ratings = whole.history(item)
        assert (np.diff(rows) > 0).all()
        assert ratings[-1] == whole.rating(item)
        assert len(rows) == whole.games[item]
    early = elo(first[:120], second[:120], tie=tie[:120])
    late = elo(first[120:], second[120:], tie=tie[120:], initial=early)
    np.testing.assert_array_equal(late.ratings, whole.ratings)
    grown = elo(["z"], ["b"], initial=elo(["b"], ["a"]))
    assert grown.items.tolist() == ["a", "b", "z"]
    with pytest.raises(ValueError, match="there is no history"):
        early.history(0)


def test_hopeless_games_stay_finite():
    found = elo([0] * 2000, [1] * 2000, k=1e6)
    assert np.isfinite(found.ratings).all()
    assert np.isfinite(found.log_loss)
    assert 0 <= found.predict(1, 0) < 1e-100


def test_glickmans_example():
    # Games against three opponents who, in this period, meet nobody else.
    start = rank.GlickoRatings(
        np.array(["a", "b", "c", "p"]),
        np.array([1400.0, 1550.0, 1700.0, 1500.0]),
        np.array([30.0, 100.0, 300.0, 200.0]),
        np.full(4, 0.06),
        0,
    )
    found = glicko2(["p", "b", "c"], ["a", "p", "p"], initial=start)
    assert found.ratings[3] == pytest.approx(1464.06, abs=0.02)
    assert found.deviations[3] == pytest.approx(151.52, abs=0.01)
    assert found.volatilities[3] == pytest.approx(0.05999, abs=1e-5)


@examples(20)
@given(st.integers(0, 10**6), st.floats(0.3, 1.2))
def test_a_period_is_that_of_the_reference(seed, tau):
    first, second, tie = games(seed, n=6, m=30)
    start = glicko2(first[:10], second[:10], tie=tie[:10], items=range(6))
    found = glicko2(first[10:], second[10:], tie=tie[10:], initial=start, tau=tau)
    score = np.where(tie, 0.5, 1.0)[10:]
    for item in set(first[10:].tolist() + second[10:].tolist()):
        met = [(b, s) for a, b, s in zip(first[10:], second[10:], score, strict=True) if a == item]
        met += [(a, 1 - s) for a, b, s in zip(first[10:], second[10:], score, strict=True) if b == item]
        opponents = [(start.ratings[j], start.deviations[j], s) for j, s in met]
        player = (start.ratings[item], start.deviations[item], start.volatilities[item])
        plain = reference.glicko2(player, opponents, tau)
        np.testing.assert_allclose(
            [found.ratings[item], found.deviations[item], found.volatilities[item]], plain, rtol=1e-7
        )


def test_rest_raises_the_deviation_up_to_the_first_one():
    rows = [0, 2, 2], [1, 3, 3]
    found = glicko2(*rows, period=[1, 2, 3])
    once = glicko2([0], [1])
    grown = np.sqrt((once.deviations[0] * np.log(10) / 400) ** 2 + 2 * once.volatilities[0] ** 2)
    assert found.deviations[0] == pytest.approx(grown * 400 / np.log(10))
    long = glicko2([0] + [2] * 9999, [1] + [3] * 9999, period=np.arange(10_000))
    assert long.deviations[0] == 350
    assert found.n_periods == 3


def test_periods_carry_over_to_the_next_call():
    first, second, tie = games(3, m=60)
    period = np.repeat([1, 2, 3, 4], 15)
    whole = glicko2(first, second, tie=tie, period=period, items=range(12))
    early = glicko2(first[:30], second[:30], tie=tie[:30], period=period[:30], items=range(12))
    late = glicko2(first[30:], second[30:], tie=tie[30:], period=period[30:], initial=early)
    np.testing.assert_allclose(late.ratings, whole.ratings, rtol=1e-12)
    np.testing.assert_allclose(late.deviations, whole.deviations, rtol=1e-12)
    dates = np.array("2020-01-01", "datetime64[D]") + period
    np.testing.assert_array_equal(
        glicko2(first, second, tie=tie, period=dates, items=range(12)).ratings, whole.ratings
    )


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID, without={"float16", "float32"}))
def test_any_layout_of_weights_gives_the_same_answer(variant):
    first, second, _ = games(0, m=9)
    hostile.check_same(lambda w: elo(first, second, weight=w).ratings, np.arange(9.0), variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without={"empty", "scalar"}))
def test_nonsense_is_refused_by_name(variant):
    first, second, _ = games(0, m=9)
    hostile.check_refused(lambda w: elo(first, second, weight=w), np.arange(9.0), variant, "weight")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: elo([0], [0]), "hold a single item"),
        (lambda: elo([0, 1], [1]), "equal length"),
        (lambda: elo([0], [1], k=-1), "k must be zero or positive"),
        (lambda: elo([0], [1], scale=0), "scale must be positive"),
        (lambda: elo([0], [1], home_advantage=50), "home_advantage needs home"),
        (lambda: elo([0], [1], margin=[-1]), "margin must be zero or positive"),
        (lambda: elo([0], [1], tie=[True, False]), "tie must have shape"),
        (lambda: elo([0], [1], initial=elo([0], [1]), scale=100), "initial has scale 400"),
        (lambda: glicko2([0], [1], tau=0), "tau must be positive"),
        (lambda: glicko2([0, 1], [1, 0], period=[2, 1]), "period must not fall"),
        (lambda: glicko2([0], [1], period=[[1]]), "period must have shape"),
        (lambda: glicko2([0], [1], period=[np.nan]), "period has missing"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_items_are_refused():
    with pytest.raises(KeyError, match="no item 'x'"):
        elo(["a"], ["b"]).rating("x")
    with pytest.raises(TypeError, match="labels of the same kind"):
        elo(["a"], ["b"], initial=elo([0], [1]))


@pytest.mark.parametrize("tau", [1e-300, 1e-17, 1e-11, 1e-3, 1.0, 1e3, 1e200])
def test_volatility_is_found_for_any_tau(tau):
    found = glicko2([0, 0, 1], [1, 1, 0], tau=tau)
    assert np.isfinite(found.volatilities).all()
    if tau <= 1e-11:
        np.testing.assert_allclose(found.volatilities, glicko2([0], [1], tau=1e-9).volatilities, rtol=1e-12)
