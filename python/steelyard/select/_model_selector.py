"""The best of many classifiers, from few labels."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._spelling import shown
from .._validate import check_count, check_number, check_rng, check_threads, refuse_masked

Floats = npt.NDArray[np.float64]

_GRID = (0.20, 0.30, 0.35, 0.40, 0.43, 0.46, 0.48)
_REPLAYED = 1000  # items of a replay
_REPLAYS = 3


@dataclass(frozen=True)
class Told:
    """One label.

    Attributes
    ----------
    item : int
    label : object
    leader : int
        The model believed best afterwards.
    belief : float
        In it.
    """

    item: int
    label: Any
    leader: int
    belief: float


class ModelSelector:
    """Asks for the labels that tell most of which model is best.

    Parameters
    ----------
    predictions : array_like, shape (n_items, n_models)
        Predicted classes: integers, strings or booleans.
    epsilon : float or 'auto', default 'auto'
        How often the best model is taken to err, in (0, 0.5): the smaller, the more a label changes. 'auto'
        replays the selection with the models' majority vote as labels, on up to 1,000 items, for seven
        values, and takes the one that settles soonest on the vote's best model.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Of the items of the replay.
    n_threads : int, optional

    Attributes
    ----------
    epsilon : float
    history : list of Told
        Labels so far.

    Notes
    -----
    A model that predicts the label gains the factor (1 - epsilon) / epsilon. `ask` returns the item after
    whose label the beliefs' entropy is least in the mean over classes; O(items models) a step.

    References
    ----------
    P. Okanovic et al., "All Models Are Wrong, Some Are Useful: Model Selection with Limited Labels", AISTATS
    (2025).

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.arange(100) % 3
    >>> predictions = np.stack([truth, np.roll(truth, 1), np.zeros(100, int)], axis=1)
    >>> selector = ModelSelector(predictions, epsilon=0.3)
    >>> for _ in range(5):
    ...     item = selector.ask()
    ...     selector.tell(item, truth[item])
    >>> print(selector.leader)
    0
    """

    def __init__(
        self,
        predictions: Any,
        epsilon: float | str = "auto",
        *,
        rng: Any = None,
        n_threads: int | None = None,
    ) -> None:
        array = refuse_masked(predictions, "predictions")
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(f"predictions must have shape (n_items, n_models), got {array.shape}")
        if array.dtype.kind == "f" and (array == np.rint(array)).all() and (np.abs(array) < 2.0**53).all():
            array = array.astype(np.int64)
        if array.dtype.kind not in "biuUSO":
            raise TypeError(
                f"predictions must hold classes (whole numbers or strings), got dtype {array.dtype}"
            )
        if array.dtype.kind == "O" and any(x is None or x != x for x in array.ravel().tolist()):
            raise ValueError("predictions has missing entries")
        self._threads = check_threads(n_threads)
        self._classes, codes = np.unique(array, return_inverse=True)
        self._codes = codes.reshape(array.shape).astype(np.int32)
        self._log_belief = np.zeros(array.shape[1])
        self._open = np.ones(array.shape[0], dtype=bool)
        self.history: list[Told] = []
        if isinstance(epsilon, str):
            if epsilon != "auto":
                raise ValueError(f"epsilon must be a number or 'auto', got {shown(epsilon)}")
            self.epsilon = _replayed(self._codes, len(self._classes), check_rng(rng), self._threads)
        else:
            self.epsilon = check_number(epsilon, "epsilon")
            if not 0 < self.epsilon < 0.5:
                raise ValueError(f"epsilon must lie between 0 and 0.5, got {self.epsilon}")

    def __repr__(self) -> str:
        items, models = len(self._open), len(self._log_belief)
        return (
            f"ModelSelector: {models:,} models, {items:,} items, {len(self.history):,} labels; leader "
            f"{self.leader} with belief {self.posterior.max():.3f}"
        )

    @property
    def posterior(self) -> Floats:
        """Belief in each model; they add up to 1."""
        belief = np.exp(self._log_belief - self._log_belief.max())
        return np.asarray(belief / belief.sum())

    @property
    def leader(self) -> int:
        """The model believed best, the first of equals."""
        return int(self._log_belief.argmax())

    def ask(self) -> int:
        """The item whose label to ask for next, the first of equals.

        Raises
        ------
        ValueError
            If all items have labels.
        """
        rows = np.flatnonzero(self._open)
        if len(rows) == 0:
            raise ValueError("all items have labels")
        codes = self._codes if len(rows) == len(self._open) else self._codes[rows]
        gain = (1.0 - self.epsilon) / self.epsilon
        entropy = _core.select._expected_entropies(
            codes, len(self._classes), self.posterior, gain, n_threads=self._threads
        )
        return int(rows[entropy.argmin()])

    def tell(self, item: int, label: Any) -> None:
        """Take in a label, of the item that was asked for or of another.

        Parameters
        ----------
        item : int
        label : class
            One that no model predicts changes no belief.

        Raises
        ------
        ValueError
            If there is no such item, or it has a label.
        """
        if check_count(item, "item", least=0) >= len(self._open):
            raise ValueError(f"item must lie in 0 .. {len(self._open) - 1}, got {shown(item)}")
        if not self._open[item]:
            raise ValueError(f"item {item} has a label")
        if isinstance(label, list | tuple | set | dict) or (isinstance(label, np.ndarray) and label.ndim > 0):
            raise TypeError(f"label must be one class, got {shown(label)}")
        numeric = self._classes.dtype.kind in "biu"
        if self._classes.dtype.kind != "O" and isinstance(label, numbers.Number | np.bool_) != numeric:
            kind = "numbers" if numeric else "strings"
            raise TypeError(
                f"label must be one of the {kind} that models predict, or alike, got {shown(label)}"
            )
        code = np.flatnonzero(self._classes == label)
        if len(code):
            gain = np.log((1.0 - self.epsilon) / self.epsilon)
            self._log_belief += gain * (self._codes[item] == code[0])
            self._log_belief -= self._log_belief.max()
        self._open[item] = False
        self.history.append(Told(int(item), label, self.leader, float(self.posterior.max())))


def _replayed(codes: npt.NDArray[np.int32], classes: int, rng: np.random.Generator, threads: int) -> float:
    """The epsilon that settles soonest on the majority vote's best model."""
    labels_needed = np.zeros(len(_GRID))
    for _ in range(_REPLAYS):
        rows = rng.choice(len(codes), min(len(codes), _REPLAYED), replace=False)
        some = np.ascontiguousarray(codes[rows])
        votes = np.stack([(some == c).sum(axis=1) for c in range(classes)], axis=1).argmax(axis=1)
        right = (some == votes[:, None]).sum(axis=0)
        best = right == right.max()
        for k, epsilon in enumerate(_GRID):
            labels_needed[k] += _labels_until(some, votes, best, epsilon, threads)
    return _GRID[int(labels_needed.argmin())]


def _labels_until(
    codes: npt.NDArray[np.int32], votes: Any, best: npt.NDArray[np.bool_], epsilon: float, threads: int
) -> int:
    """Labels after which the leader is one of the best for good, within a tenth of the items."""
    selector = ModelSelector(codes, epsilon, n_threads=threads)
    limit = max(10, len(codes) // 10)
    last_wrong = 0
    for step in range(1, min(limit, len(codes)) + 1):
        item = selector.ask()
        selector.tell(item, votes[item])
        if not best[selector.leader]:
            last_wrong = step
    return last_wrong
