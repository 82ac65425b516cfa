"""Who meets whom next, in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

Pair = tuple[Any, Any]


def round_robin(items: Sequence[Any]) -> list[list[Pair]]:
    """Rounds in which everybody meets everybody once: in round r meet those whose places add up to r.

    Places are those behind the first item, and count modulo their number; the first meets the one left over.

    >>> round_robin("abcd")
    [[('c', 'd'), ('a', 'b')], [('b', 'c'), ('a', 'd')], [('b', 'd'), ('a', 'c')]]
    """
    first, *ring = [*items, None] if len(items) % 2 else items  # who meets None sits out
    n, rounds = len(ring), []
    for r in range(n):
        pairs = [(ring[i], ring[j]) for j in range(n) for i in range(j) if (i + j) % n == r]
        left_over = next(ring[i] for i in range(n) if 2 * i % n == r)
        rounds.append([pair for pair in [*pairs, (first, left_over)] if None not in pair])
    return rounds


def swiss(order: Iterable[Any], games: Iterable[tuple[Any, Any, float]]) -> list[Pair]:
    """From the top, each with the nearest in points of those it has met least.

    `order` holds all items, and decides between equal ones; games are (first, second, score of the first).
    With an odd number the last sits out: of the fewest points, who has played most.

    >>> swiss("abcd", [("a", "b", 1.0), ("c", "d", 0.5)])
    [('a', 'c'), ('d', 'b')]
    """
    points: defaultdict[Any, float] = defaultdict(float)
    played: Counter[Any] = Counter()
    met: Counter[Any] = Counter()
    for a, b, score in games:
        points[a] += score
        points[b] += 1 - score
        played.update([a, b])
        met[frozenset((a, b))] += 1
    free = sorted(order, key=lambda item: (-points[item], played[item]))
    if len(free) % 2:
        free.pop()
    pairs = []
    while free:
        one = free.pop(0)
        other = min(free, key=lambda item: met[frozenset((one, item))])  # the first of the least
        free.remove(other)
        pairs.append((one, other))
    return pairs


def knockout(seeds: Iterable[Any], losers: Collection[Any]) -> list[Pair]:
    """Best seed against worst among those who have not lost, seeds best first.

    The worst play until a power of two is left; then all do.

    >>> knockout("abcdef", "")
    [('c', 'f'), ('d', 'e')]
    >>> knockout("abcdef", "fe")
    [('a', 'd'), ('b', 'c')]
    """
    alive = [seed for seed in seeds if seed not in losers]
    power = max(2**k for k in range(len(alive)) if 2**k <= len(alive))
    games = len(alive) - power or len(alive) // 2
    playing = alive[len(alive) - 2 * games :]
    return [(playing[k], playing[-1 - k]) for k in range(games)]
