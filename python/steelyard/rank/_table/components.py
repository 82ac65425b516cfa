"""Which items can be compared, and in words, which can't and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._results import Result
from ..._validate import check_count

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, repr=False)
class ComponentReport(Result):
    """Weak and strong components of the graph of wins.

    Two items are in one weak component if a chain of comparisons joins them, in one strong component if
    chains of wins (or ties, where they count) lead both ways.

    Attributes
    ----------
    items : ndarray, shape (n_items,)
        Labels.
    weak, strong : ndarray of int32, shape (n_items,)
        Number of the component of each item, by first occurrence.
    n_weak, n_strong : int
        How many there are.
    weak_sizes, strong_sizes : ndarray of intp
        Items in each.

    Examples
    --------
    >>> from steelyard.rank import Comparisons
    >>> report = Comparisons.from_pairs(["ann", "cat"], ["ben", "dan"]).components()
    >>> report.n_weak, report.n_strong
    (2, 4)
    """

    items: npt.NDArray[Any]
    weak: Labels
    strong: Labels
    n_weak: int
    n_strong: int
    _beat_others: npt.NDArray[np.bool_] = field(repr=False)  # of strong components
    _lost_to_others: npt.NDArray[np.bool_] = field(repr=False)

    @property
    def weak_sizes(self) -> npt.NDArray[np.intp]:
        """Number of items of each weak component."""
        return np.bincount(self.weak, minlength=self.n_weak)

    @property
    def strong_sizes(self) -> npt.NDArray[np.intp]:
        """Number of items of each strong component."""
        return np.bincount(self.strong, minlength=self.n_strong)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``item``, ``weak`` and ``strong``.

        Returns
        -------
        dict of str to ndarray

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> report = Comparisons.from_pairs(["ann", "cat"], ["ben", "dan"]).components()
        >>> report.to_frame()["weak"].tolist()
        [0, 0, 1, 1]
        """
        return {"item": self.items, "weak": self.weak, "strong": self.strong}

    def __repr__(self) -> str:
        return f"ComponentReport({self.describe()})"

    def describe(self, limit: int = 5) -> str:
        """Who can't be compared with whom, and why.

        Parameters
        ----------
        limit : int, default 5
            Most names, and most groups, to list of a kind.

        Returns
        -------
        str
            Sentences in one line.

        Examples
        --------
        >>> from steelyard.rank import Comparisons
        >>> table = Comparisons.from_pairs(["ann", "ben", "cat"], ["ben", "ann", "ann"])
        >>> print(table.components().describe())
        The 3 items fall into 2 strong components, the largest of 2 items. cat never lost.
        """
        limit = check_count(limit, "limit")
        if self.n_strong == 1:
            return f"All {len(self.items)} items are joined by chains of wins."
        return " ".join([self._headline(), *self._reasons(limit)])

    def _headline(self) -> str:
        weak = f"{self.n_weak} weak and " if self.n_weak > 1 else ""
        largest = int(self.strong_sizes.max())
        of = f"{largest} items" if largest > 1 else "1 item"
        components = f"{weak}{self.n_strong} strong components"
        return f"The {len(self.items)} items fall into {components}, the largest of {of}."

    def _reasons(self, limit: int) -> Iterator[str]:
        main = int(np.argmax(self.weak_sizes))
        yield from self._apart(main, limit)
        strong_sizes = self.strong_sizes
        home = np.zeros(self.n_strong, dtype=np.int32)  # weak component of each strong one
        home[self.strong] = self.weak
        core = int(np.argmax(np.where(home == main, strong_sizes, -1)))
        inner = (home == main) & (np.arange(self.n_strong) != core)
        if strong_sizes[core] == 1:
            inner[core] = True  # no component stands out
        never_lost, never_won = ~self._lost_to_others, ~self._beat_others
        single = strong_sizes == 1
        yield from self._singles(inner & single & never_lost, "never lost", limit)
        yield from self._singles(inner & single & never_won, "never won", limit)
        yield from self._groups(inner & ~single & never_lost, "never lost to anyone else", limit)
        yield from self._groups(inner & ~single & never_won, "never beat anyone else", limit)
        yield from self._singles(
            inner & ~never_lost & ~never_won, "won and lost, but in no circle of wins with the rest", limit
        )

    def _apart(self, main: int, limit: int) -> Iterator[str]:
        """Weak components other than the main one, largest first."""
        sizes = self.weak_sizes
        idle = sizes == 1
        idle[main] = False
        if idle.any():
            yield f"{self._names(idle[self.weak], limit)} never played."
        others = [int(k) for k in np.argsort(-sizes, kind="stable") if k != main and sizes[k] > 1]
        for k in others[:limit]:
            yield f"{self._names(self.weak == k, limit)} never met the others."
        if len(others) > limit:
            yield f"So it is with {len(others) - limit} more groups."

    def _singles(self, components: npt.NDArray[np.bool_], what: str, limit: int) -> Iterator[str]:
        if components.any():
            yield f"{self._names(components[self.strong], limit)} {what}."

    def _groups(self, components: npt.NDArray[np.bool_], what: str, limit: int) -> Iterator[str]:
        found = np.flatnonzero(components)
        found = found[np.argsort(-self.strong_sizes[found], kind="stable")]
        for k in found[:limit]:
            yield f"{self._names(self.strong == k, limit)} {what}."
        if len(found) > limit:
            yield f"So it is with {len(found) - limit} more groups."

    def _names(self, which: npt.NDArray[np.bool_], limit: int) -> str:
        names = [str(x) for x in self.items[which][:limit]]
        more = int(which.sum()) - len(names)
        if more:
            return f"{', '.join(names)} and {more} more"
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def find_components(
    items: npt.NDArray[Any],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    forward: npt.NDArray[np.float64],
    backward: npt.NDArray[np.float64],
) -> ComponentReport:
    """`forward` is what left won of right, `backward` what it lost; ties in both, where they count."""
    met = (forward > 0) | (backward > 0)
    if not met.all():
        left, right, forward, backward = left[met], right[met], forward[met], backward[met]
    weak, n_weak = _core.rank._weak_components(left, right, len(items))
    strong, n_strong = _core.rank._strong_components(left, right, forward, backward, len(items))
    across = strong[left] != strong[right]
    a, b = strong[left[across]], strong[right[across]]
    left_won = forward[across] > 0  # between components only one side can have won
    beat, lost = np.zeros(n_strong, dtype=bool), np.zeros(n_strong, dtype=bool)
    beat[np.where(left_won, a, b)] = True
    lost[np.where(left_won, b, a)] = True
    weak.flags.writeable = strong.flags.writeable = False
    return ComponentReport(items, weak, strong, n_weak, n_strong, beat, lost)
