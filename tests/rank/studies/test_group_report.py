"""Boards of groups as a page: a tab each, whatever labels hold."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import html5lib
import numpy as np
import pytest

from steelyard.cli import main
from steelyard.rank import Comparisons, fit_groups

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=y>',
    "</style>",
    "=1+1",
    "a\u202eb",
    "$x^$",
    " & ",
]
TAME = list("abcdefg")


def votes(labels):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 7, 900)
    b = (a + rng.integers(1, 7, 900)) % 7
    group = rng.integers(0, 3, 900)
    strength = np.linspace(1, -1, 7)
    flip = np.where(group == 2, -1.0, 1.0)
    won = rng.random(900) < 1 / (1 + np.exp(-flip * (strength[a] - strength[b])))
    names = np.array(labels, dtype=object)
    return names[np.where(won, a, b)], names[np.where(won, b, a)], names[group]


@functools.cache
def page(hostile=False, **options):
    labels = HOSTILE if hostile else TAME
    winner, loser, group = votes(labels)
    fit = fit_groups(Comparisons.from_pairs(winner, loser, group=group), width=0.7)
    with tempfile.TemporaryDirectory() as folder:
        return fit, fit.report(Path(folder) / "p.html", **options).read_text(encoding="utf-8")


def tree(text):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def test_a_tab_a_group_and_the_ratings_of_its_board():
    fit, text = page()
    tabs = [section for section in tree(text).iter("section") if "data-tab" in section.attrib]
    assert [section.find("h2").text for section in tabs] == ["a", "b", "c"]
    for label, section in zip(fit.groups.tolist(), tabs, strict=True):
        rows = next(iter(section.iter("tbody")))
        shown = [float(row.findall("td")[1].attrib["data-k"]) for row in rows]
        board = fit.board(label)
        np.testing.assert_allclose(shown, 1000 + 400 / np.log(10) * board["rating"], atol=1e-6)
        assert ["".join(row.find("th").itertext()).strip() for row in rows] == board["item"].tolist()


def test_differences_that_are_not_real_are_marked():
    fit, text = page()
    real = fit.differences()["real"]
    (section,) = [s for s in tree(text).iter("section") if s.find("h2").text == "Differences"]
    marked = [row.attrib.get("class", "") == "marked" for row in next(iter(section.iter("tbody")))]
    assert marked == (~real).tolist()
    assert f"{int(real.sum())} differences between groups are real" in text


def test_labels_change_no_element():
    tame, hostile = ([element.tag for element in tree(page(kind)[1]).iter()] for kind in (False, True))
    tame, hostile = (
        [tag for tag in tags if tag not in ("use", "g", "path", "defs", "rect", "text")]
        for tags in (tame, hostile)
    )
    assert tame == hostile


def test_the_page_is_the_same_again_and_says_what_it_was_told():
    first = page(title="Languages", data="Votes.", notes=("One.",), scale="log")[1]
    assert "<title>Languages</title>" in first
    assert "Votes." in first
    assert "One." in first
    page.cache_clear()
    assert page(title="Languages", data="Votes.", notes=("One.",), scale="log")[1] == first


def test_wrong_use_is_named(tmp_path):
    fit = page()[0]
    with pytest.raises(ValueError, match=r"path must end in \.html"):
        fit.report(tmp_path / "p.txt")
    with pytest.raises(ValueError, match="scale"):
        fit.report(tmp_path / "p.html", scale="probability")


def test_the_command_writes_it(tmp_path, capsys):
    winner, loser, group = votes(TAME)
    rows = [f"{w},{x},{g}" for w, x, g in zip(winner, loser, group, strict=True)]
    (tmp_path / "v.csv").write_text("winner,loser,language\n" + "\n".join(rows) + "\n")
    out = tmp_path / "board.html"
    assert main(["rank", str(tmp_path / "v.csv"), "--by", "language", "--report", str(out)]) == 0
    assert "groups, drawn to the whole" in capsys.readouterr().out
    text = out.read_text()
    assert text.count('data-tab="Boards"') == 3
    assert "Boards: " in text
