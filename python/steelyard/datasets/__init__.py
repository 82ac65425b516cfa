"""Data sets to try things on."""

from __future__ import annotations

from .._naming import claim
from ._load import Dataset, load_football, load_iris, load_lalonde, load_llmfao, load_nsw, path

__all__ = ["Dataset", "load_football", "load_iris", "load_lalonde", "load_llmfao", "load_nsw", "path"]

claim(__name__, __all__, globals())
