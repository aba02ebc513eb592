"""Ratings held against the broker's own scale."""

from datetime import date

import pytest

from aitheme.exhibits import book, mszq_20240328
from aitheme.exhibits.outcomes import months_later, overall, verdict
from aitheme.themes.model import RatingLevel
from tests.exhibits.test_exhibits import closes, levels


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2023, 4, 20), 12, date(2024, 4, 20)), (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)), (date(2023, 12, 29), 1, date(2024, 1, 29)),
    ],
)  # fmt: skip
def test_horizon(day, months, expected):
    assert months_later(day, months) == expected


def level(lower, upper):
    return RatingLevel(subject="stock", rating_zh="推荐", rating_en="Buy", lower=lower, upper=upper, as_printed="")


@pytest.mark.parametrize(
    ("band", "excess", "decided", "expected"),
    [
        ((0.15, None), 0.16, True, "met"), ((0.15, None), 0.14, True, "not-met"), ((None, -0.05), -0.06, True, "met"),
        ((-0.05, 0.05), 0.06, True, "not-met"), ((0.15, None), 0.5, False, "open"), ((None, None), 0.5, True, "no-bounds"),
    ],
)  # fmt: skip
def test_verdict(band, excess, decided, expected):
    assert verdict(level(*band), excess, decided=decided) == expected


@pytest.mark.parametrize("excess", [0.05, 0.15])
def test_an_excess_on_a_bound_meets_the_rating(excess):
    assert verdict(level(0.05, 0.15), excess, decided=True) == "met"


def test_without_a_price_or_a_benchmark_there_is_no_verdict():
    assert verdict(level(0.05, None), None, decided=True) == "no-data"
    assert verdict(level(0.05, None), None, decided=False) == "open"


SCALES = {
    # months of stock and sector; lower bound of the best stock rating; sector rating, its lower bound; HK benchmark
    "mszq-20240328": ((12,), (12,), 0.15, "推荐", 0.05, "HSI.HK"),
    "htsc-20230420": ((6, 12), (6, 12), 0.15, "增持", 0.0, "HSI.HK"),
    "glsc-20231229": ((6, 12), (6, 12), 0.20, "强于大市", 0.10, None),
    "hfzq-202402": ((6,), (6,), 0.20, "强于大市", 0.05, "HSI.HK"),
    "tfzq-20240309": ((6,), (6,), 0.20, "强于大市", 0.05, "000300.SH"),
}


@pytest.mark.parametrize("report", SCALES)
def test_scales_are_those_of_the_reports_last_pages(ai_theme, report):
    stock_months, sector_months, best, rating, lower, hong_kong = SCALES[report]
    known = ai_theme.report(report)
    scale = known.rating_scale
    assert (scale.horizon_months_stock, scale.horizon_months_sector) == (stock_months, sector_months)
    assert scale.benchmarks["A"] == "000300.SH"
    assert scale.benchmarks.get("HK") == hong_kong
    assert max(one.lower for one in scale.levels if one.subject == "stock" and one.lower is not None) == best
    assert known.sector_rating == rating
    own = next(one for one in scale.levels if (one.subject, one.rating_zh) == ("sector", rating))
    assert (own.lower, own.upper) == (lower, None)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2024-04-18", "open"), ("2024-04-19", "decided"), ("2024-04-21", "decided")],
)
def test_a_horizon_on_a_saturday_is_decided_by_fridays_close(demo_market, ai_theme, as_of, expected):
    """Twelve months after 20 April 2023 is a Saturday; the last close before it decides, as soon as it is known."""
    definition = next(one for one in book(ai_theme, "htsc-20230420") if one.id == "rating-outcome")
    row = definition(demo_market, ai_theme, as_of=as_of).data.set_index("months").loc[12]
    assert ("open" if row["verdict"] == "open" else "decided") == expected
    assert row["until"] == min(date(2024, 4, 19), date.fromisoformat(as_of))


def test_a_rating_the_scale_lacks():
    assert verdict(None, 0.1, decided=True) == "no-bounds"


