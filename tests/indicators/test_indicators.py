"""App metrics by stage: known answers by hand, and every refusal names file, line and column."""

import math
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitheme.errors import AithemeError
from aitheme.indicators import IndicatorFileError, StageRule, app_indicators, read_indicators, template_csv


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "apps.csv"
    path.write_bytes(text.encode(encoding))
    return path


def monthly(mau, *, app="甲", start="2023-01", **others):
    """Rows of one app, a value per month in each column."""
    months = pd.period_range(start, periods=len(mau), freq="M").to_timestamp()
    return pd.DataFrame({"date": [stamp.date() for stamp in months], "app": app, "mau": mau, **others}).astype(
        dict.fromkeys(["mau", *others], "float64")
    )


def test_ratios_and_growth_by_hand():
    data = monthly(
        [100.0] * 12 + [150.0],
        dau=[20.0] * 12 + [60.0], revenue=[50.0] * 12 + [75.0], paying_users=[5.0] * 12 + [9.0], costs=[100.0] * 12 + [60.0],
    )  # fmt: skip
    last = app_indicators(data).metrics.iloc[-1]
    assert last["dau_mau"] == pytest.approx(0.4)
    assert last["mau_mom"] == pytest.approx(0.5)
    assert last["mau_yoy"] == pytest.approx(0.5)
    assert last["revenue_growth"] == pytest.approx(0.5)
    assert last["paying_ratio"] == pytest.approx(0.06)
    assert last["arpu"] == pytest.approx(0.5)
    assert last["arppu"] == pytest.approx(75 / 9)
    assert last["cost_ratio"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("mau", "paying", "revenue", "cost", "stage"),
    [
        # Users up 50 % in a year: growth, whatever is earned.
        ([100.0] * 12 + [150.0], 0.3, 9.0, 1.0, "growth"),
        # Exactly at the threshold counts as fast.
        ([100.0] * 12 + [120.0], 0.3, 9.0, 1.0, "growth"),
        # Flat users who pay; flat users and costs covered; neither.
        ([100.0] * 13, 0.05, 1.0, 2.0, "maturity"),
        ([100.0] * 13, 0.01, 2.0, 2.0, "maturity"),
        ([100.0] * 13, 0.01, 1.0, 2.0, "transition"),
        # Shrinking users.
        ([100.0] * 12 + [80.0], 0.01, 1.0, 2.0, "transition"),
        # Short history: 10 % a month over three months is 214 % a year.
        ([100.0, 110.0, 121.0, 133.1], 0.3, 9.0, 1.0, "growth"),
        ([100.0, 100.5], 0.3, 9.0, 1.0, "maturity"),
        ([100.0], 0.3, 9.0, 1.0, "undecided"),
    ],
)
def test_stage(mau, paying, revenue, cost, stage):
    count = len(mau)
    data = monthly(mau, paying_ratio=[paying] * count, revenue=[revenue] * count, costs=[cost] * count)
    (verdict,) = app_indicators(data).verdicts
    assert verdict.stage == stage


def test_growth_of_a_short_history_is_annualised():
    (verdict,) = app_indicators(monthly([100.0, 110.0, 121.0, 133.1])).verdicts
    assert (verdict.growth_basis, verdict.growth_months) == ("annualised", 3)
    assert verdict.user_growth == pytest.approx(1.1**12 - 1)
    assert verdict.monetised is None


def test_thresholds_move_the_line():
    data = monthly([100.0] * 12 + [115.0], paying_ratio=[0.04] * 13)
    assert app_indicators(data).verdicts[0].stage == "transition"
    assert app_indicators(data, StageRule(fast_growth=0.1)).verdicts[0].stage == "growth"
    assert app_indicators(data, StageRule(paying_ratio=0.04)).verdicts[0].stage == "maturity"


def test_bad_thresholds_are_refused():
    with pytest.raises(AithemeError, match="fast_growth: 20 must be a ratio"):
        StageRule(fast_growth=20)
    with pytest.raises(AithemeError, match="paying_ratio: 0 must be a ratio"):
        StageRule(paying_ratio=0)
    with pytest.raises(AithemeError, match="data: holds no rows"):
        app_indicators(pd.DataFrame({"date": [], "app": []}))


def test_a_missing_month_breaks_growth_and_is_counted():
    data = monthly([100.0, 110.0, 120.0, 130.0]).drop(index=2)
    result = app_indicators(data)
    assert result.gaps == 1
    assert len(result.metrics) == 4
    assert math.isnan(result.metrics["mau_mom"].iloc[3])
    # The span of three months still has both ends.
    assert result.verdicts[0].user_growth == pytest.approx(1.3**4 - 1)


def test_given_growth_stands_only_where_none_can_be_computed():
    data = monthly([100.0] * 13, revenue=[10.0] * 12 + [12.0], revenue_growth=[0.3] * 12 + [0.5])
    result = app_indicators(data)
    assert list(result.metrics["revenue_growth"]) == pytest.approx([0.3] * 12 + [0.2])
    assert result.growth_conflicts == 1


