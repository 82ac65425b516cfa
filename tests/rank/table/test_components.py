"""Components of the graph of wins against networkx, and the words for them."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rank import Comparisons

pytestmark = pytest.mark.smoke

game = st.tuples(st.integers(0, 11), st.integers(0, 11), st.booleans()).filter(lambda g: g[0] != g[1])


def same_partition(labels, parts):
    return {frozenset(np.flatnonzero(labels == k).tolist()) for k in range(labels.max() + 1)} == {
        frozenset(part) for part in parts
    }


@given(st.lists(game, min_size=1), st.sampled_from(["keep", "drop"]))
def test_components_are_those_of_networkx(games, ties):
    winner, loser, tie = map(list, zip(*games, strict=True))
    table = Comparisons.from_pairs(winner, loser, tie=tie, items=range(12))
    graph = nx.DiGraph()
    graph.add_nodes_from(range(12))
    for a, b, drew in games:
        if not drew:
            graph.add_edge(a, b)
        elif ties == "keep":
            graph.add_edges_from([(a, b), (b, a)])
    report = table.components(ties)
    assert same_partition(report.weak, nx.weakly_connected_components(graph))
    assert same_partition(report.strong, nx.strongly_connected_components(graph))
    assert report.n_weak == report.weak.max() + 1 == len(report.weak_sizes)
    assert report.n_strong == report.strong.max() + 1 == len(report.strong_sizes)
    assert report.weak_sizes.sum() == report.strong_sizes.sum() == 12
    assert report.describe().endswith(".")


@given(st.lists(game, min_size=1), st.booleans(), st.sampled_from(["keep", "drop"]))
def test_the_largest_component_is_one_component(games, strong, ties):
    winner, loser, tie = map(list, zip(*games, strict=True))
    table = Comparisons.from_pairs(winner, loser, tie=tie)
    report = table.components(ties)
    sizes = report.strong_sizes if strong else report.weak_sizes
    if sizes.max() < 2:
        with pytest.raises(ValueError, match="no component has two items"):
            table.largest_component(strong, ties)
        return
    part = table.largest_component(strong, ties)
    assert part.n_items == sizes.max()
    again = part.components(ties)
    assert (again.n_strong if strong else again.n_weak) == 1


@given(st.lists(game, min_size=1))
def test_every_item_outside_the_core_is_named(games):
    winner, loser, _ = map(list, zip(*games, strict=True))
    table = Comparisons.from_pairs([f"<{k}>" for k in winner], [f"<{k}>" for k in loser])
    report = table.components()
    words = report.describe(limit=100)
    if report.n_strong == 1:
        assert words == f"All {table.n_items} items are joined by chains of wins."
        return
    # The core is the largest circle within the largest connected part; one elsewhere may be larger.
    core = np.bincount(report.strong[report.weak == report.weak_sizes.argmax()]).max()
    named = sum(str(label) in words for label in table.items)
    assert named in (table.n_items - core, table.n_items)
    assert words.count("<") == named


def describe(*games, limit=5, **options):
    """Games as 'ab': a beat b; 'a=b': they drew."""
    pairs = [(g[0], g[-1], "=" in g) for g in games]
    winner, loser, tie = map(list, zip(*pairs, strict=True))
    return Comparisons.from_pairs(winner, loser, tie=tie, **options).components().describe(limit)


CIRCLE = ("ab", "bc", "ca")


def test_one_component_needs_few_words():
    assert describe(*CIRCLE) == "All 3 items are joined by chains of wins."


@pytest.mark.parametrize(
    ("games", "words"),
    [
        (["ta"], "t never lost."),
        (["at"], "t never won."),
        (["ta", "sa"], "s and t never lost."),
        (["ta", "tu", "ua"], "t never lost. u won and lost, but in no circle of wins with the rest."),
        (["tu", "ut", "ta"], "t and u never lost to anyone else."),
        (["tu", "ut", "at"], "t and u never beat anyone else."),
        (["t=u", "at"], "t and u never beat anyone else."),
        (["tu"], "t and u never met the others."),
        (["za", "ya", "xa", "wa", "va", "ua"], "u, v, w, x, y and 1 more never lost."),
    ],
)
def test_the_reason_is_given_in_words(games, words):
    text = describe(*CIRCLE, *games)
    assert text.endswith(f"items. {words}")
    assert "strong components, the largest of 3 items." in text


def test_a_chain_without_circles_is_described_whole():
    assert describe("ab", "bc") == (
        "The 3 items fall into 3 strong components, the largest of 1 item. a never lost. c never won. "
        "b won and lost, but in no circle of wins with the rest."
    )


def test_items_without_games_never_played():
    text = describe(*CIRCLE, items=list("abcde"))
    head = "The 5 items fall into 3 weak and 3 strong components, the largest of 3 items."
    assert text == f"{head} d and e never played."


def test_long_lists_are_cut_at_the_limit():
    text = describe(*CIRCLE, "za", "ya", "xa", limit=2)
    assert text.endswith("x, y and 1 more never lost.")
    pairs = describe(*CIRCLE, "de", "fg", "hi", "jk", limit=2)
    assert pairs.endswith(
        "d and e never met the others. f and g never met the others. So it is with 2 more groups."
    )


def test_dropped_ties_join_nobody():
    table = Comparisons.from_pairs(["a", "a"], ["b", "b"], tie=[True, True])
    assert table.components().n_strong == 1
    assert table.components("drop").n_weak == 2
    with pytest.raises(ValueError, match="no component has two items"):
        table.largest_component(ties="drop")


def test_wrong_arguments_are_refused_by_name():
    table = Comparisons.from_pairs(["a"], ["b"])
    with pytest.raises(ValueError, match="ties must be one of 'keep', 'drop'"):
        table.components("half")
    with pytest.raises(TypeError, match="strong must be True or False"):
        table.largest_component("weak")
    with pytest.raises(ValueError, match="limit must be at least 1"):
        table.components().describe(0)


def test_the_repr_is_the_description():
    table = Comparisons.from_pairs(["a", "b"], ["b", "a"])
    assert repr(table.components()) == "ComponentReport(All 2 items are joined by chains of wins.)"


def test_a_chain_of_a_million_items_needs_no_recursion():
    n = 1_000_000
    table = Comparisons.from_pairs(np.arange(n), np.append(np.arange(1, n), 0))
    assert table.components().n_strong == 1
