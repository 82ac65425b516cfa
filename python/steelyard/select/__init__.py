"""Which few items must we look at: seeds that spread over the data."""

from __future__ import annotations

from ._seeding import Seeding, kmeans_plusplus

__all__ = ["Seeding", "kmeans_plusplus"]
