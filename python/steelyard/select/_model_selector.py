"""The best of many classifiers, from few labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._sampling import by_inversion
from .._spelling import shown
from .._validate import check_choice, check_count, check_number, check_rng, check_threads, refuse_masked
from ._sensitivity import mixed
from ._votes import VoteEstimate

Floats = npt.NDArray[np.float64]

_GRID = (0.20, 0.30, 0.35, 0.40, 0.43, 0.46, 0.48)
_REPLAYED = 1000  # items of a replay
_REPLAYS = 3
_EPSILON = 0.35
_EVEN = 0.3  # share of the draws that goes evenly to all contested items
_ROUNDING = 1e-12


@dataclass
class _Drawn:
    """An item that was asked for, or told unasked; the order of the draws counts, not of the labels."""

    item: int
    chance: float | None
    code: int | None = None  # of its label, once told


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
        Predicted classes: integers (whole floats are taken as such), strings or booleans.
    epsilon : float or 'auto', default 'auto'
        How often the best model is taken to err, in (0, 0.5): the smaller, the more a label changes. 'auto':
        0.35 for rule='unbiased', on which little depends there; for rule='entropy' it replays the selection
        with the models' majority vote as labels, on up to 1,000 items, for seven values, and takes the one
        that settles soonest on the vote's best model.
    rule : {'unbiased', 'entropy'}, default 'unbiased'
        'unbiased': items are drawn by what their labels are expected to tell, and right answers are weighed
        by the chances of the draws. 'entropy': that of Model Selector [1]_, which takes the item of the least
        expected entropy, labels being evenly likely, and counts right answers as they come. Where models are
        close it can need more labels than uniform sampling.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Of the draws, of ties between items, and of the items of the replay.
    n_threads : int, optional

    Attributes
    ----------
    epsilon : float
    rule : str
    history : list of Told
        Labels so far.

    Notes
    -----
    A model that predicts the label gains the factor gain = (1 - epsilon) / epsilon in belief. Choosing items
    by the beliefs biases plain counts: an item on which the leader stands alone is one that it probably got
    wrong. rule='unbiased' so draws item i with probability q_i, 0.7 by the expected fall of the beliefs'
    entropy, under the beliefs' own law of labels (class c is gain times as likely under the models that
    predict it), and 0.3 evenly over the items on which not all models agree; others come last. Right answers
    are estimated over all items: from the votes of all models, as far as labels so far bear these out, and
    from the labels' deviations from that with LURE weights for q [2]_. The estimate is unbiased for given
    votes and exact when all contested items are labelled; `posterior` is gain^(labels * estimated share of
    right answers). O(items models) a step.

    benchmarks/README.md has the labels needed beside those of uniform sampling and of rule='entropy'.

    References
    ----------
    .. [1] P. Okanovic et al., "All Models Are Wrong, Some Are Useful: Model Selection with Limited Labels",
       AISTATS (2025).
    .. [2] S. Farquhar, Y. Gal, T. Rainforth, "On Statistical Bias In Active Learning: How and When To Fix
       It", ICLR (2021); J. Kossen et al., "Active Surrogate Estimators", NeurIPS (2022).

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.arange(100) % 3
    >>> predictions = np.stack([truth, np.roll(truth, 1), np.zeros(100, int)], axis=1)
    >>> selector = ModelSelector(predictions, rng=0)
    >>> while not selector.decided and len(selector.history) < 5:
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
        rule: str = "unbiased",
        rng: Any = None,
        n_threads: int | None = None,
    ) -> None:
        array = _classes_of(predictions)
        self.rule = check_choice(rule, "rule", ("unbiased", "entropy"))
        self._threads = check_threads(n_threads)
        self._classes, codes = np.unique(array, return_inverse=True)
        self._codes = codes.reshape(array.shape).astype(np.int32)
        self._right = np.zeros(array.shape[1])
        self._open = np.ones(array.shape[0], dtype=bool)
        self._drawn: list[_Drawn] = []  # from the first without a label on
        self._rng = check_rng(rng)
        self._estimate = None
        if self.rule == "unbiased":
            self._estimate = VoteEstimate(self._codes, len(self._classes), self._threads)
        self.history: list[Told] = []
        if not isinstance(epsilon, str):
            self.epsilon = check_number(epsilon, "epsilon")
            if not 0 < self.epsilon < 0.5:
                raise ValueError(f"epsilon must lie between 0 and 0.5, got {self.epsilon}")
        elif epsilon != "auto":
            raise ValueError(f"epsilon must be a number or 'auto', got {shown(epsilon)}")
        elif self.rule == "unbiased":
            self.epsilon = _EPSILON
        else:
            self.epsilon = _replayed(self._codes, len(self._classes), self._rng, self._threads)

    def __repr__(self) -> str:
        items, models = len(self._open), len(self._right)
        return (
            f"ModelSelector: {models:,} models, {items:,} items, {len(self.history):,} labels; leader "
            f"{self.leader} with belief {self.posterior.max():.3f}"
        )

    @property
    def _log_belief(self) -> Floats:
        score = self._right if self._estimate is None else self._estimate.labels * self._estimate.share
        return np.asarray(np.log((1.0 - self.epsilon) / self.epsilon) * (score - score.max()))

    @property
    def posterior(self) -> Floats:
        """Belief in each model; they add up to 1."""
        belief = np.exp(self._log_belief)
        return np.asarray(belief / belief.sum())

    @property
    def leader(self) -> int:
        """The model believed best, the first of equals."""
        score = self._right if self._estimate is None else self._estimate.totals
        return int((score >= score.max() - _ROUNDING * max(1.0, abs(score.max()))).argmax())

    @property
    def decided(self) -> bool:
        """Whether the leader is one of the best whatever the labels still to come."""
        here = self._codes[self._open]
        differ = (here != here[:, [self.leader]]).sum(axis=0)
        return bool((self._right[self.leader] - self._right >= differ).all())

    def ask(self, size: int | None = None) -> Any:
        """The item whose label to ask for next, or several; the same ones until they are told.

        Items on which all models agree, which tell nothing of who is best, come when no others are left.

        Parameters
        ----------
        size : int, optional
            So many items at once, fewer where fewer are left: for labels that come in batches, in any order.
            They are drawn one after the other by the same beliefs, and each counts by the chance of its draw.
            A label counts for the beliefs once those drawn before have theirs.

        Returns
        -------
        int, or ndarray of int if `size` is given

        Raises
        ------
        ValueError
            If all items have labels.

        Examples
        --------
        >>> import numpy as np
        >>> truth = np.arange(100) % 3
        >>> selector = ModelSelector(np.stack([truth, np.roll(truth, 1)], axis=1), rng=0)
        >>> for item in selector.ask(size=8):
        ...     selector.tell(item, truth[item])
        >>> len(selector.history), selector.leader
        (8, 0)
        """
        count = 1 if size is None else check_count(size, "size")
        if not self._open.any():
            raise ValueError("all items have labels")
        waiting = [one.item for one in self._drawn if one.code is None]
        if len(waiting) < count:
            rows = np.setdiff1d(np.flatnonzero(self._open), waiting)
            more = min(count - len(waiting), len(rows))
            drawn = self._by_entropy(rows, more) if self._estimate is None else self._by_chance(rows, more)
            self._drawn += drawn
            waiting += [one.item for one in drawn]
        return waiting[0] if size is None else np.array(waiting[:count], dtype=np.int64)

    def _entropies(self, rows: npt.NDArray[np.int64], law: str) -> Floats:
        codes = self._codes if len(rows) == len(self._open) else self._codes[rows]
        gain = (1.0 - self.epsilon) / self.epsilon
        return _core.select._expected_entropies(
            codes, len(self._classes), self.posterior, gain, law, n_threads=self._threads
        )

    def _by_entropy(self, rows: npt.NDArray[np.int64], count: int) -> list[_Drawn]:
        entropy = self._entropies(rows, "even")
        drawn: list[_Drawn] = []
        for _ in range(count):
            place = int(self._rng.choice(np.flatnonzero(entropy <= entropy.min() + _ROUNDING)))
            drawn.append(_Drawn(int(rows[place]), None))
            entropy[place] = np.inf
        return drawn

    def _by_chance(self, rows: npt.NDArray[np.int64], count: int) -> list[_Drawn]:
        assert self._estimate is not None
        contested = rows[self._estimate.contested[rows]]
        drawn: list[_Drawn] = []
        left = np.ones(len(contested), dtype=bool)
        if len(contested):
            belief = self.posterior
            now = -float(belief @ np.log(np.where(belief > 0, belief, 1.0)))
            fall = np.maximum(now - self._entropies(contested, "own"), 0.0)
        while len(drawn) < min(count, len(contested)):
            chances = mixed(fall, left, _EVEN)
            place = int(by_inversion(chances, self._rng.random(1))[0])
            left[place] = False
            drawn.append(_Drawn(int(contested[place]), float(chances[place])))
        if len(drawn) < count:
            others = rows[~self._estimate.contested[rows]]
            some = self._rng.choice(others, count - len(drawn), replace=False)
            drawn += [_Drawn(int(item), None) for item in some]
        return drawn

    def tell(self, item: int, label: Any) -> None:
        """Take in a label, of the item that was asked for or of another.

        Parameters
        ----------
        item : int
            One that was not asked for counts as drawn evenly: let chance choose it.
        label : class
            Of the kind of the predictions. One that no model predicts is an item that all got wrong.

        Raises
        ------
        ValueError
            If there is no such item, or it has a label, or `label` is missing.
        TypeError
            If `label` is a number where predictions are text, or the other way round.
        """
        if check_count(item, "item", least=0) >= len(self._open):
            raise ValueError(f"item must lie in 0 .. {len(self._open) - 1}, got {shown(item)}")
        if not self._open[item]:
            raise ValueError(f"item {item} has a label")
        _check_label(label, self._classes)
        code = np.flatnonzero(self._classes == label)
        chosen = int(code[0]) if len(code) else -1
        self._right += self._codes[item] == chosen
        self._open[item] = False
        drawn = next((one for one in self._drawn if one.item == item), None)
        if drawn is None:
            drawn = _Drawn(int(item), None)
            self._drawn.append(drawn)
        drawn.code = chosen
        while self._drawn and self._drawn[0].code is not None:
            first = self._drawn.pop(0)
            if self._estimate is not None and first.code is not None:
                self._estimate.take(first.item, first.code, first.chance)
        self.history.append(Told(int(item), label, self.leader, float(self.posterior.max())))


def _is_missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas' NA compares to nothing
        return True


def _classes_of(predictions: Any) -> npt.NDArray[Any]:
    array = refuse_masked(predictions, "predictions")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"predictions must have shape (n_items, n_models), got {array.shape}")
    if array.dtype.kind == "f":
        if np.isnan(array).any():
            raise ValueError("predictions has missing entries")
        if not (np.isfinite(array) & (array == np.rint(array))).all() or np.abs(array).max() >= 2.0**53:
            raise TypeError("predictions must hold classes (whole numbers or strings), got fractions")
        return array.astype(np.int64)
    if array.dtype.kind not in "biuUSO":
        raise TypeError(f"predictions must hold classes (integers or strings), got dtype {array.dtype}")
    if array.dtype.kind == "O" and any(map(_is_missing, array.ravel().tolist())):
        raise ValueError("predictions has missing entries")
    return array


def _check_label(label: Any, classes: npt.NDArray[Any]) -> None:
    """One value, of the kind of the classes."""
    if np.ndim(label) != 0:
        raise TypeError(f"label must be one class, got {shown(label)}")
    if label is None or label != label:
        raise ValueError(f"label is missing, got {shown(label)}")
    kind = {"U": str, "S": bytes}.get(classes.dtype.kind)
    if kind is not None and not isinstance(label, kind):
        raise TypeError(f"label must be {kind.__name__} as the predictions are, got {shown(label)}")
    if kind is None and classes.dtype.kind != "O" and np.asarray(label).dtype.kind not in "biuf":
        raise TypeError(f"label must be a number as the predictions are, got {shown(label)}")


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
            labels_needed[k] += _labels_until(some, votes, best, epsilon, rng, threads)
    return _GRID[int(labels_needed.argmin())]


def _labels_until(
    codes: npt.NDArray[np.int32],
    votes: Any,
    best: npt.NDArray[np.bool_],
    epsilon: float,
    rng: np.random.Generator,
    threads: int,
) -> int:
    """Labels after which the leader is one of the best for good, within a tenth of the items."""
    selector = ModelSelector(codes, epsilon, rule="entropy", rng=rng, n_threads=threads)
    limit = max(10, len(codes) // 10)
    last_wrong = 0
    for step in range(1, min(limit, len(codes)) + 1):
        item = selector.ask()
        selector.tell(item, votes[item])
        if not best[selector.leader]:
            last_wrong = step
    return last_wrong
