"""What followed a report, against loops over the store's rows that share no code with it."""

from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest

from aitheme.analysis.aftermath import (
    HORIZONS,
    Span,
    basket_outcomes,
    index_return,
    report_spans,
    stock_outcomes,
)
from aitheme.analysis.wholemarket import held_levels, traded, whole_market
from aitheme.calendar import calendar_for
from aitheme.errors import UnknownNameError
from aitheme.sources.archive import ArchiveSource
from aitheme.symbols import board_of
from aitheme.themes import load_theme
from tests.conftest import TOY_THEME, write_archive
from tests.exhibits.conftest import ai_theme, demo_market, filled, toy_market  # noqa: F401 (fixtures)

CSI = "000300.SH"
TEXT = "mszq-20240328/text-corpus"


def levels(market, symbol):
    rows = market.sql(
        "SELECT session, close * adj_factor AS level FROM bars WHERE symbol = ? ORDER BY session", [symbol]
    )
    return dict(zip([stamp.date() for stamp in rows["session"]], rows["level"], strict=True))


def points(market, symbol=CSI):
    rows = market.sql("SELECT session, close FROM index_bars WHERE symbol = ? ORDER BY session", [symbol])
    return dict(zip([stamp.date() for stamp in rows["session"]], rows["close"], strict=True))


def last_on(series, day):
    known = [session for session in series if session <= day]
    return series[max(known)] if known else None


@pytest.fixture(scope="module")
def spans(demo_market, ai_theme):  # noqa: F811
    report = ai_theme.report("htsc-20230420")
    return report_spans(demo_market, report.published, report.first_tradable)


def test_spans_run_from_the_close_a_reader_can_trade_at(spans):
    sessions = [stamp.date() for stamp in calendar_for("XSHG").sessions("2022-12-01", "2024-12-31")]
    known, entry = sessions.index(date(2023, 4, 20)), sessions.index(date(2023, 4, 21))
    assert [(one.start, one.end) for one in spans] == [
        (sessions[known - 60], sessions[known]), (sessions[known - 20], sessions[known]),
        *((sessions[entry], sessions[entry + count]) for count in HORIZONS),
    ]  # fmt: skip
    assert {one.status for one in spans} == {"reached"}


def test_a_report_on_a_saturday_runs_up_to_friday_and_starts_on_monday(demo_market, ai_theme):  # noqa: F811
    report = ai_theme.report("tfzq-20240309")
    found = report_spans(demo_market, report.published, report.first_tradable)
    assert {one.end for one in found if one.kind == "before"} == {date(2024, 3, 8)}
    assert {one.start for one in found if one.kind == "after"} == {date(2024, 3, 11)}


def naive(market, symbols, span):
    """Buy one unit of each stock at the first close and look at the pile every session."""
    series = {symbol: levels(market, symbol) for symbol in symbols}
    held = [symbol for symbol in symbols if last_on(series[symbol], span.start) is not None]
    days = [stamp.date() for stamp in calendar_for("XSHG").sessions(span.start, span.end)]
    pile = [
        sum(last_on(series[symbol], day) / last_on(series[symbol], span.start) for symbol in held) / len(held)
        for day in days
    ]
    peak, fall = pile[0], 0.0
    for value in pile:
        peak = max(peak, value)
        fall = min(fall, value / peak - 1)
    closes = points(market)
    other = last_on(closes, span.end) / last_on(closes, span.start) - 1
    own = [last_on(series[symbol], span.end) / last_on(series[symbol], span.start) - 1 for symbol in held]
    return len(held), pile[-1] - 1, other, fall, sum(move > other for move in own) / len(own)


@pytest.mark.parametrize("basket", ["htsc-20230420/data-ip", "htsc-20230420/opportunities", TEXT])
def test_outcomes_equal_a_loop(demo_market, ai_theme, spans, basket):  # noqa: F811
    symbols = ai_theme.symbols(basket)
    for outcome in basket_outcomes(demo_market, symbols, spans, benchmark=CSI):
        used, total, other, fall, share = naive(demo_market, symbols, outcome.span)
        assert (outcome.used, outcome.members) == (used, len(symbols))
        assert outcome.total_return == pytest.approx(total, abs=1e-12)
        assert outcome.benchmark_return == pytest.approx(other, abs=1e-12)
        assert outcome.excess_return == pytest.approx(total - other, abs=1e-12)
        assert outcome.max_drawdown == pytest.approx(fall, abs=1e-12)
        assert outcome.beat_share == pytest.approx(share)


