"""Labels that look alike are two items, and said."""

from __future__ import annotations

import warnings

import pytest

from steelyard.rank import Comparisons, elo

COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize(
    ("one", "other"),
    [(COMPOSED, DECOMPOSED), ("a", "a "), ("a b", "a\u00a0b"), ("a b", "a  b"), ("ab", "a\u200bb")],
)
def test_twins_are_named_and_stay_two_items(one, other):
    with pytest.warns(UserWarning, match="look alike count as different") as caught:
        table = Comparisons.from_pairs([one, other], [other, one])
    assert table.n_items == 2
    said = str(caught[0].message)
    assert ascii(one) in said
    assert ascii(other) in said
    assert said.isascii()
    assert caught[0].filename == __file__


def test_what_looks_different_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Comparisons.from_pairs(["a", "A", "e", COMPOSED], ["b", "B", "Jose", "c"])
        Comparisons.from_pairs([1, 2], [2, 3])


def test_all_who_read_labels_warn():
    with pytest.warns(UserWarning, match="'a' and 'a '"):
        elo(["a", "b"], ["b", "a "])
    with pytest.warns(UserWarning, match=r"; .*, and 1 more"):
        Comparisons.from_pairs(["a", "b", "c", "d"], ["a ", "b ", "c ", "d "])
