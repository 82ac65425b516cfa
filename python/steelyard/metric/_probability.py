"""Probabilities that two items are the same, as signed weights."""

from __future__ import annotations

import numpy as np

from .._validate import check_number
from ._pairs import Array

_CLIP = 1e-6


def logit(p: Array, name: str) -> Array:
    """log p - log(1 - p) of probabilities, clipped."""
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"{name} must lie in 0 .. 1 for formulation='probability', got {p.min()} to {p.max()}"
        )
    p = np.clip(p, _CLIP, 1.0 - _CLIP)
    return np.asarray(np.log(p) - np.log1p(-p))


def shift_of(formulation: str, prior: float, trained_prior: float) -> float:
    """What another share of matches than that of the training data adds to each logit."""
    logits = []
    for value, name in ((prior, "prior"), (trained_prior, "trained_prior")):
        share = check_number(value, name)
        if not 0 < share < 1:
            raise ValueError(f"{name} must lie strictly between 0 and 1, got {share}")
        if share != 0.5 and formulation != "probability":
            raise ValueError(f"{name} goes with formulation='probability', got {formulation!r}")
        logits.append(np.log(share) - np.log1p(-share))
    return float(logits[0] - logits[1])
