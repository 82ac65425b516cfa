"""Which ratings hang on the prior or on a few games, and where they are marked."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import DisconnectedWarning
from steelyard.plotting import plot_strengths
from steelyard.rank import (
    Comparisons,
    GradedComparisons,
    bradley_terry,
    fit_judges,
    graded,
    plackett_luce,
    team_strengths,
)


def with_newcomers():
    """Four items that met often; one that met one of them three times, one that never lost, two apart."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (2, 400))
    keep = first != second
    rows = [(f"old{a}", f"old{b}") for a, b in zip(first[keep], second[keep], strict=True)]
    rows += [("few", "old0"), ("few", "old0"), ("old0", "few")]
    rows += [("unbeaten", f"old{k % 4}") for k in range(9)]
    rows += [("island", "shore"), ("shore", "island")] * 5
    return Comparisons.from_pairs(*zip(*rows, strict=True))


@pytest.mark.filterwarnings("ignore::steelyard.DisconnectedWarning")
def test_few_games_and_ratings_by_the_prior_alone_are_provisional():
    fit = bradley_terry(with_newcomers(), prior=1.0)
    table = fit.to_frame()
    marked = set(table["item"][table["provisional"]].tolist())
    assert marked == {"few", "unbeaten", "island", "shore"}
    assert set(fit.items[fit.scarce].tolist()) == marked
    plain = fit.to_frame(uncertainty=None)
    assert dict(zip(plain["item"], plain["provisional"], strict=True)) == dict(
        zip(table["item"], table["provisional"], strict=True)
    )


def test_a_wide_interval_is_provisional_and_an_even_board_has_none():
    wins = np.full((5, 5), 400.0)
    wins[4, :] = wins[:, 4] = 3.0
    np.fill_diagonal(wins, 0)
    fit = bradley_terry(Comparisons.from_counts(wins))
    assert not fit.scarce.any()
    table = fit.to_frame()
    assert table["item"][table["provisional"]].tolist() == [4]
    even = bradley_terry(Comparisons.from_counts(np.full((4, 4), 10.0) - 10 * np.eye(4)))
    assert not even.to_frame()["provisional"].any()


def test_both_ends_at_infinity_are_provisional_without_a_warning():
    fit = bradley_terry(Comparisons.from_counts(np.full((4, 4), 10.0) - 10 * np.eye(4)))
    rounds = fit.bootstrap(20, rng=0)
    rounds.strengths.flags.writeable = True
    rounds.strengths[:, 3] = np.inf
    table = fit.to_frame(uncertainty=rounds)
    assert table["item"][table["provisional"]].tolist() == [3]


def test_an_anchor_has_no_width_to_be_measured_by():
    wins = np.full((3, 3), 30.0) - 30 * np.eye(3)
    table = bradley_terry(Comparisons.from_counts(wins)).to_frame(anchor={0: 1000.0}, scale="elo")
    assert not table["provisional"].any()


def test_old_games_count_for_less():
    n = 40
    winner, loser = np.arange(n) % 3, (np.arange(n) + 1 + np.arange(n) // 3 % 2) % 3
    table = Comparisons.from_pairs(winner, loser, time=np.arange(n, dtype=float))
    assert not bradley_terry(table).scarce.any()
    assert bradley_terry(table, half_life=2.0, prior=1.0).scarce.all()


def test_pictures_show_them_hollow_and_below():
    wins = np.full((5, 5), 400.0)
    wins[4, :] = 9.0
    wins[:, 4] = 3.0
    np.fill_diagonal(wins, 0)
    fit = bradley_terry(Comparisons.from_counts(wins, items=list("abcde")))
    assert fit.items[fit.order[0]] == "e"
    axes = plot_strengths(fit)
    assert [tick.get_text() for tick in axes.get_yticklabels()][-1] == "e"
    assert axes.get_legend().get_texts()[0].get_text() == "provisional"
    chosen = plot_strengths(fit, items=["a", "b"])
    assert sorted(tick.get_text() for tick in chosen.get_yticklabels()) == ["a", "b"]


def test_every_fit_marks_provisional_items():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 300)
    second = (first + rng.integers(1, 4, 300)) % 4
    a, b = np.append(first, [4, 0]), np.append(second, [0, 4])
    games = Comparisons.from_pairs(a, b, judge=rng.integers(0, 3, len(a)))
    grades = GradedComparisons.from_grades(
        a,
        b,
        np.where(rng.random(len(a)) < 0.5, "far", "near"),
        levels=["far", "near", "behind", "far behind"],
    )
    fits = (
        fit_judges(games),
        graded(grades),
        team_strengths(a[:, None], b[:, None], np.ones(len(a), dtype=bool)),
        plackett_luce(np.column_stack([a, b]).tolist()),
    )
    for fit in fits:
        table = fit.to_frame()
        assert table["item"][table["provisional"]].tolist() == [4], type(fit).__name__


def test_partners_who_always_play_together_are_provisional():
    left, right = [["a", "x"], ["b"], ["b"], ["c"]] * 5, [["b"], ["a", "x"], ["c"], ["b"]] * 5
    with pytest.warns(DisconnectedWarning, match="only their sum is known"):
        fit = team_strengths(left, right, [True] * 20, prior=1.0)
    assert {"a", "x"} <= set(fit.items[fit.scarce].tolist())
