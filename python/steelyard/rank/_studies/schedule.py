"""Who should meet whom next, and how many games a ranking needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._results import Result
from ..._validate import check_choice, check_count, check_level, check_positive, check_rng, check_room
from .._paired import BradleyTerryFit, bradley_terry
from .._table import Comparisons, given_labels, read_games
from .information import GOALS, check_costs, check_fit, most_telling

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.intp]
_DRAWS = 2000  # behind sets of ranks
KINDS = ("random", "swiss", "knockout", "information")


def schedule(
    items: Any = None,
    kind: str = "random",
    *,
    n_rounds: int = 1,
    played: tuple[Any, ...] | None = None,
    fit: BradleyTerryFit | None = None,
    size: int | None = None,
    goal: str = "ranks",
    top: int = 1,
    costs: Any = None,
    rng: Any = None,
) -> Values:
    """Games to play next.

    Parameters
    ----------
    items : array_like, shape (n,)
        Labels, at least two. For 'knockout' in the order of their seeds, best first. For 'information' those
        of the fit that may meet; default all.
    kind : {'random', 'swiss', 'knockout', 'information'}, default 'random'
        - 'random': rounds of a round robin in random order, those first whose pairs have met least.
        - 'swiss': one round: from the top each takes the nearest in points whom it has met least.
        - 'knockout': one round of those who have not lost; the best seed meets the worst, and seeds are let
          through first until their number is a power of two. Nothing is left to play once one remains.
        - 'information': the pairs whose outcome tells most for `goal`, given `fit`, the most telling first.

        With an odd number one sits out; under 'swiss' the last in points.
    n_rounds : int, default 1
        For 'random'.
    played : (winner, loser) or (winner, loser, tie), optional
        Games so far, as for `Comparisons.from_pairs`; a tie is half a point. For 'information' they are in
        the fit.
    fit : BradleyTerryFit, optional
        What is known, for 'information', of at most 3,000 items; with a prior some may hardly have played.
    size : int, optional
        Pairs for 'information', none twice; default half as many as items.
    goal : {'ranks', 'top', 'all'}, default 'ranks'
        Narrow sets of ranks for all; who belongs to the best `top`; or small errors of all differences.
    top : int, default 1
        For ``goal='top'``.
    costs : array_like, shape (n, n), optional
        Of a game of each two items of the fit, symmetric; infinite where two can't meet. What a pair tells is
        divided by it.
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
    TypeError
        If 'information' is asked for without a fit of pairs.

    Notes
    -----
    'information' takes the normal law with the inverse Hessian V at the fit. A game of i and j adds Fisher's
    information h (e_i - e_j)(e_i - e_j)' to the inverse of V; the pair that lowers the sum of weighted
    variances of differences most comes first, and the next is chosen as if its outcome were known. 'all'
    weighs all differences alike. 'ranks' weighs one that is z standard errors wide by how soon it can be
    settled at the simultaneous quantile q: z / (variance sqrt(q^2 - z^2 + 6)), and less beyond q; 'top' those
    alone of one of the best with another item. O(n^3 + size n^2) time.

    Outcomes that were asked for because of earlier ones leave estimates as good as ever, to first order;
    `simulate_schedule` shows how often the rank sets hold.

    Examples
    --------
    >>> print(schedule(["a", "b", "c", "d"], "knockout"))
    [['a' 'd']
     ['b' 'c']]
    >>> print(schedule(["a", "b", "c", "d"], "knockout", played=(["a", "c"], ["d", "b"])))
    [['a' 'c']]

    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> wins = [[0, 9, 9, 9], [3, 0, 8, 9], [3, 4, 0, 7], [1, 2, 5, 0]]
    >>> fit = bradley_terry(Comparisons.from_counts(wins, items=["a", "b", "c", "d"]))
    >>> print(schedule(kind="information", fit=fit, size=2))
    [['b' 'd']
     ['a' 'b']]
    """
    kind = check_choice(kind, "kind", KINDS)
    if kind == "information":
        return _informed(items, fit, size, goal, top, costs)
    for name, value in (("fit", fit), ("size", size), ("costs", costs)):
        if value is not None:
            raise ValueError(f"{name} goes with kind='information', got kind={kind!r}")
    labels = given_labels(items, "items")
    if len(labels) < 2:
        raise ValueError(f"items must hold at least two labels, got {len(labels)}")
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


def _informed(items: Any, fit: Any, size: Any, goal: Any, top: Any, costs: Any) -> Values:
    known = check_fit(fit)
    among = np.arange(len(known)) if items is None else known.positions(items)
    if len(among) < 2:
        raise ValueError(f"items must hold at least two labels, got {len(among)}")
    wanted = check_choice(goal, "goal", GOALS)
    best = check_count(top, "top")
    if best >= len(known):
        raise ValueError(f"top must be less than the {len(known)} items of fit, got {best}")
    count = len(among) // 2 if size is None else check_count(size, "size")
    return known.items[most_telling(known, among, count, wanted, best, check_costs(costs, len(known)))]


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
    width : ndarray, shape (n_rounds,), or None
        Mean number of ranks that an item's set of ranks holds beside one, where `level` was given.
    top_width : ndarray, shape (n_rounds,), or None
        The same of the sets of the best `top` items alone.
    coverage : ndarray, shape (n_rounds,), or None
        How often all sets of ranks held the true ranks.
    """

    matches: npt.NDArray[np.int64]
    tau: Floats
    top: Floats
    kind: str
    width: Floats | None = None
    top_width: Floats | None = None
    coverage: Floats | None = None

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
        """Columns ``matches``, ``tau`` and ``top``, one row a round, and those of rank sets.

        Returns
        -------
        dict of str to ndarray

        Examples
        --------
        >>> from steelyard.rank import simulate_schedule
        >>> simulate_schedule(4, n_rounds=3, n_repeats=2, rng=0).to_frame()["matches"].tolist()
        [2, 4, 6]
        """
        table: dict[str, npt.NDArray[Any]] = {"matches": self.matches, "tau": self.tau, "top": self.top}
        sets = {"width": self.width, "top_width": self.top_width, "coverage": self.coverage}
        return {**table, **{name: column for name, column in sets.items() if column is not None}}

    def __repr__(self) -> str:
        return (
            f"ScheduleSimulation ({self.kind}): {len(self.matches)} rounds, {self.matches[-1]:,} games\n"
            f"tau {self.tau[0]:.3f} after {self.matches[0]:,} games, {self.tau[-1]:.3f} after all; "
            f"best item found in {self.top[-1]:.0%}"
            + (
                ""
                if self.width is None
                else f"; rank sets {self.width[0]:.1f} wide, then {self.width[-1]:.1f}"
            )
        )


