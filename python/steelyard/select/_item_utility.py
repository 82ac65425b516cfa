"""Which items are worth a human judgement: what a metric's scores of them say, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import warn
from .._results import Result
from .._validate import check_choice, check_positive, check_vector, real_array
from ._sample import Floats

_KINDS = ("variance", "consistency", "diversity", "information")
_FAR = 1e70
_MOST_RATIO = 1e12  # of signal to noise, where a score tells the others without error


@dataclass(frozen=True, repr=False, eq=False)
class ItemChoice(Result):
    """Items chosen for a budget.

    Attributes
    ----------
    indices : ndarray, shape (n_chosen,)
        Most useful a unit of cost first.
    utility, cost : float
        Of what was chosen, together.
    upper_bound : float
        No choice of the same budget has more utility: that of whole and broken items.
    """

    indices: npt.NDArray[np.intp]
    utility: float
    cost: float
    upper_bound: float

    def __repr__(self) -> str:
        share = self.utility / self.upper_bound if self.upper_bound > 0 else 1.0
        return (
            f"ItemChoice: {len(self.indices):,} items for {self.cost:.6g}, at least {100 * share:.2f} % of "
            "the most utility"
        )


@dataclass(frozen=True, repr=False, eq=False)
class ItemUtility(Result):
    """How much each item tells which model is better.

    Attributes
    ----------
    kind : str
    values : ndarray, shape (n_items,)
    costs : ndarray, shape (n_items,)
        1 an item where none were given.
    """

    kind: str
    values: Floats
    costs: Floats

    def __repr__(self) -> str:
        return (
            f"ItemUtility: {len(self.values):,} items by {self.kind}, from {self.values.min():.4g} to "
            f"{self.values.max():.4g}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``item``, ``utility`` and ``cost``, in the order of the items."""
        return {"item": np.arange(len(self.values)), "utility": self.values, "cost": self.costs}

    def choose(self, budget: float) -> ItemChoice:
        """The items that are most useful together within a budget of cost.

        Parameters
        ----------
        budget : float
            Of cost; the number of items where costs are 1.

        Returns
        -------
        ItemChoice
            Greedy by utility a unit of cost, or the one best item where that is more; items of no utility
            are never chosen. With equal costs this is the best choice. Else it has at least half the utility
            of the best, and `upper_bound` says what is proven of this one.

        Raises
        ------
        ValueError
            If the budget pays for no item.

        Examples
        --------
        >>> found = item_utility([[0.1, 0.9, 0.5], [0.2, 0.1, 0.5]], "variance", cost=[10, 30, 10])
        >>> print(found.choose(30).indices)
        [1]
        """
        limit = check_positive(budget, "budget")
        if limit < self.costs.min():
            raise ValueError(f"budget must pay for one item at least, of {self.costs.min():g}, got {limit:g}")
        useful = np.flatnonzero((self.values > 0) & (self.costs <= limit))
        order = useful[np.argsort(-self.values[useful] / self.costs[useful], kind="stable")]
        spent = np.cumsum(self.costs[order])
        whole = int(np.searchsorted(spent, limit, side="right"))
        bound = float(self.values[order[:whole]].sum())
        if whole < len(order):
            left = limit - (float(spent[whole - 1]) if whole else 0.0)
            bound += float(self.values[order[whole]] * left / self.costs[order[whole]])
        chosen, room = list(order[:whole]), limit - (float(spent[whole - 1]) if whole else 0.0)
        for item in order[whole:]:
            if self.costs[item] <= room:
                chosen.append(item)
                room -= float(self.costs[item])
        picked = np.array(chosen, dtype=np.intp)
        best = order[self.values[order].argmax()] if len(order) else None
        if best is not None and self.values[best] > self.values[picked].sum():
            picked = np.array([best], dtype=np.intp)
        return ItemChoice(
            picked, float(self.values[picked].sum()), float(self.costs[picked].sum()), bound * (1 + 1e-12)
        )


