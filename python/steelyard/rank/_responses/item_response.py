"""`irt`: abilities of persons and curves of items by marginal maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import finish, warn
from ..._labels import label_list, position
from ..._spelling import shown
from ..._validate import (
    Progress,
    check_choice,
    check_each,
    check_nonnegative,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
    check_vector,
    real_array,
)
from .._chances import RankInfo
from .._table import positions
from .abilities import Abilities, refuse_extremes
from .answers import Answers, labels_of, read_answers
from .curves import Curves
from .marginal import MODELS, MarginalProblem

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_NODES_SEEN = 0.01  # standard errors that doubled nodes may move the optimum


@dataclass(frozen=True, repr=False, eq=False)
class ItemResponseFit(Abilities):
    """Abilities of persons, standard normal in the population, and the curve of each item.

    P(right) = g + (1 - g) / (1 + exp(-a (ability - b))) with discrimination a, difficulty b and guess g.

    Attributes
    ----------
    persons, items : ndarray
        Labels.
    abilities, ability_errors : ndarray, shape (n_persons,)
        Means and standard deviations of the posterior, at the fitted items.
    discriminations, difficulties, guesses : ndarray, shape (n_items,)
        a, b and g. Where a is near 0 the difficulty says little; a times it, ``-intercepts``, does.
    intercepts : ndarray, shape (n_items,)
        -a b: the log-odds of a right answer (but for guesses) at ability 0.
    model : str
    prior : float
    log_likelihood : float
        Marginal, without the prior.
    optima : ndarray, shape (3,)
        Log-likelihood with the prior that was reached from each start, near its optimum; the best is kept.
        Starts that come to the same optimum have the same.
    node_change : float
        How far the optimum moves, in standard errors, when the nodes of the integral are doubled, and reach
        half as far again; from above where it is below .001.
    n_nodes : int
        Nodes a person.
    node_step : float
        Least distance of two.
    n_answers : int
    info : RankInfo
        ``info.error_bound`` is the Newton decrement over all parameters at this local optimum, in standard
        errors.
    """

    persons: Values
    items: Values
    abilities: Floats
    ability_errors: Floats
    discriminations: Floats
    difficulties: Floats
    guesses: Floats
    intercepts: Floats
    model: str
    prior: float
    log_likelihood: float
    optima: Floats
    node_change: float
    n_nodes: int
    node_step: float
    n_answers: int
    info: RankInfo
    _answers: Answers = field(repr=False)
    _fits_guess: bool = field(repr=False)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        size = f"{len(self.persons):,} persons, {len(self.items):,} items, {self.n_answers:,} answers"
        low, high = self.abilities.min(), self.abilities.max()
        return (
            f"ItemResponseFit: {self.model}, {size}\nabilities {low:+.3g} to {high:+.3g}, discriminations "
            f"{self.discriminations.min():.3g} to {self.discriminations.max():.3g}; {state}, Newton "
            f"decrement {self.info.error_bound:.1e}, {self.node_change:.1e} on doubled nodes"
        )

    def predict(self, person: Any, item: Any) -> float:
        """Chance of a right answer at the estimated ability.

        Parameters
        ----------
        person, item : labels

        Returns
        -------
        float
        """
        i = position(positions(self.persons), person, "person")
        j = position(positions(self.items), item)
        return float(self._curves.chances(self.abilities[i], np.array([j]))[0])

    def information(self, theta: Any, items: Any = None) -> Floats:
        """What a test of these items tells of a person at an ability: 1 / its variance, without the prior.

        Parameters
        ----------
        theta : float or array_like
            Abilities.
        items : list of labels, optional
            Default: all.

        Returns
        -------
        ndarray
            In the shape of `theta`.

        Examples
        --------
        >>> import numpy as np
        >>> from steelyard.rank import irt
        >>> rng = np.random.default_rng(0)
        >>> right = rng.random((300, 8)) < 1 / (1 + np.exp(np.linspace(-2, 2, 8) - rng.normal(size=(300, 1))))
        >>> bool(np.argmax(irt(right).information([-5, 0, 5])) == 1)
        True
        """
        asked = real_array(theta, "theta")
        at = check_vector(asked.ravel(), "theta")
        where = self._positions(items)
        out = np.array([self._curves.information(float(t), where).sum() for t in at])
        return out.reshape(asked.shape)

    def place(self, answers: Mapping[Any, Any]) -> tuple[float, float]:
        """A new person's ability and its error, from answers to some items.

        Parameters
        ----------
        answers : mapping of label to bool
            Item to right or wrong. Empty: 0 and 1, the population's.

        Returns
        -------
        ability, error : float
        """
        where, right = self._read(answers)
        return self._curves.posterior(where, right)

    def next_item(self, answers: Mapping[Any, Any]) -> Any:
        """The item that tells most of a person who gave these answers: of the largest information there.

        Parameters
        ----------
        answers : mapping of label to bool
            Item to right or wrong; those are not asked again.

        Returns
        -------
        label

        Examples
        --------
        >>> import numpy as np
        >>> from steelyard.rank import irt
        >>> rng = np.random.default_rng(0)
        >>> right = rng.random((300, 8)) < 1 / (1 + np.exp(np.linspace(-2, 2, 8) - rng.normal(size=(300, 1))))
        >>> fit = irt(right, model="1pl", items=list("abcdefgh"))
        >>> fit.next_item({"d": True}), fit.next_item({"d": False})
        ('e', 'c')
        """
        where, right = self._read(answers)
        left = np.setdiff1d(np.arange(len(self.items)), where)
        if len(left) == 0:
            raise ValueError("answers has all items; there is no next one")
        ability, _ = self._curves.posterior(where, right)
        return self.items[left[np.argmax(self._curves.information(ability, left))]].item()

    def item_errors(
        self, items: Any = None, *, n_threads: int | None = None, progress: Progress | None = None
    ) -> dict[str, Values]:
        """Standard errors of the items' parameters, from the observed information of all parameters.

        Parameters
        ----------
        items : list of labels, optional
            Default: all. Each costs two or three linear systems, of some ten passes over the answers each.
        n_threads : int, optional
            Default: see `steelyard.build_info`.
        progress : callable, optional
            Called as progress(items done, items).

        Returns
        -------
        dict of str to ndarray
            Columns ``item``, ``discrimination``, ``difficulty`` and, where guesses were fitted, ``guess``.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C.

        Examples
        --------
        >>> import numpy as np
        >>> from steelyard.rank import irt
        >>> rng = np.random.default_rng(0)
        >>> right = rng.random((300, 8)) < 1 / (1 + np.exp(np.linspace(-2, 2, 8) - rng.normal(size=(300, 1))))
        >>> print(irt(right).item_errors([3])["difficulty"].round(2))
        [0.12]
        """
        where = self._positions(items)
        threads, callback = check_threads(n_threads), check_progress(progress)
        blocks = self._problem.covariances(self._curves, where, threads, callback)
        a, b, g = self.discriminations[where], self.difficulties[where], self.guesses[where]
        # b = -c / a: its derivatives by log a and c.
        by = np.stack([-b, -1 / a], axis=1)
        variance = np.einsum("ja,jab,jb->j", by, blocks[:, :2, :2], by)
        found = {
            "item": self.items[where],
            "discrimination": a * np.sqrt(blocks[:, 0, 0]),
            "difficulty": np.sqrt(variance),
        }
        if self._fits_guess:
            found["guess"] = g * (1 - g) * np.sqrt(blocks[:, 2, 2])
        return found

    def items_frame(self) -> dict[str, Values]:
        """Columns ``item``, ``discrimination``, ``difficulty`` and ``guess``, easiest first.

        Returns
        -------
        dict of str to ndarray
        """
        order = np.argsort(self.difficulties, kind="stable")
        return {
            "item": self.items[order],
            "discrimination": self.discriminations[order],
            "difficulty": self.difficulties[order],
            "guess": self.guesses[order],
        }

    # ---- for what lies below

    @property
    def _curves(self) -> Curves:
        return Curves(self.discriminations, self.intercepts, self.guesses)

    @property
    def _problem(self) -> MarginalProblem:
        return MarginalProblem(self._answers, self.model, self._fits_guess, self.guesses, self.prior)

    def _positions(self, items: Any) -> npt.NDArray[np.intp]:
        if items is None:
            return np.arange(len(self.items))
        known = positions(self.items)
        return np.array([position(known, item) for item in label_list(items, "items")], dtype=np.intp)

    def _read(self, answers: Any) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        if not isinstance(answers, Mapping):
            raise TypeError(f"answers must be a mapping of items to right or wrong, got {shown(answers)}")
        for value in answers.values():
            if not isinstance(value, bool | int | float | np.generic) or value not in (0, 1):
                raise ValueError(f"answers must be right (1) or wrong (0), got {shown(value)}")
        return self._positions(list(answers)), np.array([bool(v) for v in answers.values()], dtype=bool)


def irt(
    responses: Any,
    *,
    model: str = "2pl",
    guessing: Any = None,
    prior: float = 1.0,
    persons: Any = None,
    items: Any = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> ItemResponseFit:
    """Fit item response curves and abilities: P(right) = g + (1 - g) / (1 + exp(-a (ability - b))).

    Abilities are draws from a standard normal population, over which the likelihood is averaged: estimates of
    items are consistent in the number of persons, which `rasch`'s joint ones are not.

    Parameters
    ----------
    responses : array_like, masked array or scipy.sparse matrix, shape (n_persons, n_items)
        1 right, 0 wrong; NaN or masked: not answered. Of a sparse matrix only the listed entries are answers,
        explicit zeros included. Kept as one byte each.
    model : {'1pl', '2pl', '3pl'}, default '2pl'
        One discrimination for all items; one for each; and a guess for each.
    guessing : float or array_like, optional
        For '3pl': known chances of a right guess, such as one over the number of choices. Default: fitted,
        which takes thousands of persons.
    prior : float, default 1
        Weight of log a ~ N(0, 1), -a b ~ N(0, 9) and g ~ Beta(5, 17). With 0 no item may have all or no
        answers right.
    persons, items : array_like, optional
        Labels; default 0, 1, ...
    tol : float, default 1e-8
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, default 100
        Newton steps.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it.
    progress : callable, optional
        Called as progress(iteration, max_iter), for each start anew.

    Returns
    -------
    ItemResponseFit

    Raises
    ------
    DisconnectedError
        Without a prior, if an item has all or no answers right.
    ValueError, TypeError
        If an argument does not fit; the message names it.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the fit so far.

    Warns
    -----
    ConvergenceWarning
        If the decrement stays above `tol`, or the nodes of the integral do not suffice.
    UserWarning
        If all answers are equal, or there is one person only.

    Notes
    -----
    Some steps of EM, its population's mean and spread fitted with the items [3]_, then Newton's method with
    conjugate gradients on the marginal likelihood [1]_ [2]_, from three starts (discriminations 1, 1/2 and 2;
    all positive, which fixes the sign). It is not concave: the certificate is of a local optimum, and
    `optima` tells whether the starts agree. The first is followed to `tol`; the others by EM until they come
    as near to it as .1 in every logit at abilities of up to 3, else to a decrement of .01 of their own
    (beyond a million answers: no further than 15 steps); a better one is then followed. Integrals are
    trapezoid sums, on one lattice for all persons up to 500 items, beyond it on 16 nodes around each person's
    own posterior: usual fixed nodes would there be further apart than a posterior is wide, and errors of
    abilities too small by far. Doubling them moves the optimum by 4e-5 to 5e-4 standard errors (2,000
    persons, 501 and 1,000 items). With nine it moved by .1 to .7 where persons share nodes and tables as
    here, and by 1e-3 to 5e-3 with nine centred on each person, who then share less, at no fewer vector
    instructions. An item on which the weak do better gets a discrimination near 0.

    A pass takes about 2 `n_nodes` additions an answer; a fit some 40 to 80 passes. Memory: a byte an answer
    and three numbers a person and node.

    References
    ----------
    .. [1] Bock and Aitkin, "Marginal maximum likelihood estimation of item parameters", Psychometrika 46
       (1981).
    .. [2] Louis, "Finding the observed information matrix when using the EM algorithm", JRSS B 44 (1982).
    .. [3] Liu, Rubin and Wu, "Parameter expansion to accelerate EM", Biometrika 85 (1998).

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard.rank import irt
    >>> rng = np.random.default_rng(0)
    >>> right = rng.random((300, 8)) < 1 / (1 + np.exp(np.linspace(-2, 2, 8) - rng.normal(size=(300, 1))))
    >>> fit = irt(right)
    >>> print(fit.difficulties.round(1))
    [-1.5 -1.5 -0.6 -0.2  0.4  1.   1.3  2.4]
    """
    model = check_choice(model, "model", MODELS)
    prior, tol = check_nonnegative(prior, "prior"), check_positive(tol, "tol")
    steps = check_steps(max_iter, "max_iter")
    threads, callback = check_threads(n_threads), check_progress(progress)
    answers = read_answers(responses)
    who, what = labels_of(persons, items, answers.shape)
    guesses = _guesses(guessing, model, len(what))
    if prior == 0.0:
        refuse_extremes(answers.right + answers.wrong, answers.right, what, "item")
    _tell_of_little(answers)
    problem = MarginalProblem(answers, model, model == "3pl" and guessing is None, guesses, prior)
    best, optima = problem.fit(tol=tol, max_iter=steps, n_threads=threads, progress=callback)
    return finish(_result(problem, best, optima, tol, who, what), "irt", n_threads=n_threads)


def _guesses(guessing: Any, model: str, n: int) -> Floats:
    if guessing is None:
        return np.full(n, 0.2 if model == "3pl" else 0.0)
    if model != "3pl":
        raise ValueError(f"guessing needs model='3pl', got model={model!r}")
    found = check_each(guessing, "guessing", n)
    if not ((found >= 0) & (found < 1)).all():
        raise ValueError(f"guessing must lie in [0, 1), got {shown(guessing)}")
    return found


def _tell_of_little(answers: Answers) -> None:
    told = "abilities and items are then what the prior says"
    if answers.shape[0] == 1:
        warn(f"responses has one person, who tells nothing of a population: {told}", UserWarning)
    elif not answers.right.any() or not answers.wrong.any():
        kind = "right" if answers.right.any() else "wrong"
        warn(f"all answers are {kind}: {told}", UserWarning)


def _result(
    problem: MarginalProblem, out: dict[str, Any], optima: Floats, tol: float, who: Values, what: Values
) -> ItemResponseFit:
    info = RankInfo.from_core(out["info"], tol=tol)
    change = float(out["node_change"])
    if info.converged and not change <= _NODES_SEEN:
        told = (
            f"doubled nodes move the optimum by {change:.1e} standard errors: discriminations may be extreme"
        )
        info = replace(info, converged=False, message=f"{told}; a larger prior may help")
    elif not info.converged:
        told = f"Newton decrement {info.error_bound:.1e} after {info.iterations} steps"
        info = replace(info, message=f"{told}; raise max_iter, tol or prior")
    a, c = np.exp(out["log_slope"]), out["intercept"]
    g = problem.guesses if not problem.fits_guess else 1 / (1 + np.exp(-out["logit_guess"]))
    arrays = (out["mean"], out["sd"], a, -c / a, g.astype(np.float64), c)
    for array in arrays:
        array.flags.writeable = False
    return ItemResponseFit(
        who,
        what,
        *arrays,
        problem.model,
        problem.prior,
        float(out["log_likelihood"]),
        optima,
        change,
        int(out["nodes"]),
        float(out["finest"]),
        problem.answers.n_answers,
        info,
        problem.answers,
        problem.fits_guess,
    )
