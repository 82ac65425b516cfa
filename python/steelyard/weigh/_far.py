"""How far products by the far field are off: proven by the kernel, or seen in rows made directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .. import _core
from ._spaces import Space

_ROWS = 1000
_PAIRS = 2e8  # of direct rows: fewer rows where there are very many points
MARGIN = 4.0  # times what the rows show


@dataclass(frozen=True)
class Deviation:
    """Of Z w as computed: its root mean square over rows, and of w'Zw."""

    rms: float
    weighted: float
    kind: Literal["rigorous", "estimate"]


EXACT = Deviation(0.0, 0.0, "rigorous")  # but for rounding, which is counted elsewhere


def some_rows(n: int) -> npt.NDArray[np.int32]:
    """Rows to make directly."""
    count = min(n, _ROWS, max(100, int(_PAIRS / n)))
    return np.sort(np.random.default_rng(n).choice(n, count, replace=False)).astype(np.int32)


def deviation(
    space: Space, core_scale: float, out: Mapping[str, Any], threads: int, place: int = 0
) -> Deviation:
    """Of the product behind the residuals of one column."""
    column = out["columns"][place]
    if column["rigorous"] or out["info"]["interrupted"]:
        kind: Literal["rigorous", "estimate"] = "rigorous" if column["rigorous"] else "estimate"
        return Deviation(float(column["deviation"]), float(column["weighted_deviation"]), kind)
    n, w = space.n_unique, np.ascontiguousarray(out["weights"][:, place])
    rows = some_rows(n)
    exact = _core.weigh._chosen_products(space.core, core_scale, rows, w, threads)
    off = np.abs(1.0 - exact - out["residuals"][rows, place])
    return Deviation(
        MARGIN * float(np.sqrt(np.mean(off**2))),
        MARGIN * float(np.mean(np.abs(w[rows]) * off)) * n,
        "estimate",
    )
