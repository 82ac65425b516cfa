"""What a fit asks of its table before any work, and of the home sides of a prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import DisconnectedError, DisconnectedWarning, warn
from ..._spelling import shown
from .comparisons import Comparisons
from .components import ComponentReport


def require_comparisons(given: Any) -> Comparisons:
    """What was given; TypeError for anything but `Comparisons`."""
    if not isinstance(given, Comparisons):
        raise TypeError(
            f"comparisons must be a Comparisons (see Comparisons.from_pairs), got {type(given).__name__}"
        )
    return given


def refuse_parts(report: ComponentReport, prior: float, way: str) -> None:
    """Of a table in several parts: raises without a prior, and warns where the prior alone compares some."""
    words = report.describe()
    if prior == 0:
        raise DisconnectedError(
            f"the strengths have no finite optimum: {words} Ways out: a prior (prior=1), or {way}", report
        )
    warn(f"some items are compared through the prior alone: {words}", DisconnectedWarning)


def home_signs(home: Any, fitted: bool, option: str = "home=True") -> npt.NDArray[np.int_]:
    """Who is at home: +1, -1 or 0; all 0 where no advantage was fitted, which `option` would have done."""
    sign = np.asarray(home)
    if sign.dtype.kind not in "iub" or not np.isin(sign, (-1, 0, 1)).all():
        raise ValueError(f"home must be -1, 0 or +1, got {shown(home)}")
    if not fitted and sign.any():
        raise ValueError(f"home must be 0 for a fit without home advantage (fit with {option})")
    return sign.astype(np.int_, copy=False)
