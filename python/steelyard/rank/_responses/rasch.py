"""The Rasch model: abilities of persons and difficulties of items from right and wrong answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._labels import position
from ..._validate import check_choice, check_nonnegative, check_threads, real_array
from .._chances import RankInfo
from .._inference import KINDS
from .._paired import bradley_terry
from .._table import Comparisons, positions
from .abilities import Abilities, refuse_extremes
from .answers import labels_of
from .item_response import ItemResponseFit, irt

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

METHODS = ("joint", "marginal")
_ERRORS = 1000  # items whose errors the marginal method finds


@dataclass(frozen=True, repr=False, eq=False)
class RaschFit(Abilities):
    """Abilities and difficulties on one logit scale; difficulties have mean 0.

    Attributes
    ----------
    persons : ndarray, shape (n_persons,)
        Labels.
    items : ndarray, shape (n_items,)
        Labels.
    abilities, ability_errors : ndarray, shape (n_persons,)
        Logits and their standard errors, against the mean difficulty; of the marginal method means and
        standard deviations of the posterior.
    difficulties, difficulty_errors : ndarray, shape (n_items,)
    n_answers : int
    info : RankInfo
        Of the fit; see `bradley_terry`.
    """

    persons: Values
    items: Values
    abilities: Floats
    ability_errors: Floats
    difficulties: Floats
    difficulty_errors: Floats
    n_answers: int
    info: RankInfo

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        low, high = self.abilities.min(), self.abilities.max()
        size = f"{len(self.persons):,} persons, {len(self.items):,} items, {self.n_answers:,} answers"
        return (
            f"RaschFit: {size}\nabilities {low:+.3g} to {high:+.3g} logits; {state}, Newton decrement "
            f"{self.info.newton_decrement:.1e}"
        )

    def predict(self, person: Any, item: Any) -> float:
        """Chance of a right answer.

        Parameters
        ----------
        person, item : labels

        Returns
        -------
        float
        """
        i = position(positions(self.persons), person, "person")
        x = self.abilities[i] - self.difficulties[position(positions(self.items), item)]
        odds = float(np.exp(-abs(x)))
        return (1.0 if x >= 0 else odds) / (1.0 + odds)


def rasch(
    responses: Any,
    *,
    persons: Any = None,
    items: Any = None,
    method: str = "joint",
    prior: float = 0.0,
    kind: str = "hessian",
    tol: float | None = None,
    n_threads: int | None = None,
) -> RaschFit:
    """Fit abilities and difficulties: P(right) = 1 / (1 + exp(difficulty - ability)).

    A Bradley-Terry model in which persons (models, climbers) meet items (questions, routes).

    Parameters
    ----------
    responses : array_like or scipy.sparse matrix, shape (n_persons, n_items)
        1 right, 0 wrong, NaN not answered; of a sparse matrix only the listed entries are answers, explicit
        zeros included.
    persons, items : array_like, optional
        Labels; default 0, 1, ...
    method : {'joint', 'marginal'}, default 'joint'
        Abilities as parameters like any other, or as draws from a normal population whose spread is fitted:
        `irt` with ``model="1pl"``, in logits.
    prior : float, default 0
        As for `bradley_terry`, on abilities and difficulties. With 0 nobody may have all or no answers right.
        Of the marginal method, as for `irt`; persons may.
    kind : {'hessian', 'sandwich'}, default 'hessian'
        Standard errors that trust the model, or only the independence of the answers (joint method).
    tol : float, default 1e-10, marginal 1e-8
        Largest Newton decrement to accept, in standard errors.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.

    Returns
    -------
    RaschFit

    Raises
    ------
    DisconnectedError
        Without a prior, if a person or item has all or no answers right (named in the message), or the
        answers fall into parts that can't be compared.
    ValueError
        If responses hold anything but 0, 1 and NaN.

    Warns
    -----
    ConvergenceWarning, DisconnectedWarning
        As for `bradley_terry`.

    Notes
    -----
    Joint maximum likelihood, with few answers a person, overstates the spread of the difficulties (by about
    k / (k - 1) for k items that all answer, and likewise for abilities), which more persons do not cure; the
    marginal method does. Its errors of difficulties solve a system an item, beyond 1,000 items they are NaN
    (``irt(responses, model="1pl").item_errors([...])`` gives some). Time and memory of the joint
    method as for `bradley_terry` with persons and items as items; standard errors solve one system each.

    References
    ----------
    G. Rasch, "Probabilistic Models for Some Intelligence and Attainment Tests" (1960).

    Examples
    --------
    >>> fit = rasch([[1, 0, 1], [0, 1, 0], [1, 1, 0]])
    >>> print(fit.abilities.round(3))
    [ 0.768 -0.797  0.768]
    """
    method = check_choice(method, "method", METHODS)
    prior = check_nonnegative(prior, "prior")
    kind = check_choice(kind, "kind", KINDS)
    if method == "marginal":
        if kind != "hessian":
            raise ValueError(f"kind must be 'hessian' with method='marginal', got {kind!r}")
        return _marginal(
            irt(
                responses,
                model="1pl",
                persons=persons,
                items=items,
                prior=prior,
                tol=1e-8 if tol is None else tol,
                n_threads=n_threads,
            ),
            n_threads,
        )
    return _joint(responses, persons, items, prior, kind, 1e-10 if tol is None else tol, n_threads)


def _joint(
    responses: Any, persons: Any, items: Any, prior: float, kind: str, tol: float, n_threads: int | None
) -> RaschFit:
    rows, cols, right, shape = _read_responses(responses)
    who, what = labels_of(persons, items, shape)
    threads = check_threads(n_threads)
    if prior == 0.0:
        for codes, labels, name in ((rows, who, "person"), (cols, what, "item")):
            answers = np.bincount(codes, minlength=len(labels))
            refuse_extremes(answers, np.bincount(codes[right], minlength=len(labels)), labels, name)
    names = np.array([f"person {p}" for p in who.tolist()] + [f"item {q}" for q in what.tolist()])
    other = len(who) + cols
    table = Comparisons.from_pairs(
        names[np.where(right, rows, other)], names[np.where(right, other, rows)], items=names
    )
    fit = bradley_terry(table, prior=prior, ties="drop", tol=tol, n_threads=threads)
    centre = fit.strengths[len(who) :].mean()
    base = np.where(np.arange(len(fit)) < len(who), 0.0, 1.0 / len(what))
    errors = fit._information(threads).standard_errors(np.arange(len(fit)), base, kind)
    return RaschFit(
        who,
        what,
        fit.strengths[: len(who)] - centre,
        errors[: len(who)],
        fit.strengths[len(who) :] - centre,
        errors[len(who) :],
        len(rows),
        fit.info,
    )


def _marginal(fit: ItemResponseFit, n_threads: int | None) -> RaschFit:
    """In logits, against the mean difficulty."""
    n, scale = len(fit.items), float(fit.discriminations[0])
    centre = float(fit.intercepts.mean())
    errors = np.full(n, np.nan)
    if n <= _ERRORS:
        columns = np.vstack([np.zeros(n), np.eye(n) - 1 / n])
        x = fit._problem.solve(fit._curves, columns, check_threads(n_threads))
        errors = np.sqrt(np.einsum("ij,ij->j", columns, x))
    return RaschFit(
        fit.persons,
        fit.items,
        scale * fit.abilities + centre,
        scale * fit.ability_errors,
        centre - fit.intercepts,
        errors,
        fit.n_answers,
        fit.info,
    )


def _read_responses(
    responses: Any,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_], tuple[int, int]]:
    from scipy import sparse  # its older versions load scipy.linalg

    if sparse.issparse(responses):
        found = sparse.coo_array(responses)
        values, (rows, cols), shape = found.data, found.coords, found.shape
    else:
        array = real_array(responses, "responses")
        if array.ndim != 2:
            raise ValueError(f"responses must have shape (n_persons, n_items), got {array.shape}")
        rows, cols = np.nonzero(~np.isnan(array))
        values, shape = array[rows, cols], array.shape
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if len(wrong):
        k = wrong[0]
        raise ValueError(f"responses must be 0, 1 or NaN, got {values[k]} at ({rows[k]}, {cols[k]})")
    if len(rows) == 0:
        raise ValueError("responses has no answers")
    return rows, cols, values == 1, (int(shape[0]), int(shape[1]))
