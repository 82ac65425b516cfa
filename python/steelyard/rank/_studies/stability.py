"""How much of a ranking would come out again from other samples or votes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import interrupted
from ..._results import Result
from ..._validate import check_choice, check_count, check_flag, check_nonnegative, check_rng, check_room
from ...plotting import plot_estimates
from .._paired import bradley_terry
from .._table import Comparisons, given_labels, read_score_table

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
_BLOCK = 2**22


@dataclass(frozen=True, repr=False, eq=False)
class Stability(Result):
    """Rankings from resampled data beside the one from all of it.

    Attributes
    ----------
    items : ndarray, shape (n,)
    scores : ndarray, shape (n,)
        From all data: strengths, or mean scores.
    rounds : ndarray, shape (n_rounds, n)
        The same from each resample.
    ranks : ndarray of int, shape (n_rounds, n)
        1 is best; equal scores share the better rank.
    taus : ndarray, shape (n_rounds,)
        Kendall's tau-b of each resample's ranking with the full one.
    """

    items: Values
    scores: Floats
    rounds: Floats
    ranks: npt.NDArray[np.int64]
    taus: Floats

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Positions of the items, best first."""
        return np.argsort(-self.scores, kind="stable")

    @property
    def leader(self) -> Any:
        """The item that leads on all data."""
        return self.items[self.order[0]]

    @property
    def lead_probability(self) -> float:
        """Share of the resamples in which the leader leads, alone or with others."""
        return float((self.ranks[:, self.order[0]] == 1).mean())

    @property
    def shifts(self) -> Floats:
        """Mean distance of each item's rank from its rank on all data, shape (n,)."""
        return np.asarray(np.abs(self.ranks - _ranks(self.scores[None])).mean(axis=0))

    def to_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``score``, ``rank``, ``rank_low``, ``rank_high`` (5 % and 95 %), ``shift``, best
        first.

        Returns
        -------
        dict of str to ndarray
        """
        low, high = np.quantile(self.ranks, [0.05, 0.95], axis=0, method="inverted_cdf")
        columns = {
            "item": self.items,
            "score": self.scores,
            "rank": _ranks(self.scores[None])[0],
            "rank_low": low.astype(np.int64),
            "rank_high": high.astype(np.int64),
            "shift": self.shifts,
        }
        return {name: column[self.order] for name, column in columns.items()}

    def plot(self, **options: Any) -> Any:
        """Ranks with those of nine in ten resamples, best on top; see `steelyard.plotting.plot_estimates`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_estimates`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import stability
        >>> scores = [[1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 0.0, 0.2]]
        >>> stability(scores, items=["ann", "ben"], n_rounds=20, rng=0).plot().get_xlabel()
        'rank'
        """
        table = self.to_frame()
        ends = {"lower": table["rank_low"], "upper": table["rank_high"]}
        return plot_estimates({"item": table["item"], "rank": table["rank"], **ends}, **options)

    def __repr__(self) -> str:
        low, high = np.quantile(self.taus, [0.05, 0.95])
        return (
            f"Stability: {len(self.items):,} items, {len(self.rounds):,} resamples\n"
            f"Kendall's tau with the full ranking {self.taus.mean():.3f} ({low:.3f} to {high:.3f})\n"
            f"{self.leader} leads in {self.lead_probability:.0%}; mean shift {self.shifts.mean():.2f} ranks"
        )


def stability(
    data: Any,
    *,
    n_rounds: int = 200,
    method: str = "mean",
    prior: float = 0.0,
    higher_is_better: bool = True,
    items: Any = None,
    rng: Any = None,
    max_memory: float = 4e9,
) -> Stability:
    """Rank resampled data again: would the same items lead?

    Parameters
    ----------
    data : Comparisons, or array_like or scipy.sparse matrix, shape (n_models, n_samples)
        Comparisons are reweighted vote by vote (their clusters, where there are any, are redrawn whole).
        Of a table of scores the samples (prompts) are redrawn with replacement; NaN, or not listed in a
        sparse matrix, is not scored.
    n_rounds : int, default 200
    method : {'mean', 'comparisons'}, default 'mean'
        For a table: rank by the mean of the scores there are, or by `Comparisons.from_scores` and
        `bradley_terry`.
    prior : float, default 0
        Of `bradley_terry`; resampled tables often need one (0.1, say).
    higher_is_better : bool, default True
        For a table.
    items : array_like, shape (n_models,), optional
        Labels for a table; default 0 .. n_models - 1.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    max_memory : float, default 4e9
        Bytes that the rounds may take; more is refused before any work.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        If an argument does not fit the data, or a model has no scores.
    MemoryError
        If the rounds would take more than `max_memory` bytes.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the rounds so far.

    Notes
    -----
    Says how much the ranking depends on which prompts were drawn or who voted, not whether they were the
    right ones. O(n_rounds) times the cost of a ranking.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = rng.normal(size=(3, 400)) + np.array([[0.0], [0.1], [1.0]])
    >>> found = stability(table, items=["a", "b", "c"], rng=0)
    >>> print(found.leader, found.lead_probability)
    c 1.0
    """
    rounds = check_count(n_rounds, "n_rounds")
    method = check_choice(method, "method", ("mean", "comparisons"))
    prior = check_nonnegative(prior, "prior")
    higher = check_flag(higher_is_better, "higher_is_better")
    generator = check_rng(rng)
    if isinstance(data, Comparisons):
        if items is not None or method != "mean" or not higher:
            raise ValueError(
                "method, higher_is_better and items go with a table of scores, not with Comparisons"
            )
        check_room(rounds, "n_rounds", data.n_items, 2, max_memory=max_memory)
        fit = bradley_terry(data, prior=prior)
        kind = "bayesian" if data.cluster is None else "cluster"
        strengths = fit.bootstrap(rounds, method=kind, rng=generator).strengths
        # Who can't be compared in a round ranks behind everybody there.
        return _result(data.items, fit.strengths, np.nan_to_num(strengths, nan=-np.inf))
    table = read_score_table(data, "data")
    labels = np.arange(table.shape[0]) if items is None else given_labels(items, "items")
    if len(labels) != table.shape[0]:
        raise ValueError(f"items must have one label a model ({table.shape[0]}), got {len(labels)}")
    if not len(labels):
        raise ValueError("data must have a row for at least one model")
    check_room(rounds, "n_rounds", table.shape[0], 2, max_memory=max_memory)  # strengths and ranks
    table = table if higher else -table
    if method == "mean":
        return _result(labels, *_means(table, rounds, generator))
    return _by_comparisons(table, labels, rounds, prior, generator)


def _means(table: Any, rounds: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    samples = table.shape[1]
    scored = table.copy()
    scored.data = np.ones(len(table.data))
    counts = np.asarray(scored.sum(axis=1)).ravel()
    if (counts == 0).any():
        raise ValueError(f"data has no scores of model {int(np.flatnonzero(counts == 0)[0])}")
    full = np.asarray(table.sum(axis=1)).ravel() / counts
    out = np.empty((rounds, table.shape[0]))
    step = max(1, _BLOCK // max(samples, 1))
    for k in range(0, rounds, step):
        draws = rng.multinomial(samples, np.full(samples, 1 / samples), size=min(step, rounds - k)).astype(
            float
        )
        total, number = (table @ draws.T).T, (scored @ draws.T).T
        # A model that no drawn sample scored ranks last.
        out[k : k + step] = np.where(number > 0, total / np.maximum(number, 1), -np.inf)
    return full, out


def _by_comparisons(
    table: Any, labels: Values, rounds: int, prior: float, rng: np.random.Generator
) -> Stability:
    full = bradley_terry(Comparisons.from_scores(table, items=labels), prior=prior)
    samples, done = table.shape[1], []
    try:
        for _ in range(rounds):
            drawn = table[:, rng.integers(0, samples, samples)]
            done.append(
                bradley_terry(Comparisons.from_scores(drawn, items=labels), prior=prior, init=full).strengths
            )
    except KeyboardInterrupt:
        partial = _result(labels, full.strengths, np.array(done)) if done else None
        raise interrupted(partial) from None
    return _result(labels, full.strengths, np.array(done))


def _ranks(scores: Floats) -> npt.NDArray[np.int64]:
    """1 + number of better items, row by row."""
    ordered = np.sort(-scores, axis=1)
    return np.stack(
        [1 + np.searchsorted(row, -own, side="left") for row, own in zip(ordered, scores, strict=True)]
    )


def _result(items: Values, scores: Floats, rounds: Floats) -> Stability:
    from scipy.stats import kendalltau

    taus = np.array([kendalltau(scores, row).statistic for row in rounds])
    return Stability(items, np.asarray(scores), rounds, _ranks(rounds), np.nan_to_num(taus, nan=0.0))
