"""The marginal likelihood of item response models, as the kernels take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import report
from ..._validate import Progress
from .answers import Answers
from .curves import Curves

Floats = npt.NDArray[np.float64]

MODELS = ("1pl", "2pl", "3pl")
_STARTS = (1.0, 0.5, 2.0)  # discriminations
_EM_STEPS = 5
_EM_LONGER = 15  # towards an optimum that is known
_FOLLOWED = 1_000_000  # answers up to which every start is followed beyond EM
_LOOK = 1e-2  # standard errors to which it is: its log-likelihood is then known to 1e-4
_COLUMNS = 32  # linear systems solved at once


@dataclass(frozen=True, eq=False)
class MarginalProblem:
    """Answers, a model and its prior."""

    answers: Answers
    model: str
    fits_guess: bool
    guesses: Floats
    prior: float

    def fit(
        self, *, tol: float, max_iter: int, n_threads: int, progress: Progress | None
    ) -> tuple[dict[str, Any], Floats]:
        """The best of three starts, and the objective that each reached."""
        options: dict[str, Any] = {"max_iter": max_iter, "n_threads": n_threads, "progress": progress}
        whole = self.answers.n_answers <= _FOLLOWED
        optima = np.full(len(_STARTS), np.nan)
        finest = min(tol, _LOOK / 2)  # nodes of a look are not doubled
        best = self._fit(*self._start(_STARTS[0]), _EM_STEPS, tol=finest, **options)
        optima[0] = best["objective"]
        for k, slope in enumerate(_STARTS[1:], 1):
            if best["info"]["interrupted"]:
                break
            now = {**options, "max_iter": max_iter if whole else 0, "tol": max(tol, _LOOK)}
            look = self._fit(*self._start(slope), _EM_LONGER, other=_point(best), **now)
            if look["info"]["interrupted"]:
                best["info"]["interrupted"] = True
                break
            optima[k] = best["objective"] if look["joined"] else look["objective"]
            if optima[k] > best["objective"] + _LOOK**2:
                best = self._fit(*_point(look), 0, tol=finest, **options)
                optima[k] = best["objective"]
        return best, optima

    def _start(self, slope: float) -> tuple[Floats, Floats, Floats]:
        """At a spread of abilities of 1, intercepts grow with the slope as for a normal ogive."""
        logits = np.log((self.answers.right + 0.5) / (self.answers.wrong + 0.5))
        steep: Floats = np.full(len(logits), np.log(slope))
        return steep, logits * np.sqrt(1 + 0.35 * slope**2), self._logit_guess

    def _fit(
        self,
        log_slope: Floats,
        intercept: Floats,
        logit_guess: Floats,
        em_steps: int,
        *,
        other: tuple[Floats, Floats, Floats] | None = None,
        tol: float,
        max_iter: int,
        n_threads: int,
        progress: Progress | None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = _core.rank._fit_items(
            *self._model,
            log_slope,
            intercept,
            logit_guess,
            em_steps,
            other,
            tol,
            max_iter,
            n_threads,
            progress,
        )
        return found

    def solve(self, curves: Curves, right_sides: Floats, n_threads: int) -> Floats:
        """X with H X = B at these curves, H the observed information."""
        found = _core.rank._solve_items(
            *self._model,
            np.log(curves.slopes),
            curves.intercepts,
            _logit(curves.guesses),
            right_sides,
            n_threads,
        )
        return np.full(right_sides.shape, np.nan) if found is None else np.asarray(found)

    def covariances(
        self, curves: Curves, where: npt.NDArray[np.intp], n_threads: int, progress: Progress | None
    ) -> Floats:
        """By item, the block of the inverse information of its (log a, c, logit g)."""
        own = 3 if self.fits_guess else 2
        rows = np.array([[self._row(int(j), k) for k in range(own)] for j in where]).reshape(-1, own)
        out = np.empty((len(where), own, own))
        step = max(1, _COLUMNS // own)
        for begin in range(0, len(where), step):
            part = rows[begin : begin + step]
            b = np.zeros((self.size, part.size))
            b[part.ravel(), np.arange(part.size)] = 1.0
            x = self.solve(curves, b, n_threads).reshape(self.size, *part.shape)
            for k, own_rows in enumerate(part):
                out[begin + k] = x[own_rows, k]
            report(progress, min(begin + step, len(where)), len(where))
        return out

    @property
    def size(self) -> int:
        """Parameters."""
        n = self.answers.shape[1]
        return 1 + n if self.model == "1pl" else (3 if self.fits_guess else 2) * n

    def _row(self, j: int, k: int) -> int:
        if self.model == "1pl":
            return 0 if k == 0 else 1 + j
        return (3 if self.fits_guess else 2) * j + k

    @property
    def _model(self) -> tuple[Any, bool, bool, bool, float]:
        shared, guessing = self.model == "1pl", bool((self.guesses > 0).any())
        return self.answers.core, shared, guessing, self.fits_guess, self.prior

    @property
    def _logit_guess(self) -> Floats:
        return _logit(self.guesses)


def _point(found: dict[str, Any]) -> tuple[Floats, Floats, Floats]:
    return found["log_slope"], found["intercept"], found["logit_guess"]


def _logit(g: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(g) - np.log1p(-g))
