"""Models of rankings of many."""

from __future__ import annotations

from .plackett_luce import PlackettLuceFit, plackett_luce

__all__ = ["PlackettLuceFit", "plackett_luce"]
