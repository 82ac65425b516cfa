"""Drawings by matplotlib as small SVG in a page: its inks follow light and dark, and nothing in it acts."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width
from xml.etree import ElementTree

from .page import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _PALE = "#010203", "#7a7b7c"  # stand for the page's own
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "steelyard",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_TAGS = {"svg", "g", "path", "defs", "use", "clipPath", "rect", "text", "tspan", "image"}
_PLAIN = {"d", "x", "y", "width", "height", "viewBox", "transform", "clip-path", "id", "href"}
_STYLES = {
    "fill",
    "fill-opacity",
    "opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
}
_INKS = {
    _INK: "currentColor",
    "#000000": "currentColor",
    "#ffffff": "var(--ground)",
    "white": "var(--ground)",
}
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOST = 1_000_000  # characters
_WIDE = 576.0  # points


def draw(
    title: str, plot: Callable[[Axes], object], *, key: str, height: float, says: str, note: str = ""
) -> Picture:
    """What `plot` draws on axes given; `says` is read instead of it, `key` tells its parts from others'."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('a report draws by matplotlib: pip install "steelyard[report]"') from None
    stream = io.StringIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that its own font lacks; the page's has them
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        figure = Figure(figsize=(_WIDE / 72, height))
        plot(figure.subplots())
        _fit_in(figure)
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return Picture(title, shrunk(stream.getvalue(), key, says), note)


def _fit_in(figure: Any) -> None:
    """Margins by the length of names: a page has fonts of its own, so that measuring them says no more."""
    axes, *beside = figure.axes
    high = 72 * figure.get_figheight()
    names = [label.get_text() for label in axes.get_yticklabels()]
    left = max(40.0, 12 + 6.3 * max(map(_width, names), default=0)) + (18 if axes.get_ylabel() else 0)
    figure.subplots_adjust(
        left=left / _WIDE,
        right=1 - (72 if beside else 14) / _WIDE,
        top=1 - (26 if axes.get_title() else 8) / high,
        bottom=40 / high,
    )


def _width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def shrunk(svg: str, key: str, says: str) -> str:
    """The elements and attributes that draw, and no others; numbers to a tenth of a point."""
    root = ElementTree.fromstring(_UNUSABLE.sub("\ufffd", svg))
    used = set(re.findall(r"(?:href=\"|url\()#([\w.-]+)", svg))
    text = "".join(_written(root, key, used, says))
    if len(text) > _MOST:
        raise ValueError(f"a drawing takes {len(text):,} characters, more than {_MOST:,}; draw fewer items")
    return text


def _written(element: Any, key: str, used: set[str], says: str = "") -> Iterator[str]:
    tag = _local(element.tag)
    if tag not in _TAGS:
        return
    found = _attributes(element, key, used)
    if says:
        found |= {"role": "img", "aria-label": says, "class": "chart"}
    words = "".join(f' {name}="{html.escape(value)}"' for name, value in found.items())
    inside = "".join(part for child in element for part in _written(child, key, used))
    own = html.escape((element.text or "").strip()) if tag in {"text", "tspan"} else ""
    if tag == "g" and not words and not own:
        yield inside
    elif inside or own or tag not in {"g", "defs"}:
        yield f"<{tag}{words}>{own}{inside}</{tag}>" if inside or own else f"<{tag}{words}/>"


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _attributes(element: Any, key: str, used: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for full, value in element.attrib.items():
        name = _local(full)
        if name == "style":
            found |= _styles(value)
        elif name in _STYLES:
            found |= _styles(f"{name}: {value}")
        elif name == "id":
            found |= {"id": f"{key}-{value}"} if value in used else {}
        elif name == "href":
            if value.startswith("#"):
                found["href"] = f"#{key}-{value[1:]}"
            elif value.startswith("data:image/png;base64,"):
                found["href"] = value
        elif name == "clip-path":
            found[name] = value.replace("url(#", f"url(#{key}-")
        elif name in _PLAIN and not value.endswith("pt"):  # the root's size is that of its box
            found[name] = value if name in {"viewBox", "transform"} and "scale" in value else _rounded(value)
    return found


def _styles(text: str) -> dict[str, str]:
    """Declarations as attributes, which a page that forbids styles in place lets pass."""
    found = {}
    for part in text.split(";"):
        name, _, value = (piece.strip() for piece in part.partition(":"))
        if name in _STYLES:
            found[name] = _INKS.get(value, value)
        size = re.search(r"([\d.]+)px", value) if name in {"font", "font-size"} else None
        if size:
            found["font-size"] = size[1]
    return found


def _rounded(text: str) -> str:
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), text)
