"""The simulated market: every rule of the exchanges as an identity, and the known effects found again."""

from __future__ import annotations

import warnings
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest

from aitheme.calendar import calendar_for
from aitheme.consensus import EstimateRecords, consensus_as_of
from aitheme.errors import AithemeError, DateRangeError
from aitheme.sources.base import DATASETS, FetchRequest
from aitheme.sources.demo import DemoSource
from aitheme.sources.demo_universe import INDUSTRIES
from aitheme.sources.live_datasets import dataset_named
from aitheme.symbols import board_of, price_limit
from aitheme.themes import Theme, load_theme
from aitheme.themes import model as rows

REPORT = "toy-20240328"
KIMI, SORA = "kimi-20240318", "sora-20240216"
KIMI_DAY, SORA_DAY = pd.Timestamp("2024-03-18"), pd.Timestamp("2024-02-19")
PRINTED = {"300364.SZ": 28.41, "603533.SH": 29.42, "688111.SH": 312.5, "00772.HK": 26.8}
CODES = [
    *PRINTED,
    *[f"3000{number:02d}.SZ" for number in range(10, 40)],
    *[f"6001{number:02d}.SH" for number in range(10, 35)],
    *[f"688{number:03d}.SH" for number in range(10, 25)],
    *[f"3010{number:02d}.SZ" for number in range(10, 14)],
    "00700.HK", "09888.HK", "NVDA.US", "GOOGL.US",
]  # fmt: skip
MENTIONED = "601162.SH"
LINKED = tuple(code for code in CODES if board_of(code) not in {"hk", "us"})[::2]


def _report():
    level = {"subject": "stock", "as_printed": ""}
    scale = rows.RatingScale(
        horizon_months_stock=12,
        horizon_months_sector=12,
        measured_from="publication",
        benchmarks={"A": "000300.SH"},
        levels=(
            rows.RatingLevel(**level, rating_zh="推荐", rating_en="Buy", lower=0.15),
            rows.RatingLevel(**level, rating_zh="回避", rating_en="Sell", upper=-0.15),
        ),
    )
    return rows.Report(
        id=REPORT, broker_zh="券商", broker_en="Broker", title_zh="报告", title_en="R", published=date(2024, 3, 28),
        published_basis="stated", published_note="", sector_zh="传媒", sector_en="Media", sector_index="801760.SI",
        sector_rating="推荐", rating_scale=scale,
    )  # fmt: skip


def _release(name, day, *, model, kind="release"):
    return rows.Release(
        id=name, name_zh=name, name_en=name, vendor="v", model=model, region="domestic", modality="text", kind=kind,
        precision="day", zone="Asia/Shanghai", announced=day, beijing_date=day, instant=None,
    )  # fmt: skip


def _security(code):
    description = {"300364.SZ": "数字阅读公司", "688111.SH": "办公软件公司", "NVDA.US": "GPU厂商"}.get(code, "")
    return rows.Security(symbol=code, name_zh=f"公司{code}", name_en=code, status="listed", description_zh=description)


def _link(code, model):
    return rows.Link(
        symbol=code, company=code, model=model, model_printed=model, vendor="v", relation="partner", section="1",
        as_of="", fact_zh="", fact_en="", report=REPORT,
    )  # fmt: skip


def _estimate(code, year):
    blank = code == "688111.SH" and year == 2025
    return rows.PrintedEstimate(
        report=REPORT, symbol=code, name=code, as_of=date(2024, 3, 28), price=PRINTED[code],
        currency="HKD" if code.endswith("HK") else "CNY", fiscal_year=year, kind="E", eps=None if blank else 0.5,
        pe_printed=None, rating=None, eps_source="broker",
    )  # fmt: skip


