"""Who should meet whom next, and how many games a ranking needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._results import Result
from ..._validate import check_choice, check_count, check_level, check_positive, check_rng, check_room
from .._paired import bradley_terry
from .._table import Comparisons, given_labels, read_games

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.intp]
KINDS = ("random", "swiss", "knockout")


def schedule(
    items: Any,
    kind: str = "random",
    *,
    n_rounds: int = 1,
    played: tuple[Any, ...] | None = None,
    rng: Any = None,
) -> Values:
    """Games to play next.

    Parameters
    ----------
    items : array_like, shape (n,)
        Labels, at least two. For 'knockout' in the order of their seeds, best first.
    kind : {'random', 'swiss', 'knockout'}, default 'random'
        - 'random': rounds of a round robin in random order, those first whose pairs have met least.
        - 'swiss': one round: from the top each takes the nearest in points whom it has met least.
        - 'knockout': one round of those who have not lost; the best seed meets the worst, and seeds are let
          through first until their number is a power of two. Nothing is left to play once one remains.

        With an odd number one sits out; under 'swiss' the last in points.
    n_rounds : int, default 1
        For 'random'.
    played : (winner, loser) or (winner, loser, tie), optional
        Games so far, as for `Comparisons.from_pairs`; a tie is half a point.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        For 'random', and for equal points.

    Returns
    -------
    ndarray, shape (m, 2)
        Labels of the pairs.

    Raises
    ------
    ValueError
        If there are fewer than two items, `played` has others, or a game of a knockout was a tie.

    Examples
    --------
    >>> print(schedule(["a", "b", "c", "d"], "knockout"))
    [['a' 'd']
     ['b' 'c']]
    >>> print(schedule(["a", "b", "c", "d"], "knockout", played=(["a", "c"], ["d", "b"])))
    [['a' 'c']]
    """
    labels = given_labels(items, "items")
    if len(labels) < 2:
        raise ValueError(f"items must hold at least two labels, got {len(labels)}")
    kind = check_choice(kind, "kind", KINDS)
    count = check_count(n_rounds, "n_rounds")
    if count > 1 and kind != "random":
        raise ValueError(
            f"n_rounds goes with kind='random': {kind!r} needs the results of a round for the next"
        )
    generator = check_rng(rng)
    winner, loser, tie = _read_played(played, labels)
    met: Pairs = np.zeros((len(labels), len(labels)), dtype=np.intp)
    np.add.at(met, (winner, loser), 1)
    met = met + met.T
    if kind == "knockout":
        return labels[_knockout(len(labels), loser, tie)]
    if kind == "swiss":
        half = np.where(tie, 0.5, 0.0)
        points = np.zeros(len(labels))
        np.add.at(points, winner, 1.0 - half)
        np.add.at(points, loser, half)
        return labels[_swiss(points, met, generator)]
    return labels[np.concatenate(_random_rounds(len(labels), count, met, generator))]


def _read_played(played: Any, labels: Values) -> tuple[Pairs, Pairs, npt.NDArray[np.bool_]]:
    none = np.zeros(0, np.intp)
    if played is None:
        return none, none, np.zeros(0, bool)
    if not isinstance(played, tuple) or len(played) not in (2, 3):
        raise TypeError("played must be (winner, loser) or (winner, loser, tie)")
    try:
        games = read_games(played[0], played[1], played[2] if len(played) == 3 else None, items=labels)
    except (ValueError, TypeError) as error:
        raise type(error)(f"played does not fit: {error}") from None
    tie = np.zeros(len(games.first), bool) if games.score is None else games.score == 0
    return games.first.astype(np.intp), games.second.astype(np.intp), tie


def _knockout(n: int, loser: Pairs, tie: npt.NDArray[np.bool_]) -> Pairs:
    if tie.any():
        raise ValueError("played has ties: a knockout needs a winner of each game")
    alive = np.setdiff1d(np.arange(n), loser)
    size = 1 << (len(alive).bit_length() - 1) if len(alive) else 0
    games = len(alive) - size if len(alive) > size else len(alive) // 2
    last = alive[len(alive) - 2 * games :]
    return np.stack([last[:games], last[::-1][:games]], axis=1)


def _random_rounds(n: int, count: int, met: Pairs, rng: np.random.Generator) -> list[Pairs]:
    """Rounds of a round robin in random order, those first whose pairs have met least."""
    found: list[Pairs] = []
    while len(found) < count:
        table = _round_robin(rng.permutation(n))
        again = np.array([met[pairs[:, 0], pairs[:, 1]].sum() for pairs in table])
        order = np.lexsort((rng.permutation(len(table)), again))
        found += [table[k] for k in order[: count - len(found)]]
    return found


def _round_robin(order: Pairs) -> list[Pairs]:
    """The circle method: all rounds in which everybody meets everybody once."""
    ring = order.tolist() if len(order) % 2 == 0 else [*order.tolist(), -1]
    half, rounds = len(ring) // 2, []
    for _ in range(len(ring) - 1):
        pairs = np.array([ring[:half], ring[::-1][:half]]).T
        rounds.append(pairs[(pairs >= 0).all(axis=1)])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds


def _swiss(points: Floats, met: Pairs, rng: np.random.Generator) -> Pairs:
    """By points, equal ones in random order; who has the fewest points and most games sits out."""
    shuffled = rng.permutation(len(points))
    return _matching(shuffled[np.lexsort((met.sum(axis=1)[shuffled], -points[shuffled]))], met)


def _matching(order: Pairs, met: Pairs) -> Pairs:
    """Each in turn takes the nearest in the order whom it has met least; the last one sits out."""
    free, pairs = order[: len(order) // 2 * 2].tolist(), []
    while free:
        one = free.pop(0)
        other = min(range(len(free)), key=lambda k: (met[one, free[k]], k))
        pairs.append((one, free.pop(other)))
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


@dataclass(frozen=True, repr=False, eq=False)
class ScheduleSimulation(Result):
    """How a ranking gets better with games.

    Attributes
    ----------
    matches : ndarray of int, shape (n_rounds,)
        Games after each round.
    tau : ndarray, shape (n_rounds,)
        Mean of Kendall's tau with the true order.
    top : ndarray, shape (n_rounds,)
        How often the best item is ranked first.
    kind : str
    """

    matches: npt.NDArray[np.int64]
    tau: Floats
    top: Floats
    kind: str

    def needed(self, tau: float) -> int | None:
        """Games until the mean tau is reached.

        Parameters
        ----------
        tau : float
            Between 0 and 1.

        Returns
        -------
        int or None
            None if it is not reached.
        """
        enough = np.flatnonzero(self.tau >= check_level(tau, "tau"))
        return int(self.matches[enough[0]]) if len(enough) else None

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``matches``, ``tau`` and ``top``, one row a round.

        Returns
        -------
        dict of str to ndarray

        Examples
        --------
        >>> from steelyard.rank import simulate_schedule
        >>> simulate_schedule(4, n_rounds=3, n_repeats=2, rng=0).to_frame()["matches"].tolist()
        [2, 4, 6]
        """
        return {"matches": self.matches, "tau": self.tau, "top": self.top}

    def __repr__(self) -> str:
        return (
            f"ScheduleSimulation ({self.kind}): {len(self.matches)} rounds, {self.matches[-1]:,} games\n"
            f"tau {self.tau[0]:.3f} after {self.matches[0]:,} games, {self.tau[-1]:.3f} after all; "
            f"best item found in {self.top[-1]:.0%}"
        )


