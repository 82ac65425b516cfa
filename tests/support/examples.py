"""How many examples hypothesis draws.

STEELYARD_EXAMPLES says: by default few, the same in every run; "thorough": many random ones, for `.ci/long`;
"few": a handful, where another run has drawn them already.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import settings

ASKED = os.environ.get("STEELYARD_EXAMPLES", "")
THOROUGH = ASKED == "thorough"
TIMES = {"thorough": 20.0, "few": 0.2}.get(ASKED, 1.0)


def scaled(count: int) -> int:
    return max(2, round(count * TIMES))


def load_profile() -> None:
    """Of every test that does not say how many examples it takes."""
    settings.register_profile("steelyard", deadline=None, derandomize=not THOROUGH, max_examples=scaled(30))
    settings.load_profile("steelyard")


def examples(count: int) -> Callable[[Any], Any]:
    """@examples(12) above @given: the count by default."""
    return settings(max_examples=scaled(count))
