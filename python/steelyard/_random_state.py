"""scikit-learn's random_state for what draws by Generators; imported by estimators alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def generator(random_state: Any) -> np.random.Generator:
    """A Generator that a random_state seeds."""
    try:
        state = check_random_state(random_state)
    except (ValueError, TypeError) as error:
        raise ValueError(f"random_state can't seed a numpy.random.RandomState: {error}") from None
    return np.random.default_rng(state.randint(2**31 - 1))
