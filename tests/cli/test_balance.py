"""`steelyard balance`: tables, effects, weights in a file, and what is refused."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard import cli, datasets, weigh

COVARIATES = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")


def run(capsys, *arguments):
    code = cli.main(["balance", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def write(path, rows, header=("arm", "age", "income", "y")):
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def rows_of(n=40, labels=("old", "new")):
    rng = np.random.default_rng(0)
    arm = np.arange(n) % len(labels)
    X = np.round(rng.normal(size=(n, 2)) + 0.3 * arm[:, None], 3)
    return [(labels[a], *x, round(x[0] + a, 3)) for a, x in zip(arm, X.tolist(), strict=True)]


def test_the_experiment_gives_the_librarys_numbers(capsys, tmp_path):
    code, out, err = run(
        capsys, "nsw", "--treatment", "treat", "--outcome", "re78", "--output", tmp_path / "weights.csv"
    )
    data = datasets.load_nsw().columns
    found = weigh.balance(np.column_stack([data[name] for name in COVARIATES]), data["treat"])
    effect = found.effect(data["re78"])
    assert (code, err) == (0, "")
    assert f"Effect on re78: {effect.estimate:.6g}, standard error {effect.standard_error:.3g}" in out
    assert "treat, treated 1; 0: 260 rows, effective 129." in out
    assert out.splitlines()[0].startswith("nsw: 445 rows, 8 columns: age, educ")
    assert next(line for line in out.splitlines() if line.startswith("nodegree")).split()[4] == "+0.278"
    with (tmp_path / "weights.csv").open() as file:
        written = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["weight"]) for row in written], found.weights, atol=1e-15)
    assert written[0]["re78"] == "9930.046"


def test_a_picture_is_drawn(capsys, tmp_path):
    path = tmp_path / "love.png"
    assert run(capsys, "nsw", "--treatment", "treat", "--plot", path)[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_words_name_arms_and_the_treated_one_is_asked_for(capsys, tmp_path):
    path = write(tmp_path / "t.csv", rows_of())
    code, out, err = run(capsys, path, "--treatment", "arm", "--outcome", "y")
    assert code == 2
    assert err.strip() == "steelyard: --treated must name one of the values of --treatment: 'new', 'old'"
    code, out, err = run(capsys, path, "--treatment", "arm", "--treated", "new", "--outcome", "y")
    assert code == 0, err
    assert "Effect on y: " in out
    assert "arm, treated new; new: 20 rows" in out


def test_flags_and_numbers_are_read_as_such(capsys, tmp_path):
    for labels in (("false", "true"), ("1", "2"), ("0.5", "1.5")):
        path = write(tmp_path / "t.csv", rows_of(labels=labels))
        code, out, err = run(capsys, path, "--treatment", "arm", "--outcome", "y")
        assert code == 0, err
        assert f"treated {labels[1].capitalize() if 't' in labels[1] else labels[1]};" in out


def test_of_three_arms_one_is_compared_with_another(capsys, tmp_path):
    path = write(tmp_path / "t.csv", rows_of(60, ("a", "b", "c")))
    options = ("--treatment", "arm", "--treated", "c", "--outcome", "y", "--estimand", "ate")
    code, _, err = run(capsys, path, *options)
    assert code == 2
    assert "against must name one of the 3 arms" in err
    code, out, err = run(capsys, path, *options, "--against", "a")
    assert code == 0, err
    assert "covariate  arm  against" in out


def test_rows_with_gaps_and_constant_columns_are_left_out(capsys, tmp_path):
    rows = [(*row, 7) for row in rows_of()]
    rows[3] = (rows[3][0], "", *rows[3][2:])
    rows[4] = ("", *rows[4][1:])
    rows[5] = (*rows[5][:3], "", 7)
    path = write(tmp_path / "t.csv", rows, ("arm", "age", "income", "y", "same"))
    code, out, err = run(capsys, path, "--treatment", "arm", "--treated", "new", "--outcome", "y")
    assert code == 0, err
    assert "37 rows, 2 columns: age and income" in out
    assert "3 rows left out" in out
    assert "same: constant, left out" in out


def test_who_did_not_answer_needs_no_outcome(capsys, tmp_path):
    rows = [row if row[0] == "new" else (*row[:3], "") for row in rows_of()]
    path = write(tmp_path / "t.csv", rows)
    options = ("--treatment", "arm", "--treated", "new", "--outcome", "y", "--estimand", "population")
    code, out, err = run(capsys, path, *options)
    assert code == 0, err
    assert "Mean of y: " in out
    assert "40 rows" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--treatment", "armm"], "--treatment: there is no column 'armm'"),
        (["--treatment", "arm", "--outcome", "z"], "--outcome: there is no column 'z'"),
        (["--treatment", "arm", "--outcome", "arm"], "name the same column"),
        (
            ["--treatment", "arm", "--columns", "age,y", "--outcome", "y"],
            "'y' is the treatment or the outcome",
        ),
        (["--treatment", "arm", "--treated", "best"], "--treated must be one of 'new', 'old', got 'best'"),
        (["--treatment", "age"], "--treatment must name arms"),
        (["--treatment", "arm", "--treated", "new", "--against", "old"], "--against goes with --outcome"),
        ([], "the following arguments are required: --treatment"),
    ],
)
def test_wrong_use_is_one_line_that_says_what_to_do(capsys, tmp_path, options, says):
    code, out, err = run(capsys, write(tmp_path / "t.csv", rows_of()), *options)
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
