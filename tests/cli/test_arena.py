"""`steelyard rank` on votes as arenas publish them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.rank import Comparisons, bradley_terry


def votes(seed=0, m=400):
    """Ties of both kinds, counts inside of an object, texts, turns, languages and prompts that come again."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(m):
        a, b = rng.choice(4, 2, replace=False)
        tokens = rng.integers(10, 500, 2)
        chance = 1 / (1 + np.exp(-(0.4 * (b - a) + (tokens[0] - tokens[1]) / tokens.sum())))
        draw = rng.random()
        winner = (
            "tie"
            if draw < 0.1
            else "tie (bothbad)"
            if draw < 0.2
            else "model_a"
            if rng.random() < chance
            else "model_b"
        )
        heads, bold = rng.integers(0, 4, 2), rng.integers(0, 3, 2)
        rows.append(
            {
                "model_a": f"m{a}",
                "model_b": f"m{b}",
                "winner": winner,
                "turn": int(rng.integers(1, 3)),
                "language": "English" if rng.random() < 0.7 else "German",
                "prompt": f"p{rng.integers(0, 150)}",
                "sampled": bool(rng.random() < 0.5),
                "conv_metadata": {
                    "sum_assistant_a_tokens": int(tokens[0]),
                    "sum_assistant_b_tokens": int(tokens[1]),
                    "header_count_a": {"h1": int(heads[0]), "h2": 1},
                    "header_count_b": {"h1": int(heads[1]), "h2": 0},
                    "list_count_a": {"ordered": 0, "unordered": int(rng.integers(0, 3))},
                    "list_count_b": {"ordered": 1, "unordered": int(rng.integers(0, 3))},
                    "bold_count_a": {"**": int(bold[0])},
                    "bold_count_b": {"**": int(bold[1])},
                },
            }
        )
    return rows


def share(a, b):
    return (a - b) / (a + b) if a + b else 0.0


def plain(rows, style=True):
    sides = ("a", "b")
    meta = [row["conv_metadata"] for row in rows]
    columns = {
        "length": [share(*(x[f"sum_assistant_{s}_tokens"] for s in sides)) for x in meta],
        "headers": [share(*(sum(x[f"header_count_{s}"].values()) for s in sides)) for x in meta],
        "lists": [share(*(sum(x[f"list_count_{s}"].values()) for s in sides)) for x in meta],
        "bold": [share(*(sum(x[f"bold_count_{s}"].values()) for s in sides)) for x in meta],
    }
    frame = {name: [row[name] for row in rows] for name in ("model_a", "model_b", "winner")}
    games = Comparisons.from_frame(
        {**frame, **columns},
        left="model_a",
        right="model_b",
        outcome="winner",
        covariates=list(columns) if style else None,
    )
    return bradley_terry(games, covariates=style)


def ratings(capsys, *options):
    assert main(["rank", *options, "--top", "0"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.split()[:1] == ["rank"])
    cells = [line.split() for line in lines[start + 1 :] if line.strip()]
    return text, {word: float(row[row.index(word) + 1]) for row in cells for word in row if word[0] == "m"}


@pytest.fixture(params=["jsonl", "parquet"])
def file(request, tmp_path):
    def write(rows):
        path = tmp_path / f"votes.{request.param}"
        text = "\n".join(map(json.dumps, rows))
        source = tmp_path / "rows.jsonl"
        source.write_text(text)
        if request.param == "jsonl":
            source.rename(path)
        else:
            duckdb = pytest.importorskip("duckdb")
            duckdb.connect().sql(f"COPY (FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")
        return str(path)

    return write


def test_style_is_taken_out_as_by_the_covariates_of_the_library(file, capsys):
    rows = votes()
    text, found = ratings(capsys, file(rows), "--style", "length,markdown", "--scale", "log")
    fit = plain(rows)
    for item, strength in zip(fit.items.tolist(), fit.strengths, strict=True):
        assert found[item] == pytest.approx(strength, abs=0.006)
    for name, value in zip(fit.coefficients.names, fit.coefficients.values, strict=True):
        assert f"{name} {value:+.3f}" in text


def test_parts_of_the_votes_are_ranked(file, capsys):
    rows = votes()
    path = file(rows)
    some = [row for row in rows if row["language"] == "English" and row["turn"] == 1]
    text, found = ratings(capsys, path, "--only", "language=english", "--only", "turn=1", "--scale", "log")
    fit = plain(some, style=False)
    assert f"{len(some)} comparisons" in text
    for item, strength in zip(fit.items.tolist(), fit.strengths, strict=True):
        assert found[item] == pytest.approx(strength, abs=0.006)
    text, _ = ratings(capsys, path, "--dedup", "prompt")
    assert f"one vote a prompt: {len({row['prompt'] for row in rows})} comparisons" in text
    text, _ = ratings(capsys, path, "--dedup", "sampled")
    assert f"{sum(row['sampled'] for row in rows)} comparisons" in text


def test_of_a_prompt_that_comes_again_the_first_vote_counts(file, capsys):
    rows = votes()
    first = list({row["prompt"]: row for row in reversed(rows)}.values())
    _, found = ratings(capsys, file(rows), "--dedup", "prompt", "--scale", "log")
    fit = plain(first, style=False)
    for item, strength in zip(fit.items.tolist(), fit.strengths, strict=True):
        assert found[item] == pytest.approx(strength, abs=0.006)


def test_style_is_counted_in_texts_where_no_column_counts_it(tmp_path, capsys):
    rows = votes()
    marks = {"headers": "# x\n", "lists": "- y\n", "bold": "**z** "}
    texts = []
    for row in rows:
        meta, out = row["conv_metadata"], {k: row[k] for k in ("model_a", "model_b", "winner")}
        for side in "ab":
            number = {name: sum(meta[f"{key}_count_{side}"].values()) for name, key in
                      (("headers", "header"), ("lists", "list"), ("bold", "bold"))}  # fmt: skip
            marked = "".join(marks[name] * k for name, k in number.items())
            out[f"response_{side}"] = marked + "\n" + "w" * meta[f"sum_assistant_{side}_tokens"]
        texts.append(out)
    path = tmp_path / "votes.jsonl"
    path.write_text("\n".join(map(json.dumps, texts)))
    text, _ = ratings(capsys, str(path), "--style", "markdown", "--scale", "log")
    rest = plain(rows)
    assert all(name in text for name in ("headers", "lists", "bold"))
    games = rest.comparisons
    fit = bradley_terry(games, covariates=["headers", "lists", "bold"])
    for name, value in zip(fit.coefficients.names, fit.coefficients.values, strict=True):
        assert f"{name} {value:+.3f}" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--style", "colour"),
            "there is no feature 'colour'; it knows length, headers, lists, bold, markdown",
        ),
        (("--only", "language=Latin"), "'language' is nowhere 'Latin'"),
        (("--only", "langage=English"), "did you mean 'language'"),
        (("--only", "English"), "must be COLUMN=VALUE"),
        (("--dedup", "promt"), "did you mean 'prompt'"),
    ],
)
def test_what_is_not_there_is_named(file, capsys, options, message):
    try:
        code = main(["rank", file(votes(m=40)), *options])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_style_without_its_columns_says_what_it_looks_for(tmp_path, capsys):
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nx,y,model_a\ny,x,model_a\n")
    assert main(["rank", str(path), "--style", "length"]) == 2
    assert "has no two columns for it" in capsys.readouterr().err