def test_percentile_equals_brute_force(demo_market, ai_theme, spans):  # noqa: F811
    """A thousand baskets drawn one by one with another generator land at the same place, up to their own luck."""
    symbols, span = ai_theme.symbols("htsc-20230420/opportunities"), spans[3]
    rows = demo_market.sql(
        "SELECT symbol, session, close * adj_factor AS level FROM bars WHERE session <= ? ORDER BY session", [span.end]
    )
    by_stock = {
        symbol: dict(zip(part["session"].dt.date, part["level"], strict=True))
        for symbol, part in rows.groupby("symbol")
    }
    pools = {}
    for symbol, series in by_stock.items():
        if board_of(symbol) not in {"hk", "us"} and span.start in series:
            pools.setdefault(board_of(symbol), []).append(series[max(series)] / series[span.start] - 1)
    random = np.random.default_rng(99)
    mix = Counter(board_of(symbol) for symbol in symbols)
    sample = [
        np.concatenate([random.choice(pools[board], count, replace=False) for board, count in mix.items()]).mean()
        for _ in range(4000)
    ]
    found = basket_outcomes(demo_market, symbols, [span], benchmark=CSI)[0]
    assert found.percentile == pytest.approx(np.mean(np.array(sample) < found.total_return), abs=0.06)
    assert found.quantiles == pytest.approx(np.quantile(sample, [0.05, 0.25, 0.5, 0.75, 0.95]), abs=0.03)
    assert found.pool == sum(len(pools[board]) for board in mix)


def test_a_basket_of_one(demo_market, spans):  # noqa: F811
    for outcome in basket_outcomes(demo_market, ["300364.SZ"], spans, benchmark=CSI):
        series = levels(demo_market, "300364.SZ")
        assert outcome.total_return == pytest.approx(
            last_on(series, outcome.span.end) / last_on(series, outcome.span.start) - 1
        )
        assert outcome.beat_share in {0.0, 1.0}
        assert 0 <= outcome.percentile <= 1


def test_a_horizon_beyond_the_data_has_a_date_and_no_number(demo_market, ai_theme):  # noqa: F811
    report = ai_theme.report("mszq-20240328")
    found = report_spans(demo_market, report.published, report.first_tradable)
    outcomes = {one.span.sessions: one for one in basket_outcomes(demo_market, ai_theme.symbols(TEXT), found, benchmark=CSI)
                if one.span.kind == "after"}  # fmt: skip
    assert {count for count, one in outcomes.items() if one.total_return is not None} == {5, 20}
    assert outcomes[60].span.end == date(2024, 7, 1)
    assert outcomes[60].span.status == "not-yet"
    assert (outcomes[250].excess_return, outcomes[250].percentile, outcomes[250].quantiles) == (None, None, ())


def test_a_horizon_beyond_the_calendar_has_no_date():
    class Ends:
        span = (date(2021, 1, 4), calendar_for("XSHG").horizon)

        def as_of(self, _day):
            return self.span[1]

    last = calendar_for("XSHG").horizon
    found = report_spans(Ends(), last, last)
    assert [(one.end, one.status) for one in found if one.kind == "after"] == [(None, "not-yet")] * 5
    assert {one.status for one in found if one.kind == "before"} == {"reached"}


def test_a_start_before_the_data_has_no_number(demo_market, ai_theme):  # noqa: F811
    first = demo_market.span[0]
    day = calendar_for("XSHG").shift(first, 30)
    found = report_spans(demo_market, day, calendar_for("XSHG").after(day))
    assert [one.status for one in found[:2]] == ["before-data", "reached"]
    early = basket_outcomes(demo_market, ai_theme.symbols(TEXT), found, benchmark=CSI)[0]
    assert (early.total_return, early.members) == (None, 14)


def test_nothing_after_as_of_is_used(demo_market, ai_theme):  # noqa: F811
    report, symbols = ai_theme.report("htsc-20230420"), ai_theme.symbols("htsc-20230420/opportunities")
    early = report_spans(demo_market, report.published, report.first_tradable, "2023-06-01")
    assert [one.status for one in early] == ["reached"] * 4 + ["not-yet"] * 3
    late = report_spans(demo_market, report.published, report.first_tradable)
    one = basket_outcomes(demo_market, symbols, early, benchmark=CSI)
    two = basket_outcomes(demo_market, symbols, late, benchmark=CSI)
    assert one[:4] == two[:4]
    assert len(whole_market(demo_market, "2023-06-01").sessions) < len(whole_market(demo_market).sessions)
    assert held_levels(demo_market, "2023-06-01").index[-1] == pd.Timestamp("2023-06-01")
    assert whole_market(demo_market) is whole_market(demo_market)


