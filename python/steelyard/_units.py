"""Units that people count strengths in."""

from __future__ import annotations

import math

ELO = 400 / math.log(10)
"""Elo points of a natural-log strength of 1."""
