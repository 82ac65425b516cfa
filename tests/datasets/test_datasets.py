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


@pytest.mark.parametrize("name", LOADERS)
def test_files_carry_no_time_stamp(name):
    head = datasets.path(name).read_bytes()[:8]
    assert head[4:8] == bytes(4)
    assert gzip.decompress(datasets.path(name).read_bytes()).decode().count("\n") == len(LOADERS[name]()) + 1


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="name must be one of 'football', 'llmfao', got 'chess'"):
        datasets.path("chess")