def _theme(codes=CODES):
    releases = (
        _release(KIMI, "2024-03-18", model="kimi"),
        _release(SORA, "2024-02-16", model=None, kind="preview"),
        _release("old-20201201", "2020-12-01", model="kimi"),
        _release("rule-20230411", "2023-04-11", model="kimi", kind="policy"),
        _release("glm-20230614", "2023-06-14", model="glm"),
    )
    basket = rows.Basket(basket=f"{REPORT}/all", parent="", name_zh="", name_en="", kind="recommended", section="1")
    names = ("kimi", "glm")
    models = [rows.Model(model=name, name_zh="", name_en="", vendor="v", region="domestic") for name in names]
    return Theme(
        id="toy", name_zh="玩具", name_en="Toy", benchmark="000300.SH", reports={REPORT: _report()},
        securities=tuple(_security(code) for code in (*codes, MENTIONED)),
        baskets={basket.basket: basket},
        members=tuple(rows.Member(basket=basket.basket, symbol=code, name_printed=code, section="1") for code in codes),
        unions={}, models={model.model: model for model in models},
        releases={release.id: release for release in releases}, mentions=(),
        links=(*(_link(code, "kimi") for code in LINKED), *(_link(code, "glm") for code in LINKED[:5])),
        estimates=tuple(_estimate(code, year) for code in PRINTED for year in (2024, 2025)),
        figures=(), exhibits=(), tables={},
    )  # fmt: skip


def _frames(source, request=FetchRequest()):  # noqa: B008 (an immutable default)
    return {batch.dataset: batch.table.to_pandas(date_as_object=False) for batch in source.batches(request)}


