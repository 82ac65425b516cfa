"""Pages to publish: what they hold, and that nothing in them acts."""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import io
import re
import sys
import tempfile
import warnings
from collections import Counter
from importlib import resources
from pathlib import Path

import html5lib
import matplotlib
import numpy as np
import pytest

import steelyard
from steelyard import _report, rank
from steelyard._report import Column, draw, number_texts, plain
from steelyard.cli import main

HOSTILE = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)> '",
    "{{ 7*7 }}{% raw %}",
    "--><svg onload=alert(1)>]]>",
    "$x^2$ & <b>",
    "a\x00\x1b\u202e\ud800\nb",
    "=HYPERLINK(1)",
]
TAME = [f"item {k}" for k in range(7)]


def games(labels, **options):
    """Seven items whose order does not depend on their names; the first one is provisional."""
    rng = np.random.default_rng(5)
    place = np.arange(1, 7)
    first, second = (x.ravel() for x in np.meshgrid(place, place))
    first, second = np.repeat(first[first != second], 4), np.repeat(second[first != second], 4)
    wins = rng.random(len(first)) < 1 / (1 + np.exp((first - second) / 3.0))
    winner = np.append(np.where(wins, second, first), 0)
    loser = np.append(np.where(wins, first, second), 3)
    named = np.array(labels, dtype=object)
    return rank.Comparisons.from_pairs(named[winner], named[loser], items=labels, **options)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.DisconnectedWarning)
        yield


def fitted(labels=TAME):
    size = games(labels).n_comparisons
    style = np.random.default_rng(1).normal(size=int(size))
    return rank.bradley_terry(games(labels, covariates={labels[0]: style}), covariates=True, prior=1.0)


def graded(labels=TAME):
    left, right = [*labels, *labels], [*labels[1:], labels[0], *labels[2:], *labels[:2]]
    table = rank.GradedComparisons.from_grades(left, right, ["win", "tie"] * 7, levels=["win", "tie", "loss"])
    return rank.graded(table, prior=1.0)


def orders(labels=TAME):
    return rank.plackett_luce([labels, labels[::-1], labels[2:] + labels[:2]], prior=1.0)


def history(labels=TAME):
    table = games(labels, time=np.arange(games(labels).n_comparisons) // 20)
    return rank.whole_history(table, volatility=0.2, time_unit=1)


def teams(labels=TAME):
    rng = np.random.default_rng(2)
    sides = [rng.choice(len(labels), 4, replace=False) for _ in range(60)]
    left, right = ([[labels[i] for i in side[half]] for side in sides] for half in (slice(2), slice(2, 4)))
    return rank.team_strengths(left, right, rng.choice([1, -1], 60), items=labels, prior=1.0)


def judges(labels=TAME):
    rng = np.random.default_rng(3)
    pairs = [rng.choice(len(labels), 2, replace=False) for _ in range(90)]
    better, worse = ([labels[pair[k]] for pair in pairs] for k in (0, 1))
    judge = [labels[i % 3] for i in range(90)]
    table = rank.Comparisons.from_pairs(better, worse, items=labels, judge=judge)
    return rank.fit_judges(table, prior=1.0)


FITS = {
    "pairs": fitted,
    "graded": graded,
    "orders": orders,
    "history": history,
    "teams": teams,
    "judges": judges,
}


@functools.cache
def fit_of(kind, hostile=False):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.DisconnectedWarning)
        return FITS[kind](HOSTILE if hostile else TAME)


@functools.cache
def usual(kind="pairs", hostile=False):
    """The page of a fit as it is made by default."""
    with tempfile.TemporaryDirectory() as folder:
        return text_of(fit_of(kind, hostile), Path(folder))


def text_of(fit, folder, **options):
    return fit.report(folder / "page.html", **options).read_text(encoding="utf-8")


