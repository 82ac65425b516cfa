"""The data sets that ship with the package."""

import gzip

import duckdb
import numpy as np
import pytest

from steelyard import datasets
from steelyard.rank import Comparisons

LOADERS = {"football": datasets.load_football, "llmfao": datasets.load_llmfao}


def test_football_is_what_its_page_says():
    football = datasets.load_football()
    assert len(football) == 49_520
    assert list(football.columns) == ["date", "home_team", "away_team", "home_score", "away_score", "neutral"]
    table = football.comparisons()
    assert (table.n_items, table.n_comparisons) == (337, 49_520)
    assert round(1000 * table.ties.sum() / table.n_comparisons) == 227
    assert str(table.time.min()) == "1872-11-30"
    report = table.components()
    assert (report.n_strong, report.strong_sizes.max()) == (21, 316)


def test_llmfao_is_what_its_page_says():
    llmfao = datasets.load_llmfao()
    assert len(llmfao) == 8_931
    assert set(llmfao.columns["winner"]) == {"left", "right", "tie"}
    assert len(set(llmfao.columns["prompt"])) == 13
    table = llmfao.comparisons()
    assert (table.n_items, len(table.cluster_labels)) == (59, 124)
    assert table.ties.sum() == 3_471


def test_iris_is_what_fisher_printed():
    iris = datasets.load_iris()
    X = iris.points()
    names, counts = np.unique(iris.columns["species"], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == dict.fromkeys(
        ("setosa", "versicolor", "virginica"), 50
    )
    # Means, and sums of squares within the first two species, as the paper's tables give them.
    np.testing.assert_allclose(X[:50].mean(axis=0), [5.006, 3.428, 1.462, 0.246])
    np.testing.assert_allclose(X[50:100].mean(axis=0), [5.936, 2.770, 4.260, 1.326])
    np.testing.assert_allclose(X[[34, 37]], [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]])
    centred = X[:100] - np.repeat([X[:50].mean(axis=0), X[50:100].mean(axis=0)], 50, axis=0)
    np.testing.assert_allclose((centred**2).sum(axis=0), [19.1434, 11.8658, 12.2978, 2.4604], atol=5e-5)
    assert "Fisher" in repr(iris)
    assert "public domain" in repr(iris)


def test_iris_is_that_of_scikit_learn():
    from sklearn.datasets import load_iris

    np.testing.assert_array_equal(datasets.load_iris().points(), load_iris().data)


def test_points_are_the_numeric_columns():
    assert list(datasets.load_iris().columns)[:4] == [
        "sepal_length",
        "sepal_width",
        "petal_length",
        "petal_width",
    ]
    assert datasets.load_iris().points().shape == (150, 4)
    np.testing.assert_array_equal(
        datasets.load_football().points()[:, 0], datasets.load_football().columns["home_score"]
    )


def test_rows_that_are_no_comparisons_are_refused():
    with pytest.raises(ValueError, match="No comparisons: name left= and right="):
        datasets.load_iris().comparisons()


@pytest.mark.parametrize("name", LOADERS)
def test_source_and_licence_are_named(name):
    text = repr(LOADERS[name]())
    assert "https://github.com/" in text
    assert {"football": "CC0 1.0", "llmfao": "CC BY 4.0"}[name] in text
    assert {"football": "Mart Jürisoo", "llmfao": "Dmitry Ustalov"}[name] in text


@pytest.mark.parametrize("name", LOADERS)
def test_duckdb_counts_the_same_file(name):
    dataset = LOADERS[name]()
    ours = dataset.comparisons().to_frame()
    theirs = Comparisons.from_frame(duckdb.read_csv(str(datasets.path(name))), **dataset.defaults).to_frame()
    assert list(ours) == list(theirs)
    for column in ours:
        np.testing.assert_array_equal(ours[column], theirs[column])


def test_options_override_the_defaults():
    table = datasets.load_football().comparisons(time=None, neutral=None)
    assert table.time is None
    assert table.home is None


@pytest.mark.parametrize("name", [*LOADERS, "iris"])
def test_files_carry_no_time_stamp(name):
    head = datasets.path(name).read_bytes()[:8]
    assert head[4:8] == bytes(4)
    assert gzip.decompress(datasets.path(name).read_bytes()).decode().count("\n") == (
        len(getattr(datasets, f"load_{name}")()) + 1
    )


def test_an_unknown_name_is_refused():
    names = "'football', 'iris', 'lalonde', 'llmfao', 'nsw'"
    with pytest.raises(ValueError, match=f"name must be one of {names}, got 'chess'"):
        datasets.path("chess")


def test_the_experiment_and_the_survey_are_what_their_papers_say():
    nsw, survey = datasets.load_nsw(), datasets.load_lalonde()
    assert (len(nsw), len(survey)) == (445, 16_177)
    for data, naive in ((nsw.columns, 1794), (survey.columns, -8498)):
        trained = data["treat"] == 1
        assert trained.sum() == 185
        assert data["re78"][trained].mean() - data["re78"][~trained].mean() == pytest.approx(naive, abs=0.5)
    for name, column in nsw.columns.items():
        assert column.dtype == (np.float64 if name.startswith("re") else np.int64)
        np.testing.assert_array_equal(
            column[nsw.columns["treat"] == 1], survey.columns[name][survey.columns["treat"] == 1]
        )
    assert "public domain" in repr(nsw)