def simulate_schedule(
    n_items: int,
    kind: str = "random",
    *,
    n_rounds: int = 20,
    spread: float = 1.0,
    prior: float = 0.5,
    n_repeats: int = 50,
    rng: Any = None,
) -> ScheduleSimulation:
    """Simulate how many games a ranking of so many items needs.

    Strengths are normal with standard deviation `spread`; games follow Bradley and Terry without ties; after
    each round all games so far are fitted by `bradley_terry`.

    Parameters
    ----------
    n_items : int
        At least 2.
    kind : {'random', 'swiss', 'knockout'}, default 'random'
        As for `schedule`. A knockout starts anew when it has a winner, with random seeds.
    n_rounds : int, default 20
    spread : float, default 1
        Natural-log strength; 1 means that of two random items the better wins about 70 % of the games.
    prior : float, default 0.5
    n_repeats : int, default 50
        Simulated tournaments.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional

    Returns
    -------
    ScheduleSimulation

    Examples
    --------
    >>> found = simulate_schedule(8, n_rounds=10, n_repeats=20, rng=0)
    >>> print(found.matches[:3])
    [ 4  8 12]
    """
    n = check_room(check_count(n_items, "n_items", least=2), "n_items", 2)
    kind = check_choice(kind, "kind", KINDS)
    rounds, repeats = check_count(n_rounds, "n_rounds"), check_count(n_repeats, "n_repeats")
    spread = check_positive(spread, "spread")
    prior = check_positive(prior, "prior")
    generator = check_rng(rng)
    runs = [_tournament(n, kind, rounds, spread, prior, generator) for _ in range(repeats)]
    matches, tau, top = (np.array(part, float).mean(axis=0) for part in zip(*runs, strict=True))
    return ScheduleSimulation(matches.astype(np.int64), tau, top, kind)


def _tournament(
    n: int, kind: str, rounds: int, spread: float, prior: float, rng: np.random.Generator
) -> tuple[list[int], list[float], list[float]]:
    import warnings

    from scipy.stats import kendalltau

    from ..._errors import DisconnectedWarning

    strengths = spread * rng.normal(size=n)
    winners, losers = np.zeros(0, np.intp), np.zeros(0, np.intp)
    seeds, since = rng.permutation(n), 0
    matches, taus, tops = [], [], []
    for _ in range(rounds):
        so_far = (winners[since:], losers[since:]) if len(winners) > since else None
        pairs = schedule(seeds if kind == "knockout" else np.arange(n), kind, played=so_far, rng=rng)
        if len(pairs) == 0:
            seeds, since = rng.permutation(n), len(winners)
            pairs = schedule(seeds, kind, rng=rng)
        lead = strengths[pairs[:, 0]] - strengths[pairs[:, 1]]
        with np.errstate(over="ignore"):
            first = rng.random(len(pairs)) < 1 / (1 + np.exp(-lead))
        winners = np.r_[winners, np.where(first, pairs[:, 0], pairs[:, 1])]
        losers = np.r_[losers, np.where(first, pairs[:, 1], pairs[:, 0])]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DisconnectedWarning)  # early rounds never join all items
            fit = bradley_terry(Comparisons.from_pairs(winners, losers, items=np.arange(n)), prior=prior)
        matches.append(len(winners))
        taus.append(float(kendalltau(strengths, fit.strengths).statistic))
        tops.append(float(fit.strengths.argmax() == strengths.argmax()))
    return matches, taus, tops