def test_levels_are_those_of_the_panel(demo_market):  # noqa: F811
    panel = whole_market(demo_market)
    pd.testing.assert_frame_equal(demo_market.levels(panel.symbols), panel.level, check_exact=True)
    pd.testing.assert_frame_equal(held_levels(demo_market), panel.level.ffill(), check_exact=True)
    assert panel.level.isna().to_numpy().any()  # so that being held differs from being traded
    day = panel.sessions[-1].date()
    assert list(traded(demo_market, day)) == list(panel.level.iloc[-1].notna())


@pytest.fixture(scope="module")
def gap_market(tmp_path_factory):
    """The invented archive with 600111 suspended on ten sessions."""
    folder = tmp_path_factory.mktemp("gap")
    root = write_archive(folder / "archive")
    path = root / "bars" / "600111.csv"
    bars = pd.read_csv(path)
    bars.drop(index=range(40, 50)).to_csv(path, index=False)
    source = ArchiveSource(root, load_theme(TOY_THEME))
    with filled(folder / "store", source) as market:
        yield market


def test_a_stock_suspended_at_the_start_is_held_from_its_last_close(gap_market):
    series = levels(gap_market, "600111.SH")
    sessions = [stamp.date() for stamp in calendar_for("XSHG").sessions(*gap_market.span)]
    gap = next(day for day in sessions if day not in series)
    end = sessions[sessions.index(gap) + 20]
    span = Span("after", 20, gap, end, "reached")
    outcome = basket_outcomes(gap_market, ["600111.SH", "300222.SZ"], [span], benchmark=CSI)[0]
    other = levels(gap_market, "300222.SZ")
    held = last_on(series, end) / last_on(series, gap) - 1
    assert outcome.used == 2
    assert outcome.total_return == pytest.approx((held + other[end] / other[gap] - 1) / 2)
    # Nobody could buy it on that day, so it cannot be drawn, and the main board has no other stock.
    assert (outcome.percentile, outcome.quantiles, outcome.pool) == (None, (), 0)
    table = stock_outcomes(gap_market, ["600111.SH"], [span], benchmarks={"600111.SH": CSI})
    assert table["total_return"].iloc[0] == pytest.approx(held)


def test_too_few_stocks_on_a_board_give_no_percentile(toy_market):  # noqa: F811
    span = Span("after", 5, date(2023, 6, 15), date(2023, 6, 26), "reached")
    outcome = basket_outcomes(toy_market, ["600111.SH", "300222.SZ", "688333.SH"], [span], benchmark=CSI)[0]
    assert outcome.percentile == 0.5  # the only basket there is
    assert basket_outcomes(toy_market, ["999999.SH"], [span], benchmark=CSI)[0].total_return is None


def test_an_unknown_benchmark_is_an_error_and_none_is_no_comparison(demo_market, ai_theme, spans):  # noqa: F811
    with pytest.raises(UnknownNameError, match=r"benchmark: '999999\.SH'"):
        basket_outcomes(demo_market, ai_theme.symbols(TEXT), spans, benchmark="999999.SH")
    bare = basket_outcomes(demo_market, ai_theme.symbols(TEXT), spans, benchmark=None)
    assert all(one.excess_return is None and one.beat_share is None for one in bare)
    assert all(one.total_return is not None and one.percentile is not None for one in bare)


def test_stocks_equal_a_loop(demo_market, ai_theme, spans):  # noqa: F811
    symbols = ai_theme.symbols("htsc-20230420/opportunities", overseas=True)
    assert "00020.HK" in symbols
    benchmarks = {symbol: "HSI.HK" if symbol.endswith("HK") else CSI for symbol in symbols}
    table = stock_outcomes(demo_market, symbols, spans, benchmarks=benchmarks).set_index(["symbol", "kind", "sessions"])
    for span in spans:
        for symbol in symbols:
            series, closes = levels(demo_market, symbol), points(demo_market, benchmarks[symbol])
            total = last_on(series, span.end) / last_on(series, span.start) - 1
            row = table.loc[symbol, span.kind, span.sessions]
            assert row["total_return"] == pytest.approx(total, abs=1e-12)
            index = last_on(closes, span.end) / last_on(closes, span.start) - 1
            assert row["excess_return"] == pytest.approx(total - index, abs=1e-12)
            assert row["max_drawdown"] <= min(0.0, total) + 1e-12


def test_an_index_without_a_close_up_to_the_start_has_no_return(demo_market):  # noqa: F811
    span = Span("after", 5, demo_market.span[0], calendar_for("XSHG").shift(demo_market.span[0], 5), "reached")
    closes = points(demo_market)
    assert index_return(demo_market, CSI, span) == pytest.approx(closes[span.end] / closes[span.start] - 1)
    assert index_return(demo_market, CSI, Span("after", 5, span.start, None, "not-yet")) is None
