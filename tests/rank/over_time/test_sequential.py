"""Elo against worked examples, plain Python and what users pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rank import elo
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


def test_a_published_board_goes_on_as_the_result_it_was_made_from():
    first, second, tie = games(2)
    early = elo(first[:120], second[:120], tie=tie[:120])
    rest = first[120:], second[120:]
    whole = elo(*rest, tie=tie[120:], initial=early)
    board = dict(zip(early.items.tolist(), early.ratings.tolist(), strict=True))
    found = elo(*rest, tie=tie[120:], initial=board)
    assert found.items.tolist() == list(board)
    np.testing.assert_array_equal(found.ratings, whole.ratings)


def test_new_items_join_a_board_at_its_mean():
    found = elo(["new"], ["ann"], initial={"ben": 1300, "ann": 1100}, k=0)
    assert found.items.tolist() == ["ben", "ann", "new"]
    assert found.ratings.tolist() == [1300, 1100, 1200]
    with pytest.raises(TypeError, match="labels of the same kind"):
        elo(["a"], ["b"], initial={1: 1500.0})


def test_hopeless_games_stay_finite():
    found = elo([0] * 2000, [1] * 2000, k=1e6)
    assert np.isfinite(found.ratings).all()
    assert np.isfinite(found.log_loss)
    assert 0 <= found.predict(1, 0) < 1e-100


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
        (lambda: elo([0], [1], initial={}), "initial must name at least one item"),
        (lambda: elo([0], [1], initial={0: np.inf}), "initial's rating of 0 must be finite"),
        (lambda: elo([0], [1], initial={0: (1500, 30)}), "initial must give rating for 0"),
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
