"""One zoo of data for all solvers: a new animal reaches every trial of its kind by itself."""

from . import distances, games, graphs, points, predictions, programs, samples  # noqa: F401, I001  (they register)
from . import hostile  # noqa: F401  (animals of all these kinds)
from .registry import Instance, instance, instances, reduced, size_of

__all__ = ["Instance", "instance", "instances", "reduced", "size_of"]
