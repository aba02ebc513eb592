import json

import numpy as np
import pandas as pd
import pytest

from aitheme.calendar import calendar_for
from aitheme.errors import ArchiveError
from aitheme.sources.archive import ArchiveSource
from aitheme.sources.base import DATASETS, PRICE_RECONSTRUCTED, RETURN_APPROXIMATE, FetchRequest
from tests.conftest import made_bars, write_archive


def fetch(root, theme, **request):
    batches = list(ArchiveSource(root, theme).batches(FetchRequest(**request)))
    frames = {}
    for batch in batches:
        assert tuple(batch.table.column_names) == tuple(DATASETS[batch.dataset].columns)
        frames.setdefault(batch.dataset, []).append(batch)
    return frames


def bars_of(frames, exchange="SZ"):
    del exchange
    table = pd.concat([batch.table.to_pandas() for batch in frames["bars"]])
    return table.astype({"symbol": str}).set_index(["symbol", "session"])


def test_raw_dumps_come_through_with_units_converted(made_archive, toy_theme):
    frames = fetch(made_archive, toy_theme)
    bars = bars_of(frames)
    raw = pd.read_csv(made_archive / "bars" / "300222.csv")
    ours = bars.loc["300222.SZ"]
    assert ours["close"].tolist() == raw["收盘"].tolist()
    assert ours["volume"].tolist() == (raw["成交量"] * 100).tolist()
    assert np.allclose(ours["turnover"], raw["换手率"] / 100)
    assert (ours["quality"] == 0).all()


def test_total_return_is_the_back_adjusted_ratio_across_an_ex_date(made_archive, toy_theme):
    ours = bars_of(fetch(made_archive, toy_theme)).loc["600111.SH"]
    hfq = pd.read_csv(made_archive / "hfq" / "close.csv", dtype={"代码": str})
    level = hfq[hfq["代码"] == "600111"]["收盘"].to_numpy()
    assert np.allclose(ours["close"] * ours["adj_factor"] / level, 1, rtol=1e-12)


def test_forward_adjusted_dumps_are_brought_back_to_traded_prices(tmp_path, toy_theme):
    """A dividend of 0.50 at row 60 shifts all earlier forward-adjusted prices; the average price gives them back."""
    raw = bars_of(fetch(write_archive(tmp_path / "raw"), toy_theme)).loc["600111.SH"]
    ours = bars_of(fetch(write_archive(tmp_path / "qfq", forward_adjusted=True), toy_theme)).loc["600111.SH"]
    rebuilt = (ours["quality"] & PRICE_RECONSTRUCTED).to_numpy() > 0
    assert rebuilt[:60].all()
    assert not rebuilt[60:].any()
    assert np.abs(ours["close"].to_numpy()[:60] / raw["close"].to_numpy()[:60] - 1).max() < 0.004
    assert ours["close"].tolist()[60:] == raw["close"].tolist()[60:]
    assert np.allclose(ours["close"] * ours["adj_factor"], raw["close"] * raw["adj_factor"], rtol=1e-12)


def test_a_name_without_back_adjusted_closes_is_flagged_and_counted(made_archive, toy_theme):
    path = made_archive / "hfq" / "close.csv"
    hfq = pd.read_csv(path, dtype={"代码": str})
    hfq[hfq["代码"] != "688333"].to_csv(path, index=False)
    frames = fetch(made_archive, toy_theme)
    quality = bars_of(frames)["quality"]
    assert (quality.loc["688333.SH"] & RETURN_APPROXIMATE).all()
    assert not (quality.loc["300222.SZ"] & RETURN_APPROXIMATE).any()
    assert any(
        "1 symbols lack a back-adjusted close" in note and "688333.SH" in note for note in frames["bars"][0].notes
    )


def test_suspended_days_that_stand_in_hfq_do_not_become_bars(made_archive, toy_theme):
    path = made_archive / "bars" / "300222.csv"
    pd.read_csv(path, dtype={"股票代码": str}).drop(index=range(30, 40)).to_csv(path, index=False)
    ours = bars_of(fetch(made_archive, toy_theme)).loc["300222.SZ"]
    sessions = calendar_for("XSHG").sessions("2023-01-03", "2023-06-30")
    assert len(ours) == len(sessions) - 10
    assert not set(ours.index) & {stamp.date() for stamp in sessions[30:40]}


def test_bad_rows_are_refused_one_by_one_with_the_reason(made_archive, toy_theme):
    path = made_archive / "bars" / "300222.csv"
    frame = pd.read_csv(path, dtype={"股票代码": str})
    frame.loc[5, "收盘"] = -1.0
    twin = frame.iloc[[7]]
    other = frame.iloc[[9]].assign(收盘=frame["收盘"][9] + 1, 最高=frame["最高"][9] + 1)
    holiday = frame.iloc[[11]].assign(日期="2023-01-24")
    pd.concat([frame, twin, other, holiday]).to_csv(path, index=False)
    (batch, *_) = fetch(made_archive, toy_theme)["bars"]
    reasons = batch.rejects.set_index("reason")
    assert sorted(reasons.index) == [
        "not a trading session", "price is not positive", "row stands twice", "second row with other values for the same day",
    ]  # fmt: skip
    assert json.loads(reasons.loc["price is not positive", "raw"])["close"] == -1.0
    assert str(reasons.loc["not a trading session", "session"]) == "2023-01-24"
    assert batch.table.num_rows == 3 * 118 - 1


