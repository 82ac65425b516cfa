"""Right and wrong answers of persons to items."""

from __future__ import annotations

from .item_response import ItemResponseFit, irt
from .rasch import RaschFit, rasch

__all__ = ["ItemResponseFit", "RaschFit", "irt", "rasch"]
