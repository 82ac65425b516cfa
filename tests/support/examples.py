"""How many examples hypothesis draws: few and the same in every run, or many random ones for `.ci/long`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import settings

THOROUGH = os.environ.get("STEELYARD_EXAMPLES") == "thorough"
TIMES = 20 if THOROUGH else 1


def load_profile() -> None:
    """Of every test that does not say how many examples it takes."""
    settings.register_profile("steelyard", deadline=None, derandomize=not THOROUGH, max_examples=30 * TIMES)
    settings.load_profile("steelyard")


def examples(count: int) -> Callable[[Any], Any]:
    """@examples(12) above @given: the count by default."""
    return settings(max_examples=count * TIMES)