def test_revenue_lines_become_shares():
    data = monthly([100.0], revenue=[80.0], revenue_from_ads=[20.0])
    assert app_indicators(data).metrics["share_ads"].iloc[0] == pytest.approx(0.25)


def test_apps_do_not_touch_each_other():
    one, two = monthly([100.0, 200.0]), monthly([50.0, 50.0], app="乙")
    both = app_indicators(pd.concat([one, two], ignore_index=True))
    assert list(both.metrics["mau_mom"].dropna()) == pytest.approx([1.0, 0.0])
    assert [verdict.app for verdict in both.verdicts] == ["甲", "乙"]
    assert both.until == date(2023, 2, 28)


@settings(deadline=None)
@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=30), st.floats(0.01, 1.0))
def test_growth_undone_gives_the_level_back(mau, share):
    result = app_indicators(monthly(mau, dau=[value * share for value in mau]))
    level = mau[0]
    for at, growth in enumerate(result.metrics.get("mau_mom", pd.Series([float("nan")] * len(mau)))):
        level = level if at == 0 else level * (1 + growth)
        assert level == pytest.approx(mau[at], rel=1e-6)
    assert result.metrics["dau_mau"].to_numpy() == pytest.approx([share] * len(mau))


def test_template_reads_and_shows_both_stages(tmp_path):
    data = read_indicators(written(tmp_path, template_csv()))
    assert all("虚构" in app for app in data["app"])
    assert [verdict.stage for verdict in app_indicators(data).verdicts] == ["growth", "maturity"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_usual_encodings_headers_and_numbers(tmp_path, encoding):
    text = '日期,应用,MAU,日活,付费渗透率,收入\n2024年3月,甲,3.5万,"12,000",12%,/\n2024/4/30,甲,36000,,0.13,1.2亿\n'
    data = read_indicators(written(tmp_path, text, encoding))
    assert list(data["date"]) == [date(2024, 3, 1), date(2024, 4, 1)]
    assert list(data["mau"]) == [35000.0, 36000.0]
    assert data["dau"].iloc[0] == 12000.0
    assert list(data["paying_ratio"]) == pytest.approx([0.12, 0.13])
    assert math.isnan(data["revenue"].iloc[0])
    assert data["revenue"].iloc[1] == pytest.approx(1.2e8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; it needs a header"),
        ("date,app,mau\n", "has a header but no row"),
        ("app,mau\n甲,1\n", "column date is missing"),
        ("date,app\n2024-03,甲\n", "holds no metric"),
        ("date,app,mua\n2024-03,甲,1\n", r"column 3 'mua' is unknown; allowed are date, app, mau"),
        ("date,app,mau,MAU\n2024-03,甲,1,1\n", r"column 4 'MAU' stands twice \(mau\)"),
        ("date,app,mau\n2024-13,甲,1\n", r"line 2, column date: '2024-13' must be a month such as 2024-03"),
        ("date,app,mau\n2024-02-30,甲,1\n", r"line 2, column date"),
        ("date,app,mau\n2024-03,,1\n", r"line 2, column app: '' is empty; write the app's name"),
        ("date,app,mau\n\n# note\n2024-03,甲,many\n", r"line 4, column mau: 'many' must be a number"),
        ("date,app,mau\n2024-03,甲,-1\n", r"line 2, column mau: '-1' must not be negative"),
        ("date,app,mau\n2024-03,甲,inf\n", r"line 2, column mau"),
        ("date,app,market_share\n2024-03,甲,12\n", r"column market_share: '12' must be a ratio from 0 to 1, or written with a %"),
        ("date,app,mau,dau\n2024-03,甲,10,11\n", r"line 2: dau 11 is above mau 10"),
        ("date,app,mau\n2024-03,甲,1\n2024-03-31,甲,2\n", r"line 3: 甲 has 2024-03 on line 2 already"),
        ("date,app,mau\n2024-03,甲,1,5\n", r"line 2 has 4 cells, the header has 3"),
        ("date,app,revenue,revenue_from_ads\n2024-03,甲,10,12\n", r"revenue_from_\* columns add up to 12, above revenue 10"),
        ("date,app,mau,paying_users,paying_ratio\n2024-03,甲,100,10,0.2\n", r"paying_ratio 20.0% contradicts .* 10.0%"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_by_place(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(IndicatorFileError, match=message) as raised:
        read_indicators(path)
    assert str(path) in str(raised.value)


def test_many_problems_are_counted(tmp_path):
    rows = "".join(f"2024-{month:02d},甲,x\n" for month in range(1, 9))
    with pytest.raises(IndicatorFileError, match=r"line 6, column mau.*; and 3 more; correct the file"):
        read_indicators(written(tmp_path, "date,app,mau\n" + rows))


def test_a_missing_file_and_a_picture(tmp_path):
    with pytest.raises(IndicatorFileError, match="cannot be read"):
        read_indicators(tmp_path / "none.csv")
    path = tmp_path / "apps.csv"
    path.write_bytes(b"\x89PNG\xff\xff")
    with pytest.raises(IndicatorFileError, match="neither UTF-8 nor GB 18030"):
        read_indicators(path)
