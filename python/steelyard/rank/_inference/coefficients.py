"""Effects of covariates on the outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._results import Columns, Result
from ..._validate import check_choice, check_level, check_threads
from ...plotting import plot_estimates
from .covariance import extra_covariance
from .information import KINDS
from .ranked import Ranked

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class Coefficients(Result):
    """Effects of covariates on the outcome, in natural-log strength.

    A covariate z (left minus right) with coefficient b counts as b z more strength of the left item.

    Attributes
    ----------
    names : tuple of str
        Covariates.
    values : ndarray, shape (len(names),)
        For one root mean square of the covariate; for one of its own units with ``standardize=False``.
    scales : ndarray, shape (len(names),)
        The root mean squares over the comparisons, which `values` refer to (1 with ``standardize=False``).

    Examples
    --------
    One pair: ann wins 8 of 10 with the longer answer and 4 of 10 with the shorter one.

    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> ann, ben = ["ann", "ann", "ben", "ben"], ["ben", "ben", "ann", "ann"]
    >>> longer = {"longer": [1.0, -1.0, -1.0, 1.0]}  # of the winner
    >>> games = Comparisons.from_pairs(ann, ben, count=[8, 4, 2, 6], covariates=longer)
    >>> found = bradley_terry(games, covariates=True).coefficients
    >>> print(round(found["longer"], 4), found.standard_errors().round(4))  # (log(8/2) - log(4/6)) / 2
    0.8959 [0.5103]
    >>> list(found.to_frame())
    ['name', 'value', 'standard_error', 'lower', 'upper', 'p_value']
    """

    names: tuple[str, ...]
    values: Floats
    scales: Floats
    _fit: Ranked = field(repr=False)
    _units: Floats = field(repr=False)  # what the kernels' coefficients are multiplied by

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> float:
        if name not in self.names:
            raise KeyError(f"no covariate {name!r}, only {', '.join(self.names)}")
        return float(self.values[self.names.index(name)])

    def covariance(self, kind: str = "sandwich", *, n_threads: int | None = None) -> Floats:
        """Covariance matrix of `values`.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}
            As in `BradleyTerryFit.covariance`.
        n_threads : int, optional
            Default: see `steelyard.build_info`.

        Returns
        -------
        ndarray, shape (len(names), len(names))

        Raises
        ------
        ValueError
            If `kind` is neither, or the information is singular to rounding.

        Notes
        -----
        One solve of the Newton system a coefficient.
        """
        units = self._units
        return np.asarray(self._standardized(kind, n_threads) * np.outer(units, units))

    def _standardized(self, kind: str, n_threads: int | None) -> Floats:
        """Covariance for one root mean square of each, whatever the units of `values`."""
        kind = check_choice(kind, "kind", KINDS)
        full = extra_covariance(self._fit._information(check_threads(n_threads)), kind)
        return full[-len(self) :, -len(self) :]

    def standard_errors(self, kind: str = "sandwich", *, n_threads: int | None = None) -> Floats:
        """Standard errors of `values`, shape (len(names),); arguments as of `covariance`."""
        return np.asarray(self._units * np.sqrt(np.diag(self._standardized(kind, n_threads))))

    def to_frame(self, *, level: float = 0.95, kind: str = "sandwich") -> dict[str, npt.NDArray[Any]]:
        """Columns ``name``, ``value``, ``standard_error``, ``lower``, ``upper`` and ``p_value``.

        Parameters
        ----------
        level : float, default 0.95
            Of the intervals, by the normal approximation.
        kind : {'sandwich', 'hessian'}
            As in `covariance`.

        Returns
        -------
        dict of str to ndarray
            ``p_value`` is two-sided, of no effect.
        """
        error = self.standard_errors(kind)
        half = NormalDist().inv_cdf(0.5 + check_level(level) / 2) * error
        far = np.abs(self.values) / (error * math.sqrt(2))
        return {
            "name": np.array(self.names),
            "value": self.values,
            "standard_error": error,
            "lower": self.values - half,
            "upper": self.values + half,
            "p_value": np.array([math.erfc(x) for x in far.tolist()]),
        }

    def _head(self, rows: int) -> tuple[Columns, int]:
        """Without standard errors, which take a solve."""
        return {"name": np.array(self.names[:rows]), "value": self.values[:rows]}, len(self)

    def plot(self, *, level: float = 0.95, kind: str = "sandwich", **options: Any) -> Any:
        """Coefficients with their intervals; see `steelyard.plotting.plot_estimates`.

        Parameters
        ----------
        level, kind
            As of `to_frame`.
        **options
            As of `steelyard.plotting.plot_estimates`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> ann, ben = ["ann", "ann", "ben", "ben"], ["ben", "ben", "ann", "ann"]
        >>> longer = {"longer": [1.0, -1.0, -1.0, 1.0]}
        >>> games = Comparisons.from_pairs(ann, ben, count=[8, 4, 2, 6], covariates=longer)
        >>> axes = bradley_terry(games, covariates=True).coefficients.plot()
        >>> [tick.get_text() for tick in axes.get_yticklabels()]
        ['longer']
        """
        return plot_estimates(self.to_frame(level=level, kind=kind), **options)

    def __repr__(self) -> str:
        parts = (f"{name} {value:+.4g}" for name, value in zip(self.names, self.values, strict=True))
        return f"Coefficients({', '.join(parts)})"
