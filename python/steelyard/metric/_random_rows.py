"""An oracle that draws constraints at random: the truly stochastic variant of Project and Forget."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import check_count, check_rng, check_vector, real_array
from ._project_and_forget import read_rows

Array = npt.NDArray[np.float64]


class RandomRows:
    """Oracle for `project_and_forget` that looks at a few rows of A x <= b at a time, drawn at random.

    For systems too long to multiply in every round. All rows are looked at when none of those drawn is
    broken, before the search ends, and for the certificate.

    Parameters
    ----------
    A : scipy.sparse or array_like, shape (m, n)
    b : array_like, shape (m,)
    size : int, optional
        Rows to draw a round, without replacement. Default: a tenth, at least 100.
    interior : array_like, shape (n,), optional
        A point with A x < b. With it the answer has a proven gap; without it none.
    rng : int, numpy.random.Generator or None, default None

    Attributes
    ----------
    rows_seen : int
        Rows multiplied so far.

    Raises
    ------
    ValueError
        If A and b do not fit or are not finite, if a row of zeros has b < 0, or if `interior` breaks a row.

    Notes
    -----
    The point behind the certificate is the last one within all rows on the way from `interior` to x: the
    deeper `interior` lies, the nearer it comes. A is copied, as csr.

    References
    ----------
    .. [1] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).

    Examples
    --------
    The point of a polytope nearest to x0; zero is inside, since b > 0:

    >>> import numpy as np
    >>> from steelyard import metric
    >>> rng = np.random.default_rng(0)
    >>> A, x0 = rng.normal(size=(20_000, 10)), rng.normal(size=10)
    >>> oracle = metric.RandomRows(A, np.ones(20_000), size=500, interior=np.zeros(10), rng=0)
    >>> found = metric.project_and_forget(x0, oracle)
    >>> found.info.converged, bool((A @ found.x).max() < 1 + 1e-5)
    (True, True)
    """

    def __init__(
        self, A: Any, b: Any, *, size: int | None = None, interior: Any = None, rng: Any = None
    ) -> None:
        shape = A.shape if sparse.issparse(A) else real_array(A, "A").shape
        if len(shape) != 2:
            raise ValueError(f"A must be 2-dimensional, got shape {shape}")
        indptr, indices, data, self._b = read_rows((A, b), shape[1])
        self._matrix = sparse.csr_array((data, indices, indptr), shape=(len(self._b), shape[1]))
        m = len(self._b)
        self._size = min(m, max(100, m // 10) if size is None else check_count(size, "size"))
        self._rng = check_rng(rng)
        self._interior = None if interior is None else self._point(interior, "interior")
        self.rows_seen = 0
        if self._interior is not None:
            self._room = self._b - self._matrix @ self._interior
            if (self._room < 0).any():
                raise ValueError(f"interior must satisfy A x < b, but breaks {(self._room < 0).sum()} rows")

    def __call__(self, x: Array) -> tuple[Any, Array]:
        """Broken rows among those drawn; where there is none, among all."""
        x = self._point(x, "x")
        rows = np.sort(self._rng.choice(len(self._b), self._size, replace=False, shuffle=False))
        drawn = self._matrix[rows]
        broken = drawn @ x > self._b[rows]
        self.rows_seen += len(rows)
        return (drawn[broken], self._b[rows[broken]]) if broken.any() else self.check(x)

    def check(self, x: Array) -> tuple[Any, Array]:
        """All broken rows."""
        x = self._point(x, "x")
        self.rows_seen += len(self._b)
        broken = self._matrix @ x > self._b
        return self._matrix[broken], self._b[broken]

    def feasible(self, x: Array) -> Array | None:
        """The last point within all rows on the way from `interior` to x; None without `interior`."""
        if self._interior is None:
            return None
        x = self._point(x, "x")
        self.rows_seen += len(self._b)
        climb = self._matrix @ (x - self._interior)
        with np.errstate(over="ignore"):
            limits = self._room[climb > 0] / climb[climb > 0]
        step = min(1.0, float(limits.min(initial=1.0)) * (1 - 4 * np.finfo(float).eps))
        return self._interior + step * (x - self._interior)

    def _point(self, x: Any, name: str) -> Array:
        return check_vector(x, name, length=self._matrix.shape[1])