def simulate_schedule(
    n_items: int,
    kind: str = "random",
    *,
    n_rounds: int = 20,
    spread: float = 1.0,
    prior: float = 0.5,
    n_repeats: int = 50,
    size: int | None = None,
    goal: str = "ranks",
    top: int = 1,
    level: float | None = None,
    max_memory: float = 4e9,
    rng: Any = None,
) -> ScheduleSimulation:
    """Simulate how many games a ranking of so many items needs.

    Strengths are normal with standard deviation `spread`; games follow Bradley and Terry without ties; after
    each round all games so far are fitted by `bradley_terry`.

    Parameters
    ----------
    n_items : int
        At least 2.
    kind : {'random', 'swiss', 'knockout', 'information'}, default 'random'
        As for `schedule`. A knockout starts anew when it has a winner, with random seeds; 'information'
        begins with a random round.
    n_rounds : int, default 20
    spread : float, default 1
        Natural-log strength; 1 means that of two random items the better wins about 70 % of the games.
    prior : float, default 0.5
    n_repeats : int, default 50
        Simulated tournaments. Under one seed every kind plays between the same strengths.
    size : int, optional
        Games a round, for 'random' (so many of a round robin or several) and 'information'; default half as
        many as items.
    goal : {'ranks', 'top', 'all'}, default 'ranks'
        As for `schedule`, of 'information'.
    top : int, default 1
        For ``goal='top'``, and for `top_width`.
    level : float, optional
        Of simultaneous sets of ranks, whose `width`, `top_width` and `coverage` are then found after each
        round.
    max_memory : float, default 4e9
        Bytes that the games, the results of all repeats and the draws behind sets of ranks may take; more
        ends in a MemoryError before any work.
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
    if size is not None and kind not in ("random", "information"):
        raise ValueError(f"size goes with kind='random' and 'information', got kind={kind!r}")
    count = None if size is None else check_count(size, "size")
    if kind == "information" and (count or 1) > n * (n - 1) // 2:
        raise ValueError(f"size must be at most the number of pairs, {n * (n - 1) // 2}, got {count}")
    best = check_count(top, "top")
    if best >= n:
        raise ValueError(f"top must be less than n_items={n}, got {best}")
    rules = {"size": count, "goal": check_choice(goal, "goal", GOALS), "top": best}
    sure = None if level is None else check_level(level)
    check_room(rounds, "n_rounds", 2 * (count or (n + 1) // 2), max_memory=max_memory)
    check_room(repeats, "n_repeats", n + 5 * rounds, max_memory=max_memory)
    check_room(n, "n_items", 2 if sure is None else _DRAWS, max_memory=max_memory)
    generator = check_rng(rng)
    with np.errstate(over="ignore"):
        arenas = spread * generator.normal(size=(repeats, n))  # the same for every kind
    if not np.isfinite(arenas).all():
        raise ValueError(f"spread={spread:g} makes strengths beyond float64; it is in logits")
    runs = [_tournament(one, kind, rounds, prior, rules, sure, generator) for one in arenas]
    matches, tau, first, *sets = (np.array(part, float).mean(axis=0) for part in zip(*runs, strict=True))
    return ScheduleSimulation(matches.astype(np.int64), tau, first, kind, *(sets if sure else ()))


def _tournament(
    strengths: Floats,
    kind: str,
    rounds: int,
    prior: float,
    rules: dict[str, Any],
    level: float | None,
    rng: np.random.Generator,
) -> tuple[list[float], ...]:
    """After each round: games, tau, whether the best is first, and the width and truth of rank sets."""
    import warnings

    from scipy.stats import kendalltau

    from ..._errors import DisconnectedWarning

    n = len(strengths)
    winners, losers = np.zeros(0, np.intp), np.zeros(0, np.intp)
    seeds, since, fit = rng.permutation(n), 0, None
    rows: list[tuple[float, ...]] = []
    for _ in range(rounds):
        so_far = (winners[since:], losers[since:]) if len(winners) > since else None
        if kind == "information" and fit is not None:
            pairs = schedule(kind=kind, fit=fit, **rules)
        elif kind in ("random", "information"):
            pairs = _random_batch(n, rules["size"], so_far, rng)
        else:
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
        tau = float(kendalltau(strengths, fit.strengths).statistic)
        row = (float(len(winners)), tau, float(fit.strengths.argmax() == strengths.argmax()))
        rows.append(row if level is None else (*row, *_sets(fit, strengths, level, rules["top"])))
    return tuple(list(column) for column in zip(*rows, strict=True))


def _random_batch(n: int, size: int | None, played: Any, rng: np.random.Generator) -> Pairs:
    """So many games of random rounds; one round where no number is given."""
    if size is None:
        return schedule(np.arange(n), played=played, rng=rng)
    rounds = -(-size // (n // 2))
    return schedule(np.arange(n), n_rounds=rounds, played=played, rng=rng)[:size]


def _sets(fit: BradleyTerryFit, strengths: Floats, level: float, top: int) -> tuple[float, float, float]:
    """Width of the rank sets, of those of the best, and whether all hold."""
    sets = fit.rank_intervals(level, draws=_DRAWS)
    true = np.empty(len(strengths))
    true[np.argsort(-strengths)] = np.arange(1, len(strengths) + 1)
    holds = (sets.lower <= true) & (true <= sets.upper)
    width = sets.upper - sets.lower
    return float(width.mean()), float(width[true <= top].mean()), float(holds.all())
