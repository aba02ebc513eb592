"""The last gate: every dataset's schema, and the tables built for the store."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from aitheme.sources.akshare.batching import live_batch
from aitheme.sources.akshare.checks import NO_REJECTS
from aitheme.sources.akshare.datasets import (
    CADENCE_DAYS,
    EVENING_DATASETS,
    LIVE_DATASETS,
    PRICE_DATASETS,
    dataset_named,
    table_of,
)
from aitheme.sources.akshare.outcomes import Ok
from aitheme.sources.akshare.reading import Fetched, Reading
from aitheme.sources.akshare.schemas import schema_for, violations
from aitheme.sources.base import DATASETS

ALL = sorted(PRICE_DATASETS | EVENING_DATASETS)
BARS = pd.DataFrame(
    {
        "symbol": "600000.SH", "session": [date(2024, 3, 4), date(2024, 3, 5)], "open": 10.0, "high": 11.0, "low": 9.0,
        "close": 10.0, "volume": 100.0, "amount": 1000.0, "turnover": 0.1, "adj_factor": 1.0, "quality": 0,
    }
)  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_dataset_has_schema_and_empty_table(name):
    dataset = dataset_named(name)
    assert set(schema_for(name).columns) == set(dataset.columns)
    assert set(dataset.key) <= set(dataset.columns)
    assert table_of(name, pd.DataFrame()).schema == dataset.arrow_schema()
    assert violations(name, pd.DataFrame()) == ()


def test_every_dataset_belongs_to_a_run_and_a_cadence():
    assert set(LIVE_DATASETS) <= set(ALL)
    assert not set(LIVE_DATASETS) & set(DATASETS)
    assert not PRICE_DATASETS & EVENING_DATASETS
    assert set(ALL) - set(CADENCE_DAYS) == {"bars", "adj_factors", "index_bars"}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", -1.0, "close"),
        ("adj_factor", np.nan, "adj_factor"),
        ("volume", -5.0, "volume"),
        ("symbol", "sh600000", "symbol"),
        ("low", 12.0, "low above high"),
        ("session", date(2024, 3, 4), "session"),
    ],
)
def test_what_the_bar_schema_refuses(column, value, words):
    bad = BARS.copy()
    bad[column] = value
    assert any(words in text for text in violations("bars", bad))
    fetched = Fetched(Reading(bad), Ok(2), None, (), NO_REJECTS, fallback=False)
    batch = live_batch("bars", fetched, "600000.SH", covers=(date(2024, 3, 4), date(2024, 3, 5)))
    assert (batch.table.num_rows, batch.outcome.kind, batch.covers) == (0, "rejected", None)
    assert len(batch.rejects) == 2


def test_good_bars_pass_and_are_sorted_by_key():
    assert violations("bars", BARS) == ()
    table = table_of("bars", BARS[::-1])
    assert table.column("session").to_pylist() == [date(2024, 3, 4), date(2024, 3, 5)]


def test_dates_of_any_kind_become_dates():
    frame = pd.DataFrame({"symbol": ["a", "b"], "start": pd.to_datetime(["2024-03-04", "2024-03-05"])})
    frame["end"] = [None, date(2024, 3, 6)]
    frame["seen"] = pd.NaT
    table = table_of("suspensions", frame)
    assert table.column("start").to_pylist() == [date(2024, 3, 4), date(2024, 3, 5)]
    assert table.column("end").to_pylist() == [None, date(2024, 3, 6)]
    assert table.column("seen").to_pylist() == [None, None]
