from datetime import date

import numpy as np
import pandas as pd

from aitheme.calendar import calendar_for
from aitheme.panel import Panel, Provenance


def make_panel(closes, factors=None, *, start="2024-01-02", symbols=("600111.SH",), first=None):
    closes = np.asarray(closes, dtype=float).reshape(-1, len(symbols))
    sessions = calendar_for("XSHG").sessions(start, "2024-12-31")[: len(closes)]
    close = pd.DataFrame(closes, index=sessions, columns=list(symbols))
    factor = 1.0 if factors is None else np.asarray(factors, dtype=float).reshape(-1, len(symbols))
    seen = pd.Series([sessions[0] if first is None else first] * len(symbols), index=list(symbols))
    return Panel(
        close, close * factor, close * 0, close.notna().astype("int8") - 1, seen,
        Provenance("test", simulated=False, snapshot="none", as_of=date(2024, 12, 31), fetched=""),
    )  # fmt: skip


def test_returns_are_total_and_span_a_suspension_with_a_flag():
    panel = make_panel([10.0, 10.5, np.nan, np.nan, 12.6, 12.0], [1, 1, 1, 1, 1, 1.05])
    assert np.allclose(panel.returns.iloc[[1, 4, 5], 0], [0.05, 0.2, 0.0])
    assert panel.returns.iloc[[0, 2, 3], 0].isna().all()
    assert panel.spans_gap.iloc[:, 0].tolist() == [False, False, False, False, True, False]


def test_limit_state_uses_the_adjusted_reference_and_the_board():
    main = make_panel([10.0, 11.0, 9.9, 10.0, 9.45], [1, 1, 1, 1, 1.05])
    assert main.limit_state.iloc[:, 0].tolist() == [0, 1, -1, 0, 0]
    chinext = make_panel([10.0, 11.0, 13.2, 10.56], symbols=("300222.SZ",))
    assert chinext.limit_state.iloc[:, 0].tolist() == [0, 0, 1, -1]


def test_the_limit_price_is_rounded_to_the_cent():
    # 7.77 x 1.10 = 8.547, so 8.55 is the limit and 8.51 is not.
    assert make_panel([7.77, 8.55]).limit_state.iloc[1, 0] == 1
    assert make_panel([7.77, 8.51]).limit_state.iloc[1, 0] == 0


def test_the_first_sessions_of_a_listing_are_free():
    sessions = calendar_for("XSHG").sessions("2024-01-02", "2024-02-28")
    closes = [np.nan, 10.0, 16.0, 16.5, 16.0, 12.8, 15.36, 18.43]
    panel = make_panel(closes, symbols=("688333.SH",), first=sessions[1])
    assert panel.limit_state.iloc[:, 0].tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


def test_no_reference_no_limit():
    assert make_panel([10.0]).limit_state.iloc[0, 0] == 0
