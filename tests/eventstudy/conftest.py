from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def estudy2() -> Path:
    folder = ROOT.parent / "shared" / "eventstudy-reference" / "estudy2"
    if not folder.is_dir():
        pytest.skip(f"reference tables of the R package estudy2 are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def archive() -> Path:
    folder = Path(os.environ.get("AITHEME_ARCHIVE", ROOT.parent / "shared" / "market"))
    if not (folder / "hfq" / "close.parquet").is_file():
        pytest.skip(f"the market archive is not at {folder}")
    return folder


def sessions(count: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2021-01-04", periods=count, name="session")


def simulate(
    *, stocks: int = 30, days: int = 420, common: float = 0.01, seed: int = 0, holes: float = 0.0
) -> tuple[pd.DataFrame, pd.Series]:
    """Market model plus a common residual factor: betas around one, idiosyncratic noise of 2 %."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0003, 0.011, days)
    beta = rng.normal(1.0, 0.3, stocks)
    shock = rng.normal(0.0, common, days)[:, None] * rng.uniform(0.5, 1.5, stocks)
    values = 0.0001 + market[:, None] * beta + shock + rng.normal(0.0, 0.02, (days, stocks))
    if holes:
        values[rng.random(values.shape) < holes] = np.nan
    index = sessions(days)
    symbols = [f"{300000 + number}.SZ" for number in range(stocks)]
    frame = pd.DataFrame(values, index=index, columns=symbols)
    return frame, pd.Series(market, index=index, name="000300.SH")


@pytest.fixture(scope="session")
def panel() -> tuple[pd.DataFrame, pd.Series]:
    return simulate()


@pytest.fixture(scope="session")
def holed() -> tuple[pd.DataFrame, pd.Series]:
    returns, market = simulate(holes=0.03, seed=5)
    values = returns.to_numpy(copy=True)
    values[:150, 3] = np.nan  # a late listing
    values[318:323, 7] = np.nan  # suspended through day 0
    return pd.DataFrame(values, index=returns.index, columns=returns.columns), market