def item_utility(scores: Any, kind: str = "consistency", *, cost: Any = None) -> ItemUtility:
    """Which items people should judge, from scores that a metric gave (after subset2evaluate).

    Parameters
    ----------
    scores : array_like, shape (n_models, n_items), or (n_models, n_items, n_features) for 'diversity'
        Of a metric on each model's output; or, for 'diversity', embeddings of the outputs.
    kind : {'consistency', 'variance', 'diversity', 'information'}, default 'consistency'
        'consistency': Kendall's tau-c of the item's scores with the models' mean scores over the other items.
        'variance': of the item's scores over models. 'diversity': mean distance of two models' scores or
        embeddings. 'information': of the item about a model's mean over the other items, r^2 / (1 - r^2) for
        the correlation r, where r is positive.
    cost : array_like, shape (n_items,), optional
        Of judging an item, such as its words; positive.

    Returns
    -------
    ItemUtility
        ``.choose(budget)`` gives the items.

    Raises
    ------
    ValueError
        If there are fewer than two models, scores are missing or infinite, or costs are not positive.

    Warns
    -----
    UserWarning
        If all models have the same scores.

    Notes
    -----
    Such items rank models; they do not estimate scores, for which the chance of an item to be chosen must be
    known: use `plan_items`. 'consistency' costs O(n_models^2 n_items), the others O(n_models n_items), and
    'diversity' O(n_models^2 n_items n_features).

    References
    ----------
    V. Zouhar et al., "How to Select Datapoints for Efficient Human Evaluation of NLG Models?" (2025).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> quality = np.linspace(-1, 1, 6)[:, None]
    >>> scores = np.where(np.arange(40) < 10, quality, 0) + 0.3 * rng.normal(size=(6, 40))
    >>> chosen = item_utility(scores).choose(10).indices
    >>> print(int((chosen < 10).sum()), "of 10")
    10 of 10
    """
    check_choice(kind, "kind", _KINDS)
    array = real_array(scores, "scores")
    wanted = (2, 3) if kind == "diversity" else (2,)
    if array.ndim not in wanted or array.shape[0] < 2 or 0 in array.shape:
        raise ValueError(
            "scores must have shape (n_models, n_items) with two models at least"
            f"{', or (n_models, n_items, n_features)' if kind == 'diversity' else ''}, got {array.shape}"
        )
    S = array.astype(np.float64)
    if not (np.abs(S) <= _FAR).all():
        raise ValueError("scores has entries that are NaN, infinite or beyond +-1e70; leave such items out")
    items = S.shape[1]
    if cost is None:
        costs = np.ones(items)
    else:
        costs = check_vector(cost, "cost", length=items)
        if not 0 < costs.min() <= costs.max() <= _FAR:
            raise ValueError("cost must be positive and at most 1e70 for every item")
    if kind == "variance":
        values = S.var(axis=0, ddof=1)
    else:
        values = {"consistency": _consistency, "diversity": _diversity, "information": _information}[kind](S)
    if not np.ptp(S, axis=0).any():
        warn(
            "all models have the same scores: no item tells which is better, none can be chosen", UserWarning
        )
    return ItemUtility(kind, np.asarray(values), costs)


def _rest(S: Floats) -> Floats:
    """Each model's mean over the other items; over the one item where there is no other."""
    n = S.shape[1]
    return S if n == 1 else (S.sum(axis=1, keepdims=True) - S) / (n - 1)


def _consistency(S: Floats) -> Floats:
    """Kendall's tau-c: 2 (concordant - discordant) / (n^2 (m - 1) / m), m the fewer of distinct values."""
    models, rest = len(S), _rest(S)
    slack = 1e-12 * np.abs(S).max(axis=1).sum()  # means that are equal but for rounding
    score = np.zeros(S.shape[1])
    for i in range(1, models):
        lead = rest[i] - rest[:i]
        score += (np.sign(S[i] - S[:i]) * np.where(np.abs(lead) <= slack, 0.0, np.sign(lead))).sum(axis=0)
    steps = 1 + (np.diff(np.sort(S, axis=0), axis=0) > 0).sum(axis=0)
    apart = 1 + (np.diff(np.sort(rest, axis=0), axis=0) > slack).sum(axis=0)
    fewer = np.minimum(steps, apart)
    return np.where(fewer > 1, 2.0 * score * fewer / (models**2 * np.maximum(fewer - 1, 1)), 0.0)


def _diversity(S: Floats) -> Floats:
    models = len(S)
    if S.ndim == 2:  # sorted scores: each gap lies between k below and the others above
        k = np.arange(1, models)[:, None]
        total = (np.diff(np.sort(S, axis=0), axis=0) * k * (models - k)).sum(axis=0)
    else:
        total = np.zeros(S.shape[1])
        for i in range(1, models):
            total += np.linalg.norm(S[i] - S[:i], axis=2).sum(axis=0)
    return np.asarray(total / (0.5 * models * (models - 1)))


def _information(S: Floats) -> Floats:
    rest = _rest(S)
    a, b = S - S.mean(axis=0), rest - rest.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    told = size > 1e-12 * np.abs(S).max(initial=0.0) ** 2 * len(S)
    r = np.divide((a * b).sum(axis=0), size, out=np.zeros(S.shape[1]), where=told)
    r = np.clip(r, 0.0, 1.0)
    return np.asarray(r**2 / np.maximum(1.0 - r**2, 1.0 / _MOST_RATIO))
