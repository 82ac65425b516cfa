"""Duels of scores and ratings over many boards."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.rank import elo, meta_elo, score_duels
from steelyard.reference import sequential as reference


def by_hand(table, margin, k=40.0):
    games = []
    for column in np.atleast_2d(np.transpose(table)):
        for i in range(len(column)):
            for j in range(i + 1, len(column)):
                if not np.isnan(column[[i, j]]).any():
                    gap = column[i] - column[j]
                    games.append((i, j, 0.5 if abs(gap) <= margin else float(gap > 0)))
    ratings = reference.elo(games, k)
    return [ratings.get(i, 1500.0) for i in range(len(table))]


@pytest.mark.parametrize("seed", range(5))
def test_duels_are_the_loop_over_rows_and_rounds(seed):
    rng = np.random.default_rng(seed)
    table = rng.random((9, 4))
    table[rng.random(table.shape) < 0.2] = np.nan
    found = score_duels(table, margin=0.1)
    np.testing.assert_allclose(found.ratings, by_hand(table, 0.1), rtol=1e-12)
    turned = score_duels(-table, margin=0.1, higher_is_better=False)
    np.testing.assert_array_equal(turned.ratings, found.ratings)


def test_a_difference_of_just_the_margin_is_a_draw():
    assert score_duels([0.90, 0.85]).ratings.tolist() == [1500, 1500]
    assert score_duels([0.90, 0.849]).ratings.tolist() == [1520, 1480]
    assert score_duels([0.93, 0.88]).ratings.tolist() == [1500, 1500]


def test_published_boards_compare_as_floats_do():
    assert score_duels([0.93, 0.88], published=True).ratings.tolist() == [1520, 1480]
    assert score_duels([0.88, 0.93], published=True).ratings.tolist() == [1480, 1520]
    assert score_duels([0.85, 0.80], published=True).ratings.tolist() == [1500, 1500]
    with pytest.raises(TypeError, match="published must be True or False"):
        score_duels([0.9, 0.8], published=1)


def test_rounds_can_go_on():
    table = np.random.default_rng(0).random((6, 5))
    early = score_duels(table[:, :2], list("abcdef"))
    late = score_duels(table[:, 2:], list("abcdef"), initial=early)
    np.testing.assert_array_equal(late.ratings, score_duels(table, list("abcdef")).ratings)


def test_the_mean_over_boards_is_that_of_the_formula():
    rng = np.random.default_rng(1)
    n = 40
    model, board = rng.integers(0, 5, n), rng.integers(0, 4, n)
    rating, f1, cycle = rng.normal(1500, 100, n), rng.random(n), rng.integers(1, 6, n)
    categories, language, active = rng.integers(2, 9, n), rng.choice([1.0, 0.5], n), rng.random(n) < 0.8
    found = meta_elo(
        model,
        rating,
        f1=f1,
        board=board,
        categories=categories,
        language=language,
        cycle=cycle,
        active=active,
    )
    for k, item in enumerate(found.items):
        mine = active & (model == item)
        best = np.array([f1[active & (board == b)].max() for b in board[mine]])
        w = np.log(categories[mine] + 1) * language[mine] * f1[mine] / best * (1 + np.log(cycle[mine] + 1))
        assert found.ratings[k] == pytest.approx((w * rating[mine]).sum() / w.sum())
        assert found.weights[k] == pytest.approx(w.sum())
        assert found.n_boards[k] == mine.sum()
    assert found.to_frame()["rating"].tolist() == sorted(found.ratings, reverse=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score_duels([0.5]), "no round with two models"),
        (lambda: score_duels([[0.5, np.inf]]), "table has infinite entries"),
        (lambda: score_duels(np.zeros((2, 2, 2))), "table must have shape"),
        (lambda: score_duels([0.5, 0.6], ["a"]), "items must have one label a model"),
        (lambda: score_duels([0.5, 0.6], margin=-1), "margin must be zero or positive"),
        (lambda: meta_elo([0, 1], [1.0], f1=[1, 1], board=[0, 0], categories=2), "rating must have length"),
        (lambda: meta_elo([0], [1.0], f1=[1], board=[0], categories=0), "categories must be at least 1"),
        (lambda: meta_elo([0], [1.0], f1=[0], board=[0], categories=2), "weights of 0 are all zero"),
        (lambda: meta_elo([0], [1.0], f1=[1], board=[0, 1], categories=2), "board must have length"),
        (lambda: meta_elo([0], [1.0], f1=[1], board=[0], categories=2, active=[1]), "active must hold"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_duels_and_games_share_one_kind_of_result():
    assert type(score_duels([0.5, 0.7])) is type(elo([0], [1]))
