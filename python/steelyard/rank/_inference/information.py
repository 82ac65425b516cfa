"""What a likelihood says of its parameters at the optimum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from .._chances import outcome_chances

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

KINDS = ("sandwich", "hessian")
SINGULAR = "the information matrix is singular to rounding; covariances need a prior"
_BATCH = 32


class Information(ABC):
    """H and J of one fit, in full or a few columns at a time.

    H is the observed information over all parameters with the prior, J the covariance of the score: of
    independent comparisons or rankings, or of clusters. The first `n` of `size` parameters are the strengths.
    The sandwich is H^+ J H^+.

    Attributes
    ----------
    n, size : int
        Strengths, and all parameters.
    prior : float
        Its strength; without one the common shift is no parameter of the data.
    extra : mapping
        Names of the parameters that follow the strengths, with the derivative of each as users have it by
        that of the kernels; others may follow these.
    most : int
        Items of a full inverse.
    """

    n: int
    size: int
    prior: float
    extra: Mapping[str, float] = {}
    most: int

    @abstractmethod
    def inverse(self) -> Floats:
        """H^+ in full, orthogonal to the common shift without a prior."""

    @abstractmethod
    def solve(self, right_sides: Floats) -> Floats:
        """H^+ B for a few columns."""

    @abstractmethod
    def quadratic(self, x: Floats) -> Floats:
        """X' J X for columns x over all parameters."""

    @abstractmethod
    def variances(self, x: Floats) -> Floats:
        """The diagonal of X' J X."""

    @abstractmethod
    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        """Gaussian draws of the score, one a column: covariance J ('hessian': H)."""

    @property
    def clusters(self) -> int | None:
        """Number of clusters, where J sums their scores."""
        return None

    def approximate(self, kind: str) -> bool:
        """Whether the covariance is a rough one: the Hessian under a prior."""
        return kind == "hessian" and self.prior > 0

    def contrast_variances(self, right_sides: Floats, kind: str) -> Floats:
        """Variances of contrasts, one a column."""
        x = self.solve(right_sides)
        if kind == "hessian":
            return np.asarray(np.einsum("ij,ij->j", right_sides, x))
        return self.variances(x)

    def standard_errors(self, where: Positions, base: Floats, kind: str) -> Floats:
        """Of some strengths minus base . strengths, by a solve each."""
        parts = [self.contrast_variances(right, kind) for right in self._contrasts(where, base)]
        return np.asarray(np.sqrt(np.maximum(np.concatenate(parts), 0.0)))

    def _contrasts(self, where: Positions, base: Floats) -> Iterator[Floats]:
        """Right-hand sides e_i - base, some columns at a time."""
        for begin in range(0, len(where), _BATCH):
            part = where[begin : begin + _BATCH]
            right = np.zeros((self.size, len(part)))
            right[: self.n] -= base[:, None]
            right[part, np.arange(len(part))] += 1.0
            yield right

    def draws(self, kind: str, count: int, seed: int) -> Floats:
        """Draws of all strengths, one a row, without a full covariance: H^+ u for u ~ N(0, J)."""
        rng = np.random.default_rng(seed)
        out = np.empty((count, self.n))
        for begin in range(0, count, _BATCH):
            width = min(_BATCH, count - begin)
            out[begin : begin + width] = self.solve(self.draw_scores(rng, width, kind))[: self.n].T
        return out


def without_shift(x: Floats, n: int) -> Floats:
    """Columns over all parameters without the common shift of their strengths, which J does not see.

    A weak prior lets the shift of H^+ b be as large as it likes; J times it is zero but for rounding, which
    would drown the rest.
    """
    out = np.array(x, dtype=np.float64)
    out[:n] -= out[:n].mean(axis=0)
    return out


def draw_prior_scores(prior: float, strengths: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Of the logistic prior, items x draws."""
    win, _, loss = outcome_chances(strengths, "drop", None)
    noise = rng.standard_normal((len(strengths), draws))
    return np.asarray(np.sqrt(2 * prior * win * loss)[:, None] * noise)
