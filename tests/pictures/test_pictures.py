"""Every plot with little, with usual and with much in it, against the hash of a picture that was looked at.

After a change that is meant: ``pytest -n 0 tests/pictures --mpl-generate-path=FOLDER
--mpl-generate-hash-library=tests/pictures/hashes.json``, look at the pictures, commit the hashes.
What is drawn is made by formulas, not by a solver: a picture changes only where drawing does.
"""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from steelyard import plotting

SIZES = {"small": 1, "normal": 12, "large": 60}
compared = pytest.mark.mpl_image_compare(hash_library="hashes.json", deterministic=True, style="default")
sizes = pytest.mark.parametrize("size", SIZES)


class Table(SimpleNamespace):
    """What plots read of a fit: fields, and columns by `to_frame`."""

    def to_frame(self, *, items=None, **_):
        return self.frame(items)

    def table(self):
        return self.columns

    def latest(self, count):
        return list(self.names[:count])

    def places(self):
        return self.points


def finished(axes):
    """Laid out once: a layout is not the same when a figure is saved twice."""
    axes.figure.draw_without_rendering()
    axes.figure.set_layout_engine("none")
    return axes.figure


def names(count):
    return np.array(
        [
            "a name that is as long as names of models are" if k % 10 == 3 else f"item {k}"
            for k in range(count)
        ],
        dtype=object,
    )


def ratings(count):
    place = np.arange(count)
    rating = 2.0 - 4.0 * (place + 0.5) / count
    half = 0.2 + 0.1 * np.cos(place)
    return {
        "item": names(count),
        "rating": rating,
        "lower": rating - half,
        "upper": np.where(place == count // 2, np.inf if count > 1 else 1.0, rating + half),
        "provisional": place % 7 == 4,
    }


@compared
@sizes
def test_strengths(size):
    count = SIZES[size]
    columns = ratings(count)

    def frame(items):
        some = np.isin(columns["item"].astype(str), np.asarray(items).astype(str))
        return {name: column[some] for name, column in columns.items()}

    fit = Table(items=columns["item"], order=np.arange(count), frame=frame)
    return finished(plotting.plot_strengths(fit))


@compared
@sizes
def test_rank_intervals(size):
    place = np.arange(1, SIZES[size] + 1)
    sets = SimpleNamespace(
        items=names(len(place)),
        rank=place,
        lower=np.maximum(place - 2, 1),
        upper=np.minimum(place + place % 4, len(place)),
        level=0.95,
        method="simultaneous",
    )
    return finished(plotting.plot_rank_intervals(sets, top=60))


@compared
@sizes
def test_estimates(size):
    return finished(plotting.plot_estimates(ratings(SIZES[size]), top=60))


@compared
@sizes
def test_groups(size):
    count = min(SIZES[size], 40)
    groups = {"small": 1, "normal": 4, "large": 9}[size]
    strengths = np.add.outer(np.sin(np.arange(groups)), 2 - 4 * np.arange(count) / count)
    strengths[np.add.outer(np.arange(groups), np.arange(count)) % 11 == 10] = np.nan
    boards = SimpleNamespace(
        items=names(count),
        groups=np.array([f"language {k}" for k in range(groups)]),
        strengths=strengths,
        whole=2.0 - np.arange(count),
    )
    return finished(plotting.plot_groups(boards))


@compared
@sizes
def test_history(size):
    lines = {"small": 1, "normal": 5, "large": 40}[size]
    time = np.linspace(0, 10, {"small": 1, "normal": 30, "large": 100}[size])

    def frame(items):
        k = items[0]
        strength = np.sin(time / (1 + k / 7)) + k / 5
        return {"time": time, "strength": strength, "standard_error": 0.1 + 0.01 * time}

    history = Table(names=range(lines), frame=frame)
    return finished(plotting.plot_history(history, range(lines)))


def cloud(count):
    turn = 2.399963 * np.arange(count)  # a sunflower
    return np.sqrt(np.arange(count) / count)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])


@compared
@sizes
@pytest.mark.parametrize("sign", ["positive", "mixed"])
def test_weights_of_points(size, sign):
    points = cloud({"small": 1, "normal": 60, "large": 3000}[size])
    weights = (np.hypot(*points.T) ** 4 + 0.01) - (0.3 * (points[:, 0] > 0.5) if sign == "mixed" else 0.0)
    w = Table(points=points, weights=weights, magnitude=weights.sum(), scale=2.5)
    return finished(plotting.plot_weights(w))


@compared
@sizes
@pytest.mark.parametrize("kind", ["one feature", "none"])
def test_weights_without_a_plane(size, kind):
    weights = 1.0 / np.arange(1, SIZES[size] + 1)
    points = np.cos(np.arange(len(weights)))[:, None] if kind == "one feature" else None
    w = Table(points=points, weights=weights, magnitude=weights.sum(), scale=1.0)
    return finished(plotting.plot_weights(w))


@compared
@sizes
def test_magnitude_function(size):
    scales = np.geomspace(1e-3, 1e3, SIZES[size])
    f = SimpleNamespace(scales=scales, magnitudes=1 + 999 * scales / (1 + scales), n=1000)
    return finished(plotting.plot_magnitude_function(f))


@compared
@sizes
def test_cluster_sizes(size):
    labels = np.repeat(np.arange(SIZES[size]), 1000 // np.arange(1, SIZES[size] + 1))
    return finished(plotting.plot_cluster_sizes(SimpleNamespace(labels=labels)))


@compared
@sizes
def test_balance(size):
    place = np.arange(SIZES[size])
    before = np.where(place % 5 == 2, np.nan, 0.9 * np.cos(place) * np.exp(-place / 50))
    pairs = 2 if size == "normal" else 1
    columns = {
        "variable": names(len(place)),
        "arm": place % pairs,
        "against": np.full(len(place), 9),
        "smd_before": before,
        "smd_after": before / 10,
    }
    return finished(plotting.plot_balance(Table(columns=columns), top=60))


def test_every_plot_is_compared():
    drawn = {name for name in plotting.__all__ if name.startswith("plot_")}
    tested = {"plot_" + name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    tested |= {"plot_weights"} if "plot_weights_of_points" in tested else set()
    assert drawn <= tested, drawn - tested
