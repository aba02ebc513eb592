"""Datasets that only live vendors deliver, in the form of :data:`aitheme.sources.base.DATASETS`.

Every table is append-only in its date of knowledge: a later row never replaces what was known before.
"""

from __future__ import annotations

from aitheme.sources.base import DATASETS, Dataset

__all__ = ["LIVE_DATASETS", "dataset_named"]

LIVE_DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "adj_factors",
            ("symbol", "ex_date"),
            {"symbol": "string", "ex_date": "date32", "factor": "float64", "source": "string"},
        ),
        Dataset(
            "broker_forecasts",
            ("symbol", "broker", "published", "fiscal_year", "report"),
            {
                "symbol": "string", "broker": "string", "published": "date32", "fiscal_year": "int16",
                "report": "string", "eps": "float64", "currency": "string", "rating": "string", "seen": "date32",
            },
        ),
        Dataset(
            "consensus_ranges",
            ("symbol", "fiscal_year", "source", "published"),
            {
                "symbol": "string", "fiscal_year": "int16", "source": "string", "published": "date32",
                "eps_low": "float64", "eps_high": "float64", "industry_mean": "float64",
            },
        ),
        Dataset(
            "reported_eps",
            ("symbol", "period_end", "published"),
            {
                "symbol": "string", "period_end": "date32", "published": "date32", "announced": "date32",
                "eps": "float64", "net_profit": "float64", "revenue": "float64", "restated": "bool", "seen": "date32",
            },
        ),
        Dataset(
            "names",
            ("symbol", "seen"),
            {"symbol": "string", "seen": "date32", "name": "string", "st": "bool"},
        ),
        Dataset(
            "suspensions",
            ("symbol", "start"),
            {"symbol": "string", "start": "date32", "end": "date32", "reason": "string", "seen": "date32"},
        ),
        Dataset(
            "dividends",
            ("symbol", "ex_date", "report"),
            {
                "symbol": "string", "ex_date": "date32", "report": "string", "announced": "date32",
                "record_date": "date32", "pay_date": "date32", "cash_per_share": "float64",
                "bonus_per_share": "float64", "currency": "string", "source": "string",
            },
        ),
        Dataset(
            "share_counts",
            ("symbol", "effective"),
            {
                "symbol": "string", "effective": "date32", "total_shares": "float64", "float_shares": "float64",
                "source": "string", "seen": "date32",
            },
        ),
        Dataset(
            "sector_members",
            ("sector", "symbol", "seen"),
            {
                "sector": "string", "symbol": "string", "seen": "date32", "since": "date32", "weight": "float64",
                "provider": "string",
            },
        ),
        Dataset(
            "box_office",
            ("month", "seen"),
            {
                "month": "date32", "seen": "date32", "gross": "float64", "admissions": "float64", "films": "int32",
                "complete": "bool",
            },
        ),
    )
}  # fmt: skip
"""Live datasets by name.

``factor`` multiplicative total-return factor in force from ``ex_date`` on; ``bonus_per_share`` new shares per share
held (bonus and transfer together); ``cash_per_share`` before tax; ``weight`` a ratio; ``gross`` CNY, ``admissions``
tickets; ``published`` the first day on which the number was public, ``seen`` the day it was fetched."""


def dataset_named(name: str) -> Dataset:
    """Return a dataset of the store by name."""
    return DATASETS[name] if name in DATASETS else LIVE_DATASETS[name]
