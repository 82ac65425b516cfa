"""Labels to positions, with one KeyError for all."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard._labels import position, positions

PLACES = {"ann": 0, "ben": 1}


def test_a_label_has_a_position():
    assert position(PLACES, "ben") == 1
    np.testing.assert_array_equal(positions(PLACES, ["ben", "ann", "ben"]), [1, 0, 1])
    assert positions(PLACES, []).shape == (0,)


@pytest.mark.parametrize(("label", "shown"), [("cid", "'cid'"), (["ann"], r"\['ann'\]"), (3, "3")])
def test_an_unknown_label_is_named_with_the_number_of_those_known(label, shown):
    with pytest.raises(KeyError, match=f"no climber {shown} among the 2 climbers"):
        position(PLACES, label, "climber")
    with pytest.raises(KeyError, match=f"no item {shown} among the 2 items"):
        positions(PLACES, ["ann", label])
