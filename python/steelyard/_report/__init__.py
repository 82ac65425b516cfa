"""A page to publish: one HTML file that needs no network, from plain columns."""

from __future__ import annotations

from .page import Column, Grid, Matrix, Page, Picture, Section, Words
from .pictures import draw
from .render import check_page, check_text, render, save
from .texts import number_texts, plain, ranges

__all__ = [
    "Column",
    "Grid",
    "Matrix",
    "Page",
    "Picture",
    "Section",
    "Words",
    "check_page",
    "check_text",
    "draw",
    "number_texts",
    "plain",
    "ranges",
    "render",
    "save",
]