@pytest.fixture(scope="module", autouse=True)
def _calendars():
    """Build the cached calendars first: exchange_calendars 4.13 uses what pandas 3.1 deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for exchange in ("XSHG", "XHKG", "XNYS"):
            calendar_for(exchange)


@pytest.fixture(scope="module")
def theme():
    return _theme()


@pytest.fixture(scope="module")
def demo(theme):
    return DemoSource(theme, background=200)


@pytest.fixture(scope="module")
def frames(demo):
    return _frames(demo)


@pytest.fixture(scope="module")
def securities(frames):
    return frames["securities"].set_index("symbol")


@pytest.fixture(scope="module")
def bars(frames, securities):
    """Bars with the previous close, the ex reference in cents, and sessions since a listing inside the span."""
    frame = frames["bars"].copy()
    stock = frame.groupby("symbol", sort=False)
    previous = (stock["close"].shift() * 100).round()
    drop = stock["adj_factor"].shift() / frame["adj_factor"]
    frame["previous"], frame["reference"] = previous, (previous * drop).round()
    frame["total"] = stock["close"].pct_change()
    frame["total"] = (frame["close"] * frame["adj_factor"]).groupby(frame["symbol"], sort=False).pct_change()
    listed = frame["symbol"].map(securities["listed"]) >= pd.Timestamp("2021-01-04")
    frame["age"] = (stock.cumcount() + 1).where(listed, 999)
    return frame


@pytest.fixture(scope="module")
def returns(bars, frames):
    """Total returns of mainland stocks, sessions by symbols, without those that span a suspension."""
    sessions = calendar_for("XSHG").sessions("2021-01-04", "2024-05-22")
    mainland = bars[bars["symbol"].str[-2:].isin(["SH", "SZ", "BJ"])]
    level = mainland.assign(level=mainland["close"] * mainland["adj_factor"]).pivot_table("level", "session", "symbol")
    return level.reindex(sessions).pct_change(fill_method=None)


# --- contract -------------------------------------------------------------------------------------------------------


def test_every_dataset_comes_once_in_its_schema_sorted_by_a_unique_key(demo):
    batches = list(demo.batches(FetchRequest()))
    assert sorted(batch.dataset for batch in batches) == sorted([*DATASETS, "broker_forecasts", "reported_eps"])
    for batch in batches:
        assert batch.table.schema.equals(dataset_named(batch.dataset).arrow_schema())
        keys = batch.table.select(list(dataset_named(batch.dataset).key)).to_pandas()
        assert not keys.duplicated().any()
        pd.testing.assert_frame_equal(keys, keys.sort_values(list(keys.columns), ignore_index=True))
        assert batch.table.num_rows > 0
        assert batch.rejects.empty


def test_every_batch_is_watermarked(demo):
    assert demo.simulated
    for batch in demo.batches(FetchRequest()):
        if batch.dataset != "consensus":
            assert any("SIMULATED 模拟数据" in note for note in batch.notes)
            assert "simulation" in batch.origin


def test_same_seed_gives_the_same_market_and_another_seed_another(theme):
    first, second, other = (_frames(DemoSource(theme, background=3, seed=seed)) for seed in (1, 1, 2))
    for dataset, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[dataset])
    assert not first["bars"]["close"].equals(other["bars"]["close"])


def test_another_stock_leaves_the_others_alone(demo, frames):
    fewer = _frames(DemoSource(_theme(CODES[4:]), background=40))["bars"].set_index("symbol")
    whole = frames["bars"].set_index("symbol")
    # Links and codes of the kept names are the same, so every bar of theirs must be.
    common = whole.loc[whole.index.isin(fewer.index)]
    pd.testing.assert_frame_equal(common, fewer.loc[fewer.index.isin(common.index)])


def test_a_known_price_stays_what_it_is(frames):
    """The stream of numbers is part of the interface: stored answers and screenshots depend on it."""
    market = frames["index_bars"].set_index("symbol").loc["000300.SH", "close"]
    assert market.iloc[[0, -1]].tolist() == pytest.approx([4050.86, 5547.23], abs=0.005)


def test_fingerprint_is_stable_cheap_and_tells_settings_apart(theme):
    source = DemoSource(theme)
    assert source.fingerprint() == DemoSource(_theme()).fingerprint()
    assert "_markets" not in source.__dict__
    others = [
        DemoSource(theme, seed=1), DemoSource(theme, background=1), DemoSource(theme, end=date(2024, 3, 29)),
        DemoSource(theme, events=False), DemoSource(_theme(CODES[:-1])),
    ]  # fmt: skip
    assert len({source.fingerprint(), *(other.fingerprint() for other in others)}) == 6


def test_requests_cut_rows_and_change_no_value(demo, frames):
    symbols = frozenset({"300364.SZ", "NVDA.US", "605600.SH"})
    since, until = pd.Timestamp("2024-01-05"), pd.Timestamp("2024-02-20")
    cut = _frames(demo, FetchRequest(symbols, since.date(), until.date()))
    for dataset, column in (("bars", "session"), ("index_bars", "session"), ("factors", "session")):
        whole = frames[dataset]
        expected = whole[whole[column].between(since, until)]
        if dataset == "bars":
            expected = expected[expected["symbol"].isin(symbols)]
        pd.testing.assert_frame_equal(cut[dataset], expected.reset_index(drop=True))
    assert set(cut["securities"]["symbol"]) == symbols
    assert len(cut["indices"]) == len(frames["indices"])
    assert cut["consensus"].empty  # the report came out after `until`
    assert cut["capex"]["quarter_end"].max() == pd.Timestamp("2023-12-31")


@pytest.mark.parametrize("background", [-1, 1001])
def test_background_beyond_the_invented_codes_is_refused(theme, background):
    with pytest.raises(AithemeError, match="background: "):
        DemoSource(theme, background=background)


def test_a_negative_seed_is_refused(theme):
    with pytest.raises(AithemeError, match="seed: "):
        DemoSource(theme, seed=-1)


def test_a_span_too_short_to_simulate_is_refused(theme):
    with pytest.raises(DateRangeError, match="start: "):
        DemoSource(theme, start=date(2024, 5, 1), end=date(2024, 5, 22))


def test_a_market_of_one_stock_works():
    frames = _frames(DemoSource(_theme(["300364.SZ"]), background=0, start=date(2023, 10, 9), end=date(2024, 2, 20)))
    assert set(frames["bars"]["symbol"]) == {"300364.SZ", MENTIONED}
    assert frames["consensus"].empty  # printed after the span ends


# --- securities -----------------------------------------------------------------------------------------------------


def test_theme_names_are_real_and_background_names_are_marked(securities, theme):
    background = securities[~securities.index.isin(theme.security)]
    assert len(background) == 200
    assert background["name"].str.contains("模拟").all()
    assert securities.loc["300364.SZ", ["name", "industry", "currency"]].tolist() == ["公司300364.SZ", "传媒", "CNY"]
    assert securities.loc["NVDA.US", ["board", "industry", "currency"]].tolist() == ["us", "电子", "USD"]
    assert (securities["board"] == [board_of(symbol) for symbol in securities.index]).all()


def test_the_market_has_listings_suspensions_st_and_a_delisting(securities, bars):
    inside = securities[securities["listed"] > pd.Timestamp("2021-01-04")]
    assert {"main", "chinext", "star", "bse"} <= set(inside["board"])
    for symbol, listed in inside["listed"].items():
        assert bars.loc[bars["symbol"] == symbol, "session"].min() == listed
    gone = securities.dropna(subset="delisted")
    assert len(gone) == 1
    assert bars.loc[bars["symbol"] == gone.index[0], "session"].max() < gone["delisted"].iloc[0]
    st = securities[securities["st"]]
    assert len(st) == 2
    assert st["name"].str.startswith("*ST").all()
    rest = securities[
        (securities["listed"] < pd.Timestamp("2021-01-04"))
        & securities["delisted"].isna()
        & (securities["currency"] == "CNY")
    ]
    counts = bars.groupby("symbol").size().loc[rest.index]
    suspended = counts[counts < counts.max()]
    assert 3 <= len(suspended) <= 0.12 * len(rest)
    assert (counts.max() - suspended).max() >= 6


def test_share_counts_are_sane(securities):
    assert (securities["float_shares"] <= securities["total_shares"]).all()
    assert (securities["float_shares"] > 0).all()
    assert (securities["shares_as_of"] == pd.Timestamp("2024-05-22")).all()


# --- price rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("exchange", "suffix"), [("XSHG", r"\.(?:SH|SZ|BJ)$"), ("XHKG", r"\.HK$"), ("XNYS", r"\.US$")])
def test_bars_lie_on_the_sessions_of_their_exchange(bars, frames, exchange, suffix):
    sessions = calendar_for(exchange).sessions("2021-01-04", "2024-05-22")
    for dataset in ("bars", "index_bars"):
        frame = frames[dataset]
        chosen = frame.loc[frame["symbol"].str.contains(suffix), "session"]
        assert set(chosen.unique()) == set(sessions.to_numpy())


def test_prices_are_whole_cents_in_order(bars):
    for name in ("open", "high", "low", "close"):
        cents = bars[name] * 100
        assert (cents - cents.round()).abs().max() < 1e-6
        assert bars[name].min() >= 0.01
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["high"] > bars["low"]).mean() > 0.95


def _limits(bars, securities):
    """Limit prices in cents by the rule of the board, half a cent up; NaN where the session is free or the first."""
    cache = {}
    st = securities["st"]
    upper, lower = [], []
    for symbol, session, reference, age in zip(
        bars["symbol"], bars["session"], bars["reference"], bars["age"], strict=True
    ):
        key = (board_of(symbol), bool(st[symbol]), min(age, 6), session)
        if key not in cache:
            cache[key] = price_limit(symbol, session.date(), st=bool(st[symbol]), listed_sessions=min(int(age), 6))
        limit = cache[key]
        for side, ratio in ((upper, limit.up), (lower, limit.down)):
            if ratio is None or np.isnan(reference):
                side.append(np.nan)
            else:
                exact = Decimal(int(reference)) * (1 + Decimal(str(ratio)))
                side.append(float(exact.quantize(Decimal(1), ROUND_HALF_UP)))
    return np.array(upper), np.array(lower)


def test_limits_hold_for_every_price_and_are_reached_on_every_board(bars, securities):
    upper, lower = _limits(bars, securities)
    high, low, close = ((bars[name] * 100).round().to_numpy() for name in ("high", "low", "close"))
    assert not (high > upper).any()
    assert not (low < lower).any()
    boards = bars["symbol"].map(securities["board"])
    st = bars["symbol"].map(securities["st"])
    for chosen in (boards.eq("main") & ~st, boards.eq("main") & st, boards.eq("chinext"), boards.eq("star")):
        assert (close == upper)[chosen].any()
    assert ((close == upper) | (close == lower)).mean() > 0.002


def test_new_listings_are_free_for_their_first_sessions_and_bound_after(bars):
    moves = (100 * bars["close"] / bars["reference"] - 1).abs()
    chinext = bars["symbol"].str.startswith(("300", "301", "302")) & (bars["age"] < 999)
    assert moves[chinext & (bars["age"] > 5)].max() < 0.2011
    reformed = (
        bars["symbol"].str.startswith(("60", "00")) & bars["symbol"].str.endswith(("SH", "SZ")) & (bars["age"] < 999)
    )
    assert moves[reformed & (bars["age"] > 5)].max() < 0.1011


def test_what_a_limit_holds_back_spills_into_the_next_sessions(demo):
    market = demo._markets["XSHG"]
    settled, trades = market.settled, market.actions.trades
    held = (settled.fair != settled.close) & trades
    at_limit = (settled.close == settled.upper) | (settled.close == settled.lower)
    assert held.sum() > 50
    assert at_limit[held].all()  # nothing but a limit keeps a close from its fair price
    # The next session goes on in the same direction far more often than not.
    before, after = held[:-1] & trades[1:], settled.close[1:] / settled.reference[1:] - 1
    side = np.sign(settled.fair[:-1] - settled.close[:-1])
    assert np.mean((after * side)[before]) > 0.02
    # Sooner or later everything is released.
    assert (settled.fair[-30:] == settled.close[-30:])[:, trades[-1]].any(axis=0).all()


def test_total_returns_are_closes_over_references(bars):
    known = bars.dropna(subset="reference")
    expected = 100 * known["close"] / known["reference"] - 1
    np.testing.assert_allclose(known["total"], expected, atol=1e-12)


def test_the_factor_steps_on_ex_dates_only_and_covers_dividends_and_bonus_issues(bars):
    step = bars["previous"] / bars["reference"]
    ex = bars["reference"] < bars["previous"]
    assert (step[~ex].dropna() == 1.0).all()
    assert ex.sum() > 200
    assert step[ex].median() < 1.03  # cash dividends
    bonus = bars[ex & (step > 1.25)]
    assert len(bonus) > 3
    for row in bonus.index:  # more shares after than before
        floats = bars.loc[row - 1 : row, "volume"] / bars.loc[row - 1 : row, "turnover"]
        assert floats.iloc[1] / floats.iloc[0] > 1.25


def test_volume_amount_and_turnover_agree(bars, securities):
    mainland = bars["symbol"].str.endswith(("SH", "SZ", "BJ"))
    assert (bars.loc[mainland, "volume"] % 100 == 0).all()
    assert (bars["volume"] > 0).all()
    average = bars["amount"] / bars["volume"]
    assert (average >= bars["low"] - 1e-3).all()
    assert (average <= bars["high"] + 1e-3).all()
    last = bars.groupby("symbol").tail(1).set_index("symbol")
    held = securities["delisted"].isna()
    np.testing.assert_allclose(
        (last["volume"] / last["turnover"])[held], securities["float_shares"].reindex(last.index)[held], rtol=1e-9
    )
    assert bars["total"].abs().corr(np.log(bars["turnover"]), method="spearman") > 0.15
    assert (bars["quality"] == 0).all()


# --- anchors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [20240328, 1, 2, 3])
def test_printed_closes_are_met_exactly(theme, demo, seed):
    source = demo if seed == demo.seed else DemoSource(theme, background=0, seed=seed)
    day = FetchRequest(frozenset(PRINTED), date(2024, 3, 28), date(2024, 3, 28))
    closes = _frames(source, day)["bars"].set_index("symbol")["close"]
    assert closes.to_dict() == PRINTED


def test_the_packaged_theme_trades_whole_and_meets_its_printed_closes():
    theme = load_theme("ai")
    source = DemoSource(theme, background=0)
    frames = _frames(source, FetchRequest(until=date(2024, 4, 30)))
    assert set(frames["securities"]["symbol"]) == set(theme.security)
    closes = frames["bars"].set_index(["symbol", "session"])["close"]
    assert theme.estimates
    for row in theme.estimates:
        assert closes[row.symbol, pd.Timestamp(row.as_of)] == row.price
    printed = frames["consensus"].set_index(["symbol", "fiscal_year"])["eps"]
    assert printed.to_dict() == {(row.symbol, row.fiscal_year): row.eps for row in theme.estimates}
    assert {KIMI, SORA} <= set(source.truth()["release"])


def test_consensus_is_what_the_reports_print_and_nothing_else(frames):
    consensus = frames["consensus"]
    assert set(consensus["symbol"]) == set(PRINTED)
    assert len(consensus) == 7  # one printed EPS is blank
    assert (consensus["source"] == REPORT).all()
    assert (consensus["published"] == pd.Timestamp("2024-03-28")).all()
    assert consensus["analysts"].isna().all()


def test_the_printed_consensus_stands_on_its_day_and_the_forecasts_agree_with_it():
    theme = load_theme("ai")
    frames = _frames(DemoSource(theme, background=0))
    day = date(2024, 3, 28)
    reported = frames["reported_eps"].assign(fiscal_year=lambda f: f["period_end"].dt.year, currency="CNY")
    made = EstimateRecords(frames["consensus"], frames["broker_forecasts"], reported)
    table = consensus_as_of(made, day).set_index(["symbol", "fiscal_year"])
    printed = {(row.symbol, row.fiscal_year): row for row in theme.estimates}
    for key, row in printed.items():
        assert table.loc[key, "eps"] == row.eps
        assert table.loc[key, "kind"] == row.kind
        if row.kind == "E":
            assert table.loc[key, "source"] == row.report
            assert abs(table.loc[key, "eps_median"] - row.eps) < 0.6 * max(abs(row.eps), 0.1)
    rebuilt = table[table["source"] == "rebuilt"]
    assert rebuilt["revision_90"].notna().sum() > 100
    assert set(table["currency"]) == {"CNY", "HKD", "USD"}


def test_reports_come_after_their_year_and_forecasts_name_the_year_they_are_written_in(frames):
    reported, forecasts = frames["reported_eps"], frames["broker_forecasts"]
    assert (reported["published"] > reported["period_end"]).all()
    assert (reported["published"].dt.month <= 4).all()
    ahead = forecasts["fiscal_year"] - forecasts["published"].dt.year
    assert set(ahead) == {0, 1, 2}
    assert (forecasts["published"] <= pd.Timestamp("2024-05-22")).all()


# --- event effects --------------------------------------------------------------------------------------------------


def test_truth_names_the_injected_effects(demo, securities):
    truth = demo.truth()
    assert list(truth.columns) == ["release", "symbol", "session", "effect"]
    assert set(truth["release"]) == {KIMI, SORA, "glm-20230614"}  # policy, and what lies before the span, do nothing
    assert set(truth["symbol"]) <= set(securities.index[securities["currency"] == "CNY"])
    assert MENTIONED not in set(truth["symbol"])
    day = truth[(truth["release"] == KIMI) & (truth["session"] == KIMI_DAY)].set_index("symbol")["effect"]
    assert day[list(LINKED)].unique().tolist() == [0.06]
    assert day[~day.index.isin(LINKED)].unique().tolist() == [0.02]
    assert truth[truth["release"] == KIMI]["session"].nunique() == 5
    assert truth[truth["release"] == SORA]["session"].min() == SORA_DAY  # the first session after the Spring Festival


def test_effects_are_all_that_differs_from_the_market_without_events(theme, demo, returns):
    calm = _frames(DemoSource(theme, background=0, events=False), FetchRequest(until=date(2024, 5, 22)))["bars"]
    level = calm.assign(level=calm["close"] * calm["adj_factor"]).pivot_table("level", "session", "symbol")
    truth = demo.truth()
    for release, day in ((KIMI, KIMI_DAY), (SORA, SORA_DAY)):
        chosen = truth[truth["release"] == release]
        injected = chosen.groupby("symbol")["effect"].sum()
        window = returns.index[returns.index.get_loc(day) :][:12]
        quiet = level.reindex(returns.index).pct_change(fill_method=None).loc[window, injected.index]
        loud = returns.loc[window, injected.index]
        complete = (quiet.notna() & loud.notna()).all()
        gain = (np.log1p(loud) - np.log1p(quiet)).sum()[complete]
        # Clipped moves have come out twelve sessions later; the rest is a cent of rounding and compounding.
        assert gain.mean() == pytest.approx(np.log1p(injected[complete]).mean(), abs=0.003)


def test_abnormal_returns_recover_the_truth_within_their_standard_error(demo, returns):
    """The model of expected returns is the simulator's own: what remains is the stocks' noise and the effects."""
    market = demo._markets["XSHG"]
    columns = {profile.symbol: position for position, profile in enumerate(market.profiles)}
    truth = demo.truth()
    for release, day in ((KIMI, KIMI_DAY), (SORA, SORA_DAY)):
        injected = truth[truth["release"] == release].groupby("symbol")["effect"].sum()
        names = [name for name in injected.index if name not in PRINTED]
        take = [columns[name] for name in names]
        industry = [INDUSTRIES.index(market.profiles[column].industry) for column in take]
        model = (
            market.factors.styles @ market.traits.styles[take].T
            + market.factors.theme[:, None] * market.traits.theme[take]
            + market.factors.industries[:, industry]
        )
        abnormal = returns[names] - model
        start = returns.index.get_loc(day)
        car = abnormal.iloc[start : start + 12].sum(skipna=False).dropna()
        error = abnormal.iloc[:start].std()[car.index].pow(2).mul(12).sum() ** 0.5 / len(car)
        assert error < 0.02
        assert car.mean() == pytest.approx(injected[car.index].mean(), abs=2.6 * error)
        assert car.mean() > 2 * error  # and it is there at all


# --- realism --------------------------------------------------------------------------------------------------------


def _rbar(returns, market):
    design = np.column_stack([np.ones(len(market)), market])
    values = returns.dropna(axis=1).to_numpy()
    residuals = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    correlation = np.corrcoef(residuals.T)
    count = len(correlation)
    return (correlation.sum() - count) / (count * (count - 1))


@pytest.mark.parametrize("first", [10, 250, 520])
def test_residual_correlation_is_like_the_real_one(frames, returns, theme, first):
    index = frames["index_bars"].query("symbol == '000300.SH'").set_index("session")["close"].pct_change()
    window = slice(first, first + 250)
    market = index.iloc[window]
    inside = [symbol for symbol in returns if symbol in theme.security and symbol != MENTIONED]
    assert 0.15 < _rbar(returns[inside].iloc[window], market) < 0.42
    outside = returns.drop(columns=[*inside, MENTIONED]).iloc[window].dropna(axis=1)
    rng = np.random.default_rng(0)
    draws = [_rbar(outside.sample(30, axis=1, random_state=rng.integers(2**31)), market) for _ in range(20)]
    assert 0.03 < np.mean(draws) < 0.16


def test_returns_have_fat_tails_and_sane_volatility(returns, frames):
    assert 0.02 < returns.std().median() < 0.04
    assert returns.kurt().median() > 1
    index = frames["index_bars"].query("symbol == '000300.SH'").set_index("session")["close"].pct_change()
    assert 0.008 < index.std() < 0.014
    assert index.abs().autocorr(1) > 0.05  # volatility comes in regimes


def test_theme_names_are_wilder_in_the_first_half_of_2023(frames, returns, theme):
    index = frames["index_bars"].query("symbol == '000300.SH'").set_index("session")["close"].pct_change()
    excess = returns[[symbol for symbol in returns if symbol in theme.security]].mean(axis=1) - index
    assert excess["2023-02":"2023-06"].std() > 1.3 * excess["2022"].std()
    assert excess["2023-02":"2023-06"].std() > 1.3 * excess["2023-07":"2024-05"].std()


def test_factors_explain_returns_with_the_loadings_drawn(demo, frames, returns):
    factors = frames["factors"].pivot_table("value", "session", "factor")
    assert set(factors) == {"mkt_rf", "smb", "hml", "umd", "rmw", "cma", "rf"}
    styles = ["mkt_rf", "smb", "hml", "umd", "rmw", "cma"]
    market = demo._markets["XSHG"]
    names = [
        profile.symbol
        for profile in market.profiles
        if profile.kin == 0 and returns[profile.symbol].notna().sum() == 817
    ]
    design = np.column_stack([np.ones(817), factors[styles].to_numpy()[1:]])
    excess = returns[names].iloc[1:].sub(factors["rf"].iloc[1:], axis=0).to_numpy()
    loadings = np.linalg.lstsq(design, excess, rcond=None)[0][1:]
    position = {profile.symbol: column for column, profile in enumerate(market.profiles)}
    drawn = market.traits.styles[[position[name] for name in names]].T
    np.testing.assert_allclose(loadings.mean(axis=1), drawn.mean(axis=1), atol=0.09)
    assert np.corrcoef(loadings[1], drawn[1])[0, 1] > 0.8


def test_indices_have_names_levels_and_ordered_bars(frames):
    indices = frames["indices"].set_index("symbol")
    assert indices.loc["000300.SH", ["name", "provider", "level"]].tolist() == ["沪深300", "CSI", 0]
    assert indices.loc["801760.SI", ["name", "provider", "level"]].tolist() == ["传媒", "Shenwan", 1]
    assert indices.loc["CI005577.CI", ["name", "provider", "level"]].tolist() == ["游戏", "CITIC", 3]
    assert indices.loc[["HSI.HK", "SPX.US", "IXIC.US"], "provider"].tolist() == ["HSI", "S&P", "Nasdaq"]
    bars = frames["index_bars"]
    assert set(bars["symbol"]) == set(indices.index)
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert bars.loc[bars["symbol"] == "000300.SH", ["amount", "pe_trailing"]].notna().all().all()
    assert bars.loc[bars["symbol"] == "801760.SI", "pe_trailing"].isna().all()


def test_hong_kong_moves_with_the_mainland(frames):
    levels = frames["index_bars"].pivot_table("close", "session", "symbol")[["000300.SH", "HSI.HK"]].dropna()
    assert 0.3 < levels.pct_change().corr().iloc[0, 1] < 0.8


def test_capex_has_every_quarter_in_dollars(frames):
    capex = frames["capex"]
    assert capex.groupby("symbol").size().to_dict() == dict.fromkeys(("AMZN.US", "GOOGL.US", "META.US", "MSFT.US"), 13)
    assert capex["capex"].between(1e9, 1e11).all()
    assert (capex["currency"] == "USD").all()