def test_stock_ratings_against_the_benchmark(demo_market, ai_theme):
    exhibit = mszq_20240328.ratings(demo_market, ai_theme)
    row = exhibit.data.set_index("name").loc["中文在线"]
    series, points = (
        levels(demo_market, "300364.SZ"),
        closes(demo_market, "000300.SH", date(2024, 3, 28), date(2024, 5, 22)),
    )
    start, end = date(2024, 3, 28), max(points)
    assert row["change"] == pytest.approx(series[end] / series[start] - 1)
    assert row["excess"] == pytest.approx(row["change"] - (points[end] / points[start] - 1))
    assert (row["verdict"], row["until"]) == ("open", end)
    assert "2025-03-28可判定" in row["verdict_shown"]
    assert len(exhibit.data) == 4


def test_a_reached_horizon_is_decided(demo_market, ai_theme):
    definition = next(one for one in book(ai_theme, "htsc-20230420") if one.id == "rating-outcome")
    data = definition(demo_market, ai_theme).data
    assert data["until"].tolist() == [date(2023, 10, 20), date(2024, 4, 19)]
    assert data["band"].tolist() == ["超越基准"] * 2
    assert data["verdict"].tolist() == ["met" if excess >= 0 else "not-met" for excess in data["excess"]]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (["met", "met"], "met"), (["met", "not-met"], "not-met"), (["not-met", "met"], "not-met"),
        (["met", "open"], "open"), (["not-met", "open"], "not-met"), (["open", "open"], "open"),
        (["no-data", "met"], "no-data"), (["no-bounds", "no-bounds"], "no-bounds"), (["met"], "met"), (["open"], "open"),
    ],
)  # fmt: skip
def test_verdict_over_both_ends_of_a_printed_span(ends, expected):
    assert overall(ends) == expected


def rating_table(market, theme, report, **options):
    return next(one for one in book(theme, report) if one.id == "rating-outcome")(market, theme, **options)


def test_a_span_of_months_is_held_at_both_ends(demo_market, ai_theme):
    """Huatai prints 6 to 12 months: from the close of 20 April 2023 to 20 October 2023 and to 19 April 2024."""
    found = rating_table(demo_market, ai_theme, "htsc-20230420")
    first = date(2023, 4, 20)
    media, market = (closes(demo_market, symbol, first, date(2024, 4, 19)) for symbol in ("801760.SI", "000300.SH"))
    for row, end in zip(found.data.to_dict("records"), (date(2023, 10, 20), date(2024, 4, 19)), strict=True):
        assert row["excess"] == pytest.approx(media[end] / media[first] - market[end] / market[first])
    assert set(found.data["overall"]) == {overall(list(found.data["verdict"]))}
    assert "评级期限印作6至12个月，两端分别对照" in found.note
    assert found.content.columns["overall_shown"].zh == "两端结论"
    early = rating_table(demo_market, ai_theme, "htsc-20230420", as_of="2023-12-01").data
    assert early["due"].tolist() == [date(2023, 10, 20), date(2024, 4, 20)]
    assert early["verdict"].iloc[1] == "open"
    assert early["overall"].iloc[0] == ("open" if early["verdict"].iloc[0] == "met" else "not-met")
    assert "2024-04-20可判定" in early["verdict_shown"].iloc[1]


def test_a_single_horizon_stays_one_row(demo_market, ai_theme):
    found = rating_table(demo_market, ai_theme, "tfzq-20240309", lang="en")
    assert found.data["months"].tolist() == [6]
    assert "overall_shown" not in found.content.columns
    assert found.data["verdict_shown"].tolist() == ["not yet decidable; on 2024-09-09"]
    assert found.data["band_shown"].tolist() == ["> +5%"]


def test_a_rating_scale_that_contradicts_itself_is_said(demo_market, ai_theme):
    found = rating_table(demo_market, ai_theme, "hfzq-202402", lang="en")
    assert found.data["months"].tolist() == [6]
    assert "the remark below it 6 to 12" in found.note


def test_nothing_is_said_before_publication(demo_market, ai_theme):
    early = mszq_20240328.ratings(demo_market, ai_theme, as_of="2024-03-20")
    reason = "所取日期2024-03-20不晚于报告发布日2024-03-28；请取更晚的--as-of"
    assert (early.status, early.reason) == ("unavailable", reason)
    assert mszq_20240328.after_publication(demo_market, ai_theme, as_of="2024-03-28").status == "unavailable"


def test_lines_after_publication_start_when_a_reader_can_trade(demo_market, ai_theme):
    data = mszq_20240328.after_publication(demo_market, ai_theme).data
    assert data["session"].min() == date(2024, 3, 29)
    assert data["session"].max() == demo_market.span[1]
    assert data.groupby("name")["change"].first().abs().max() == 0