def tree(text):
    """The page as a browser reads it; any fault of its syntax is an error."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def local(element):
    return str(element.tag).rpartition("}")[2]


def elements(text, *, drawings=False):
    """Elements that hold tags, without those of drawings unless asked for."""
    found = []

    def walk(element):
        if isinstance(element.tag, str):
            found.append(element)
        if drawings or local(element) != "svg":
            for child in element:
                walk(child)

    walk(tree(text))
    return found


def rows(text, number=0):
    body = [e for e in elements(text) if local(e) == "table"][number].find("tbody")
    return [["".join(cell.itertext()) for cell in row] for row in body]


def downloads(text):
    found = {}
    for e in elements(text):
        if "download" in e.attrib:
            data = base64.b64decode(e.attrib["href"].partition(",")[2])
            found[e.attrib["download"]] = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    return found


@pytest.mark.parametrize("kind", FITS)
def test_an_anchor_is_one_on_pages_and_in_columns(kind, tmp_path):
    fit, file, column = fit_of(kind), "ranking.csv", "rating"
    if kind == "history":
        file, column = "latest.csv", "strength"
    anchor = {TAME[2]: 1234.0}
    found = downloads(text_of(fit, tmp_path, scale="elo", anchor=anchor))[file]
    table = fit.to_frame(scale="elo", anchor=anchor)
    ratings = dict(zip(table["item"].tolist(), table[column].tolist(), strict=True))  # the last of each
    assert {row["item"]: float(row[column]) for row in found} == ratings
    assert ratings[TAME[2]] == pytest.approx(1234.0, abs=1e-9)
    with pytest.raises(ValueError, match="anchor must be a mapping of one label"):
        fit.report(tmp_path / "page.html", anchor={})


@pytest.mark.parametrize("kind", FITS)
def test_a_page_is_whole_asks_for_nothing_and_names_no_address(kind):
    text = usual(kind)
    for element in elements(text, drawings=True):
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in {"src", "srcset", "style"}
            if name.endswith("href"):
                assert value.startswith(("#", "data:text/csv;"))
        assert local(element) not in {"link", "iframe", "img", "object", "form", "base"}
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    assert [local(e) for e in elements(text)].count("h1") == 1


@pytest.mark.parametrize("kind", FITS)
def test_labels_change_no_element_and_no_attribute_of_a_page(kind):
    kinds = [
        Counter((local(e), *sorted(e.attrib)) for e in elements(usual(kind, hostile)))
        for hostile in (False, True)
    ]
    assert kinds[0] == kinds[1]
    text = usual(kind, True)
    tags = {local(e) for e in elements(text, drawings=True)}
    assert {"script", "b"} & tags == {"script"}
    shown = "".join(tree(text).itertext())
    for label in HOSTILE:
        assert plain(label) in shown
    assert "\u202e" not in text


def test_the_policy_of_a_page_lets_in_its_own_script_and_style_alone():
    found = {local(e): e for e in elements(usual())}
    metas = [e.attrib for e in elements(usual()) if local(e) == "meta"]
    policy = next(m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy")
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(found[name].text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_the_script_is_short():
    assert len(resources.files(_report).joinpath("page.js").read_text().splitlines()) <= 200


def test_the_table_holds_ratings_intervals_rank_sets_and_tiers():
    fit = fit_of("pairs")
    text, table, sets = usual(), fit.to_frame(scale="elo"), fit.rank_intervals()
    shown = rows(text)
    assert [row[0] for row in shown] == [str(k) for k in range(1, 8)]
    assert [row[1].removesuffix(" provisional") for row in shown] == table["item"].tolist()
    assert [row[2] for row in shown] == number_texts(table["rating"].tolist(), 0)
    place = np.argsort(sets.rank)
    ends = zip(sets.lower[place].tolist(), sets.upper[place].tolist(), strict=True)
    assert [row[5] for row in shown] == [str(a) if a == b else f"{a} to {b}" for a, b in ends]
    assert [int(row[6]) for row in shown] == sets.tiers().to_frame()["tier"].tolist()


def test_provisional_items_are_marked_and_explained():
    fit, text = fit_of("pairs"), usual()
    marked = {row[1].split(" provisional")[0] for row in rows(text) if row[1].endswith("provisional")}
    table = fit.to_frame()
    assert marked == set(table["item"][table["provisional"]].tolist())
    assert "item 0" in marked
    assert "Provisional items stand apart" in text


def test_the_matrix_holds_expected_wins():
    fit, shown = fit_of("pairs"), rows(usual(), 1)
    best = fit.items[fit.order]
    assert shown[0][1:] == ["", *(f"{100 * fit.predict(best[0], b).win:.0f}" for b in best[1:])]


def test_numbers_to_download_are_those_of_the_fit_and_no_formulas():
    fit = fit_of("pairs", True)
    found = downloads(usual("pairs", True))
    table = fit.to_frame(scale="elo")
    assert [float(row["rating"]) for row in found["ranking.csv"]] == table["rating"].tolist()
    labels = [row["item"] for row in found["ranking.csv"]]
    assert "'=HYPERLINK(1)" in labels
    assert "=HYPERLINK(1)" not in labels
    effects = fit.coefficients.to_frame()
    assert float(found["style.csv"][0]["value"]) == effects["value"][0]


def test_a_page_says_how_it_was_made(tmp_path):
    text = text_of(fit_of("pairs"), tmp_path, title="Tennis", data="All games", notes=["By hand."])
    terms = [e.text for e in elements(text) if local(e) == "dt"]
    assert terms == ["Data", "Model", "Prior", "Intervals", "Rank sets", "Certificate", "Version"]
    said = "".join(tree(text).itertext())
    for words in ("Tennis", "All games", "By hand.", steelyard.__version__, "standard errors of the optimum"):
        assert words in said
    assert "never lost" in said


def test_a_fit_that_did_not_converge_says_so_on_top(tmp_path):
    with pytest.warns(steelyard.ConvergenceWarning):
        fit = rank.bradley_terry(games(TAME), prior=1.0, solver="zermelo", max_iter=1)
    text = text_of(fit, tmp_path)
    assert text.index("did not converge") < text.index("<main>")


def test_some_of_the_items_and_bootstrapped_intervals_are_shown(tmp_path):
    fit = fit_of("orders")
    some = text_of(fit, tmp_path, items=TAME[:3], scale="log")
    assert len(rows(some)) == 3
    assert "3 of 7 items are shown." in some
    wild = rank.bradley_terry(rank.Comparisons.from_counts([[0, 3, 0], [1, 0, 2], [1, 1, 0]]))
    assert "\u221e" in text_of(wild, tmp_path, uncertainty=wild.bootstrap(40, method="multinomial", rng=0))


def test_two_hundred_items_take_less_than_a_megabyte_and_the_matrix_holds_fifty(tmp_path):
    rng = np.random.default_rng(0)
    names = np.array([f"model number {k} of the <arena> & its friends" for k in range(200)])
    first, second = rng.integers(0, 200, (2, 9000))
    keep = first != second
    table = rank.Comparisons.from_pairs(names[first[keep]], names[second[keep]])
    text = text_of(rank.bradley_terry(table), tmp_path)
    assert len(text.encode()) < 400_000
    assert [len(rows(text)), len(rows(text, 1)), len(rows(text, 1)[0])] == [200, 50, 51]
    assert len(downloads(text)["ranking.csv"]) == 200


def test_the_same_fit_gives_the_same_bytes_whatever_the_style_of_pictures(tmp_path):
    fit, first = fit_of("history"), usual("history")
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "black", "svg.fonttype": "path"}):
        assert text_of(fit, tmp_path) == first
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_a_history_is_drawn_and_its_latest_strengths_are_listed():
    found, text = fit_of("history"), usual("history")
    shown = rows(text)
    table = found.to_frame(scale="elo")
    last = dict(zip(table["item"], table["strength"], strict=True))
    ordered = sorted(last, key=lambda item: -last[item])
    assert [row[1] for row in shown] == ordered
    assert [row[2] for row in shown] == number_texts([last[item] for item in ordered], 0)
    assert len(downloads(text)["history.csv"]) == len(found)
    drawn = [e for e in elements(text, drawings=True) if local(e) == "text"]
    assert ordered[0] in ["".join(e.itertext()) for e in drawn]


def test_intervals_are_drawn_in_the_frame_of_rows_that_are_not_marked():
    column = Column(
        "x", [0.0, 1.0, 50.0], kind="interval", lower=np.array([-1, 0, -np.inf]), upper=np.array([1, 2, 99.0])
    )
    drawn = column.drawn(np.array([False, False, True]))
    assert drawn[0] == (5, 105, 55)
    assert drawn[2] == (5, 155, 155)
    one = Column("x", [3.0], kind="interval", lower=np.array([3.0]), upper=np.array([3.0]))
    assert one.drawn() == [(80, 80, 80)]


def test_a_drawing_keeps_what_draws_and_nothing_else():
    picture = draw("t", lambda axes: axes.text(0, 0, "<a href='x'>\x07"), key="k", height=2, says='a "b"')
    found = html5lib.parseFragment(picture.svg, namespaceHTMLElements=False)
    names = {local(e) for e in found.iter()} - {"DOCUMENT_FRAGMENT"}
    assert names <= {"svg", "g", "path", "defs", "use", "clipPath", "rect", "text", "tspan"}
    assert 'aria-label="a &quot;b&quot;"' in picture.svg
    assert "metadata" not in picture.svg
    assert all(not ("id" in e.attrib and not e.attrib["id"].startswith("k-")) for e in found.iter())


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_a_missing_package_names_the_extra(module, tmp_path, monkeypatch):
    fit = fit_of("pairs")
    _report.render.__globals__["_template"].cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"steelyard\[report\]"):
        fit.report(tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_mean_that_swallows_differences_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"^elo_mean must lie between -1e9 and 1e9 to be drawn, got -1e\+308"
    ):
        fit_of("history").report(tmp_path / "page.html", elo_mean=-1e308)
    assert "1,000,000,0" in text_of(fit_of("history"), tmp_path, elo_mean=1e9)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"path": 3}, "path must be a file name, got 3"),
        ({"path": "board.txt"}, "path must end in .html, got 'board.txt'"),
        ({"path": "/nowhere at all/board.html"}, "path names a folder that is not there"),
        ({"title": 3}, "title must be a text or None, got 3"),
        ({"notes": "one"}, "notes must be a list of sentences, got 'one'"),
        ({"notes": [1]}, "notes must be a list of sentences, got [1]"),
        ({"notes": 10**5000}, "notes must be a list of sentences, got an integer of"),
        ({"scale": "ELO"}, "scale must be one of"),
        ({"level": 95}, "did you mean 0.95"),
    ],
)
@pytest.mark.parametrize("kind", ["orders", "history"])
def test_wrong_arguments_are_named_before_anything_is_written(kind, wrong, says, tmp_path):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        fit_of(kind).report(**({"path": tmp_path / "page.html"} | wrong))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\tb", "a b"), ("\u202ea", "\\u202ea"), ("\ud800", "\\ud800"), ("x" * 200, "x" * 119 + "\u2026")],
)
def test_labels_are_one_line_in_which_nothing_acts_unseen(value, text):
    assert plain(value) == text


def test_numbers_have_a_real_minus_and_no_zero_below_zero():
    texts = number_texts([-1234.5, -0.001, np.inf, -np.inf, np.nan, 2], 1)
    assert texts == ["\u22121,234.5", "0.0", "\u221e", "\u2212\u221e", "unknown", "2.0"]
    assert number_texts([0.2, -0.2, 0.0], 1, sign=True) == ["+0.2", "\u22120.2", "0.0"]


# ---- the command line


VOTES = "model_a,model_b,winner\n" + "a,b,model_a\nb,c,model_a\nc,a,model_a\n" * 4
DATED = "date,left,right,winner\n2020-01-01,a,b,left\n2021-01-01,b,c,left\n2022-01-01,c,a,left\n"
SQUARE = "a,b,c\n0,1,5\n1,0,1\n5,1,0\n"
CLOUD = "x,y,name\n" + "".join(f"{k % 5},{k * k % 7},=p{k}\n" for k in range(30))


@pytest.mark.parametrize(
    ("command", "data", "says"),
    [
        (["rank", "--half-life", "400"], DATED, "Half-life 400"),
        (["history", "--volatility", "0.3"], DATED, "2022-01-01"),
        (["metric", "check"], SQUARE, "1 of 3 triangle inequalities broken"),
        (["metric", "repair"], SQUARE, "Nearest metric: objective 1.5"),
        (["weigh"], CLOUD, "The larger a point, the more it weighs"),
        (["select", "--size", "5", "--clusters", "2"], CLOUD, "effective sample size"),
        (["select", "--size", "5", "--method", "medoids"], CLOUD, "5 medoids"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_a_command_writes_its_page(command, data, says, tmp_path, capsys):
    file, page = tmp_path / "<b>.csv", tmp_path / "page.html"
    file.write_text(data)
    assert main([*command, str(file), "--report", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert says in "".join(tree(text).itertext())
    assert not any(local(e) == "b" for e in elements(text, drawings=True))
    assert downloads(text)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["<b>.csv", "page.html"]


def test_a_page_holds_more_rows_than_the_terminal(tmp_path, capsys):
    file, page = tmp_path / "points.csv", tmp_path / "page.html"
    file.write_text(CLOUD)
    assert (
        main(["select", str(file), *["--size", "9", "--clusters", "2", "--top", "2", "--report"], str(page)])
        == 0
    )
    assert "... and 7 more rows" in capsys.readouterr().out
    assert len(rows(page.read_text(encoding="utf-8"))) == 9


def test_a_report_needs_its_packages_and_a_page(tmp_path, capsys, monkeypatch):
    file = tmp_path / "votes.csv"
    file.write_text(VOTES)
    assert main(["rank", str(file), "--report", str(tmp_path / "board.pdf")]) == 2
    assert "must end in .html, .htm" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["rank", str(file), "--report", str(tmp_path / "board.html")]) == 2
    assert 'pip install "steelyard[report]"' in capsys.readouterr().err
