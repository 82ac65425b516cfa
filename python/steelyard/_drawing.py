"""What pictures share: axes, rows of names, colours that suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._spelling import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAME = 36  # characters of a label beside the axes
_COLOURS = 10  # of matplotlib's own, after which they come again
_LEGEND_ROWS = 22


def draw_rows(items: Any, middle: Any, lower: Any, upper: Any, ax: Axes | None) -> Axes:
    """One point and one bar an item, first item on top."""
    place = np.arange(len(items))
    axes, room = rows_of(ax, len(items), 0.24)
    finite = np.concatenate([x[np.isfinite(x)] for x in (middle, lower, upper)])
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    ends = [np.clip(np.nan_to_num(x, nan=0.0), low, high) for x in (lower, upper)]
    axes.hlines(place, ends[0], ends[1], color="0.6", linewidth=min(1.5, 0.4 * room))
    axes.plot(middle, place, "o", markersize=min(4.0, 0.8 * room), color="C0")
    name_rows(axes, [short(item) for item in items], room)
    axes.set_ylim(len(items) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    return axes


def short(label: object) -> str:
    """Without the middle of a very long label, which would take the axes' room."""
    text = str(label)
    return text if len(text) <= _NAME else f"{text[: _NAME - 10]}\u2026{text[-9:]}"


def rows_of(ax: Axes | None, count: int, inches: float) -> tuple[Axes, float]:
    """Axes for so many rows, new ones of this height a row, and the room of a row in points."""
    axes = axes_of(ax, 1.2 + inches * count)
    return axes, 72 * inches if ax is None else size_of(axes)[1] / max(count, 1)


def size_of(axes: Axes) -> tuple[float, float]:
    """Width and height."""
    extent, inch = axes.get_window_extent(), axes.figure.get_dpi()
    return float(extent.width * 72 / inch), float(extent.height * 72 / inch)


def name_columns(axes: Axes, names: list[str]) -> float:
    """A name a column, slanted where columns are narrow; returns the room of a column in points."""
    room = 0.6 * size_of(axes)[0] / max(len(names), 1)  # the rest is for names of rows and a scale of colours
    axes.set_xticks(range(len(names)), names, parse_math=False)
    if 6 * max(map(len, names), default=0) > room:
        axes.tick_params(axis="x", labelrotation=45)
        for tick in axes.get_xticklabels():
            tick.set_horizontalalignment("right")
            tick.set_rotation_mode("anchor")
    return room


def name_rows(axes: Axes, names: list[str], room: float) -> None:
    """A name a row; smaller ones where rows are narrow (in points), and then every so many."""
    step = max(1, int(np.ceil(6 / room)))
    axes.set_yticks(range(0, len(names), step), names[::step], parse_math=False)
    if room < 12:
        axes.tick_params(axis="y", labelsize=min(0.8 * room * step, 10.0))


def count_on(axes: Axes) -> None:
    """Whole numbers along x."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def distinguish(axes: Axes, count: int) -> None:
    """As many colours as lines, where matplotlib's own would come again."""
    if count > _COLOURS:
        from matplotlib import colormaps

        axes.set_prop_cycle(color=colormaps["turbo"](np.linspace(0.02, 0.98, count)))


def add_legend(axes: Axes, count: int) -> None:
    """Inside; beside the axes, in columns, where it is long and the figure makes room."""
    options: dict[str, Any] = {"frameon": False}
    if count > _COLOURS:
        options |= {"fontsize": 7, "ncols": -(-count // _LEGEND_ROWS)}
        if axes.figure.get_layout_engine() is not None:
            options |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.0}
    for text in axes.legend(**options).get_texts():
        text.set_parse_math(False)  # a $ in a name is no formula


def colours(parted: bool) -> Any:
    """Maps of colours that a white ground does not swallow; a parted one is grey at zero, blue below it."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap

    if parted:
        return LinearSegmentedColormap.from_list("steelyard", ["#2166ac", "#969696", "#b2182b"])
    return ListedColormap(colormaps["viridis_r"](np.linspace(0.2, 1.0, 256)))


def check_offers(thing: Any, name: str, *attributes: str) -> None:
    """TypeError unless it has what is drawn."""
    missing = [attribute for attribute in attributes if not hasattr(thing, attribute)]
    if missing:
        raise TypeError(f"{name} must be a result that offers {missing[0]}, got {shown(thing)}")


def axes_of(ax: Axes | None, height: float) -> Axes:
    """Those given, or new ones of this height in inches."""
    if ax is None:
        return new_axes(height)
    if not (hasattr(ax, "set_xlabel") and hasattr(ax, "plot")):
        raise TypeError(f"ax must be matplotlib axes or None, got {shown(ax)}")
    return ax


def new_axes(height: float) -> Axes:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError('plotting needs matplotlib: pip install "steelyard[plot]"') from None
    figure = pyplot.figure(figsize=(7, height), layout="constrained")
    axes: Axes = figure.add_subplot()
    return axes
