"""The one account that every solver gives of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ._results import Result

ErrorKind = Literal["rigorous", "asymptotic", "estimate"]


def _no_trace() -> npt.NDArray[Any]:
    return np.zeros(0, dtype=[("iteration", float)])


@dataclass(frozen=True, kw_only=True)
class Info(Result):
    """How an answer was found and how far from the truth it can be.

    Attributes
    ----------
    converged : bool
        Whether `error_bound` is at most `tol`.
    iterations : int
        Outer iterations of the solver.
    solver : str
        Which solver ran; with ``"auto"``, the one that was chosen and why.
    seconds : float
        Wall time in the kernel.
    tol : float
        What was asked for.
    error_bound : float or None
        The certificate, in the unit that the function's docstring states; None if there is none.
    error_kind : {'rigorous', 'asymptotic', 'estimate'}
        Whether `error_bound` is proven, holds to first order near the optimum, or is an estimate.
    message : str
        What a person should know, empty if nothing.
    trace : ndarray
        Structured array with one row an iteration.
    interrupted : bool
        Whether Ctrl-C ended the work early.
    """

    converged: bool
    iterations: int
    solver: str
    seconds: float
    tol: float
    error_bound: float | None
    error_kind: ErrorKind
    message: str = ""
    trace: npt.NDArray[Any] = field(default_factory=_no_trace, repr=False, compare=False)
    interrupted: bool = False

    def _words(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return f"{type(self).__name__}: {state} after {self.iterations} iterations ({self.solver})"

    @classmethod
    def from_core(cls, values: Mapping[str, Any], **extra: Any) -> Self:
        """From the dict that a kernel returns; `extra` overrides it and fills a subclass's own fields."""
        rest = dict(values)
        columns = rest.pop("trace_columns")
        table = rest.pop("trace_values")
        trace = np.zeros(len(table), dtype=[(name, float) for name in columns] or [("iteration", float)])
        for k, name in enumerate(columns):
            trace[name] = table[:, k]
        trace.flags.writeable = False
        known = {f.name for f in fields(cls)}
        return cls(**{"trace": trace, **{k: v for k, v in rest.items() if k in known}, **extra})
