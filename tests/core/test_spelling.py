"""How messages spell arguments."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import weigh
from steelyard._spelling import argument, spelt


def test_python_is_the_default():
    assert argument("scale") == "scale"
    assert argument("scale", "median") == "scale='median'"
    assert argument("outcome_map", {None: None}) == "outcome_map={None: None}"
    assert argument("outcome_map", code="{1: ...}") == "outcome_map={1: ...}"


def test_another_spelling_holds_inside_and_ends_with_an_error():
    wanted = r"^<X> must have at least 2 .* for <scale>'fraction', got 1$"
    with pytest.raises(ValueError, match=wanted), spelt(lambda name, code: f"<{name}>{code}"):
        weigh.weighting(np.zeros((3, 1)), scale="fraction")
    with pytest.raises(ValueError, match=r"^X must have at least 2 .* for scale='fraction', got 1$"):
        weigh.weighting(np.zeros((3, 1)), scale="fraction")