def test_one_file_per_year_and_volume_in_shares(tmp_path, toy_theme):
    root = tmp_path / "yearly"
    root.mkdir()
    for year in (2022, 2023):
        sessions = calendar_for("XSHG").sessions(f"{year}-01-01", f"{year}-12-31")
        parts = [made_bars(code, sessions, seed=year + i)[0] for i, code in enumerate(("300222", "600111"))]
        frame = pd.concat(parts)
        frame["成交量"] *= 100
        frame["日期"] = pd.to_datetime(frame["日期"]).dt.date
        frame.to_parquet(root / f"{year}.parquet", index=False)
    frames = fetch(root, toy_theme)
    bars = bars_of(frames)
    assert "volume was in shares" in frames["bars"][0].notes[0]
    assert len(bars.loc["600111.SH"]) == 484
    assert bars.index.is_monotonic_increasing
    assert bars["volume"].max() <= 5_000_000


def test_symbols_and_dates_are_filtered(made_archive, toy_theme):
    frames = fetch(
        made_archive,
        toy_theme,
        symbols=frozenset({"300222.SZ"}),
        since=pd.Timestamp("2023-03-01").date(),
        until=pd.Timestamp("2023-03-31").date(),
    )
    bars = bars_of(frames)
    assert set(bars.index.get_level_values(0)) == {"300222.SZ"}
    assert str(bars.index[0][1]) == "2023-03-01"
    assert str(bars.index[-1][1]) == "2023-03-31"


def test_index_overseas_and_printed_consensus(made_archive, toy_theme):
    frames = fetch(made_archive, toy_theme)
    index = frames["index_bars"][0].table.to_pandas()
    assert index["amount"].iloc[0] == 2000.0 * 1e8
    assert frames["indices"][0].table.to_pylist() == [
        {"symbol": "000300.SH", "name": "沪深300", "provider": "CSI", "level": 0}
    ]
    hong_kong = bars_of(frames).loc["00999.HK"]
    # 2023-01-23 to 25 were Hong Kong holidays of their own; the mainland was closed for longer.
    assert (hong_kong["quality"] == RETURN_APPROXIMATE).all()
    consensus = frames["consensus"][0].table.to_pandas()
    assert consensus[["symbol", "fiscal_year", "eps"]].to_numpy().tolist() == [
        ["300222.SZ", 2022, 0.2], ["300222.SZ", 2023, 0.9], ["600111.SH", 2022, -0.1], ["600111.SH", 2023, 0.08],
    ]  # fmt: skip
    assert set(consensus["published"].astype(str)) == {"2023-06-15"}


def _replace(old, new):
    def damage(root):
        victim = root / "bars" / "300222.csv"
        victim.write_text(victim.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return damage


def _cut_parquet(root):
    path = root / "cut.parquet"
    pd.DataFrame({"x": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:500])


DAMAGES = {
    "missing": lambda _root: None,
    "empty": lambda root: root.mkdir(),
    "header": _replace("收盘", "收市价"),
    "truncated": _cut_parquet,
    "nothing": lambda root: (root / "bars" / "300222.csv").write_text("", encoding="utf-8"),
    "bytes": lambda root: (root / "bars" / "300222.csv").write_bytes(b"\xff\xfe\x00\x01"),
    "code": _replace("300222,", "999999,"),
    "hfq only": lambda root: [path.unlink() for path in (root / "bars").iterdir()],
    "dates": lambda _root: None,
}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", "is not a folder"),
        ("empty", r"holds no \.csv or \.parquet"),
        ("header", r"unknown header; nearest is A-share bars.*missing 收盘; unknown 收市价"),
        ("truncated", "cannot be read"),
        ("nothing", r"300222\.csv is empty"),
        ("bytes", "cannot be read"),
        ("code", "no A-share prefix"),
        ("hfq only", "back-adjusted closes but no bars"),
        ("dates", "no bar of the wanted symbols and dates"),
    ],
)
def test_an_unusable_archive_is_one_clear_error(tmp_path, toy_theme, damage, message):
    root = tmp_path / "archive"
    if damage not in {"missing", "empty"}:
        write_archive(root)
    DAMAGES[damage](root)
    since = pd.Timestamp("2024-01-01").date() if damage == "dates" else None
    with pytest.raises(ArchiveError, match=message):
        list(ArchiveSource(root, toy_theme).batches(FetchRequest(since=since)))


def test_the_fingerprint_follows_the_files(made_archive, toy_theme):
    source = ArchiveSource(made_archive, toy_theme)
    before = source.fingerprint()
    assert source.fingerprint() == before
    with (made_archive / "index.csv").open("a", encoding="utf-8") as handle:
        handle.write("000300.SH,沪深300,2023-07-03,1,1,1,1,1,1\n")
    assert source.fingerprint() != before
