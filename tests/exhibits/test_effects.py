"""Chapters on releases, crowding, members and valuation, against second computations that share no code with them."""

from datetime import date
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from aitheme.analysis.links import linked_effects, linked_members
from aitheme.analysis.releases import MOST_DAYS, REACH, headline_days, release_days
from aitheme.analysis.room import StudyRoom, study_room
from aitheme.eventstudy import event_study
from aitheme.exhibits import book
from aitheme.exhibits.crowding import crowding_chapter
from aitheme.exhibits.members import member_chapter
from aitheme.exhibits.membership import headline_baskets
from aitheme.exhibits.releases_effect import release_chapter
from aitheme.exhibits.valuation_band import valuation_chapter

MSZQ, HTSC = "mszq-20240328", "htsc-20230420"
TEXT = f"{MSZQ}/text-corpus"
CHAPTERS = (release_chapter, crowding_chapter, member_chapter, valuation_chapter)
LAST = date(2024, 5, 22)


@pytest.fixture(scope="module")
def draw(demo_market, ai_theme):
    """Draw an exhibit of a report by its id, each once."""
    made = {}

    def one(exhibit_id, report=MSZQ, lang="zh", as_of=None):
        key = (exhibit_id, report, lang, as_of)
        if key not in made:
            definition = next(one for chapter in CHAPTERS for one in chapter(ai_theme, report) if one.id == exhibit_id)
            made[key] = definition(demo_market, ai_theme, lang=lang, as_of=as_of)
        return made[key]

    return one


def bars(market, symbol, column="close * adj_factor"):
    rows = market.sql(f"SELECT session, {column} AS value FROM bars WHERE symbol = ? ORDER BY session", [symbol])
    return pd.Series(rows["value"].to_numpy(dtype=float), pd.DatetimeIndex(rows["session"]))


def sessions_of(market):
    return pd.DatetimeIndex(
        market.sql("SELECT DISTINCT session FROM bars WHERE symbol LIKE '%.SH' ORDER BY 1")["session"]
    )


def returns_of(market, symbols):
    sessions = sessions_of(market)
    columns = {}
    for symbol in symbols:
        level = bars(market, symbol)
        columns[symbol] = (level / level.shift() - 1).reindex(sessions)
    return pd.DataFrame(columns)


def benchmark_of(market):
    closes = market.sql("SELECT session, close FROM index_bars WHERE symbol = '000300.SH' ORDER BY session")
    series = pd.Series(closes["close"].to_numpy(), pd.DatetimeIndex(closes["session"]))
    return (series / series.shift() - 1).reindex(sessions_of(market)).rename("000300.SH")


# Releases


def test_rows_of_the_heatmap_are_the_days_the_rule_names(demo_market, ai_theme):
    room = StudyRoom(demo_market, ai_theme)
    sessions = list(room.theme_panel.sessions.date)
    published = max(at for at, day in enumerate(sessions) if day <= date(2024, 3, 28))
    wanted = set()
    for release in ai_theme.dated_releases():
        if release.day0 in sessions:
            near = abs(sessions.index(release.day0) - published) <= REACH
            if near or MSZQ in ai_theme.release_reports(release.id):
                wanted.add(release.day0)
    days = release_days(room, MSZQ, most=1000)
    assert {day.day0 for day in (*days.days, *days.impossible)} == wanted
    cut = release_days(room, MSZQ)
    assert len(cut.days) == min(MOST_DAYS, len(days.days))
    assert cut.left_out == len(days.days) - len(cut.days)
    assert {day.day0 for day in days.days if day.mentioned} <= {day.day0 for day in cut.days}
    assert [day.day0 for day in cut.days] == sorted(day.day0 for day in cut.days)


def test_a_day_with_several_releases_is_one_row(draw, ai_theme):
    data = draw("release-heatmap").data
    sora = data[data["day0"] == date(2024, 2, 19)]
    assert len(sora) == len(headline_baskets(ai_theme, MSZQ)) + 1
    assert sora["releases"].str.contains("Sora").all()
    assert sora["releases"].str.contains("Gemini").all()


def test_a_cell_is_the_headline_test_of_the_study(draw, demo_market, ai_theme):
    symbols = list(ai_theme.symbols(TEXT))
    done = event_study(
        returns_of(demo_market, symbols), [("x", pd.Timestamp("2024-03-18"))], benchmark=benchmark_of(demo_market),
        window=(0, 4), tests=["volatility_scaled_t"], draws=0,
    )  # fmt: skip
    data = draw("release-heatmap").data
    row = data[(data["basket_id"] == TEXT) & (data["day0"] == date(2024, 3, 18))].iloc[0]
    assert row["caar"] == pytest.approx(done.caar.iloc[-1], abs=1e-12)
    assert row["p_value"] == pytest.approx(done.headline.p_value, abs=1e-10)
    assert row["n"] == done.n


def test_a_caar_against_least_squares_by_hand(draw, demo_market, ai_theme):
    symbols = list(ai_theme.symbols(TEXT))
    returns, market = returns_of(demo_market, symbols), benchmark_of(demo_market)
    at = list(returns.index).index(pd.Timestamp("2024-03-18"))
    cars = []
    for symbol in symbols:
        window = pd.DataFrame({"r": returns[symbol], "m": market}).iloc[at - 279 : at - 29].dropna()
        slope, intercept = np.polyfit(window["m"], window["r"], 1)
        event = slice(at, at + 5)
        cars.append((returns[symbol].iloc[event] - intercept - slope * market.iloc[event]).sum())
    data = draw("release-heatmap").data
    row = data[(data["basket_id"] == TEXT) & (data["day0"] == date(2024, 3, 18))].iloc[0]
    assert row["caar"] == pytest.approx(np.mean(cars), abs=1e-9)


def test_adjusted_p_values_by_a_loop(draw):
    data = draw("release-heatmap").data
    raw = data["p_value"].dropna().sort_values()
    count, best, expected = len(raw), 1.0, {}
    for rank in range(count, 0, -1):
        best = min(best, raw.iloc[rank - 1] * count / rank)
        expected[raw.index[rank - 1]] = best
    assert data["benjamini_hochberg"].dropna().to_dict() == pytest.approx(expected)


def test_the_heatmap_says_what_it_left_out_and_how_many_tests_it_made(draw):
    exhibit = draw("release-heatmap", lang="en")
    tests = exhibit.data["p_value"].notna().sum()
    assert f"of {tests} tests have p<5%" in exhibit.content.subtitle
    assert "Benjamini-Hochberg" in exhibit.note
    assert "more days do not fit" in exhibit.note


def test_a_release_before_the_data_is_listed_with_its_reason(draw):
    note = draw("release-heatmap", "tfzq-20240309").note
    assert "估计窗口早于行情库" in note
    assert "21/07/05" in note


def test_paths_start_at_zero_and_end_at_the_studied_caar(draw, demo_market, ai_theme):
    data = draw("release-paths").data
    room = study_room(demo_market, ai_theme, LAST)
    assert set(data["day0"]) == {day.day0 for day in headline_days(room, MSZQ)}
    for day0, path in data.groupby("day0"):
        assert list(path["day"]) == list(range(-6, 11))
        assert path[["caar", "low", "high"]].iloc[0].tolist() == [0.0, 0.0, 0.0]
        assert (path["low"] <= path["high"]).all()
        done = event_study(
            returns_of(demo_market, ai_theme.symbols(f"{MSZQ}/recommended")), [("x", pd.Timestamp(day0))],
            benchmark=benchmark_of(demo_market), window=(-5, 10), tests=["volatility_scaled_t"], draws=0,
        )  # fmt: skip
        assert path["caar"].to_numpy()[1:] == pytest.approx(done.caar.to_numpy(), abs=1e-12)


def test_linked_less_unlinked_is_the_difference(demo_market, ai_theme):
    room = StudyRoom(demo_market, ai_theme)
    days = release_days(room, MSZQ).days
    table, skipped = linked_effects(room, MSZQ, days)
    assert len(table) + skipped == len(days)
    assert table["difference"].to_numpy() == pytest.approx((table["linked"] - table["unlinked"]).to_numpy(), abs=1e-12)
    assert (table[["n_linked", "n_unlinked"]] >= 2).all().all()
    kimi = next(day for day in days if day.day0 == date(2024, 3, 18))
    assert linked_members(room, MSZQ, kimi) == set(ai_theme.linked_symbols("kimi"))


# Crowding


def test_turnover_share_and_percentile_by_a_loop(draw, demo_market, ai_theme):
    exhibit = draw("turnover-share")
    name = ai_theme.basket(TEXT).name_zh
    line = exhibit.data[exhibit.data["name"] == name].set_index("session")
    total = demo_market.sql(
        "SELECT session, sum(amount) AS amount FROM bars WHERE symbol NOT LIKE '%.HK' AND symbol NOT LIKE '%.US' GROUP BY 1"
    )
    market = dict(zip(pd.DatetimeIndex(total["session"]), total["amount"], strict=True))
    amounts = [bars(demo_market, symbol, "amount") for symbol in ai_theme.symbols(TEXT)]
    sessions = sessions_of(demo_market)
    share = [sum(one.get(session, 0.0) for one in amounts) / market[session] for session in sessions]
    at = list(sessions).index(pd.Timestamp("2024-03-28"))
    assert line.loc[date(2024, 3, 28), "share"] == pytest.approx(share[at])
    assert line.loc[date(2024, 3, 28), "smooth"] == pytest.approx(np.mean(share[at - 4 : at + 1]))
    assert line.loc[date(2024, 3, 28), "percentile"] == pytest.approx(
        np.mean(np.array(share[at - 249 : at + 1]) <= share[at])
    )


def test_breadth_and_limit_ups_of_a_day_by_a_loop(draw, demo_market, ai_theme):
    data = draw("breadth").data.set_index("session")
    room = study_room(demo_market, ai_theme, LAST)
    for session in (date(2024, 3, 18), date(2024, 4, 10)):
        above = known = 0
        for symbol in ai_theme.symbols(f"{MSZQ}/recommended"):
            level = bars(demo_market, symbol).loc[: str(session)]
            if len(level) >= 20 and level.index[-1].date() == session:
                known += 1
                above += level.iloc[-1] > level.iloc[-20:].mean()
        assert data.loc[session, "above"] == pytest.approx(above / known)
        assert data.loc[session, "known"] == known
        state = room.theme_panel.limit_state.loc[str(session), list(ai_theme.symbols(f"{MSZQ}/recommended"))]
        assert data.loc[session, "limit_ups"] == int((state > 0).sum())


def test_crowding_around_a_release_is_the_mean_of_its_days(draw):
    daily = draw("breadth").data.set_index("session")
    row = draw("crowding-releases").data.set_index("day0").loc[date(2024, 3, 18)]
    sessions = list(daily.index)
    at = sessions.index(date(2024, 3, 18))
    assert row["above_day0"] == pytest.approx(daily["above"].iloc[at])
    assert row["above_before"] == pytest.approx(daily["above"].iloc[at - 20 : at].mean())
    assert row["limit_ups_week"] == pytest.approx(daily["limit_ups"].iloc[at + 1 : at + 6].mean())
    assert row["above_month"] == pytest.approx(daily["above"].iloc[at + 6 : at + 21].mean())


# Members


def test_correlations_before_and_after_publication(draw, demo_market, ai_theme):
    data = draw("correlation-text-corpus").data
    excess = returns_of(demo_market, ai_theme.symbols(TEXT)).sub(benchmark_of(demo_market), axis=0)
    before, after = excess.loc[:"2024-03-28"].tail(250), excess.loc["2024-03-29":]
    for row in data.sample(20, random_state=1).to_dict("records"):
        side = before if row["side"] == "发布日前" else after
        both = side[[row["symbol"], row["other_symbol"]]].dropna()
        assert row["correlation"] == pytest.approx(np.corrcoef(both.to_numpy().T)[0, 1])
    count = len(ai_theme.symbols(TEXT))
    assert len(data) == count * (count - 1)
    table = draw("correlation-table").data.set_index("name")
    own = data[data["side"] == "发布日前"]["correlation"].mean()
    assert table.loc[ai_theme.basket(TEXT).name_zh, "mean_before"] == pytest.approx(own)


def test_shared_names_are_counted_over_the_reports(draw, ai_theme):
    data = draw("shared-names").data
    held = {
        report: {
            symbol
            for basket in headline_baskets(ai_theme, report)
            for symbol in ai_theme.symbols(basket, overseas=True)
        }
        for report in ai_theme.reports
    }
    counts = {symbol: sum(symbol in names for names in held.values()) for names in held.values() for symbol in names}
    assert dict(zip(data["symbol"], data["count"], strict=True)) == {name: n for name, n in counts.items() if n > 1}
    assert list(data["count"]) == sorted(data["count"], reverse=True)
    assert f"另有{sum(n == 1 for n in counts.values())}家" in draw("shared-names").note


def test_basket_overlap_by_sets(draw, ai_theme):
    data = draw("basket-overlap").data
    baskets = [basket for report in ai_theme.reports for basket in headline_baskets(ai_theme, report)]
    expected = {}
    for one, other in combinations(baskets, 2):
        names, others = (set(ai_theme.symbols(basket, overseas=True)) for basket in (one, other))
        expected[one, other] = expected[other, one] = len(names & others) / len(names | others)
    assert dict(zip(zip(data["basket"], data["other"], strict=True), data["jaccard"], strict=True)) == pytest.approx(
        expected
    )


def test_concentration_by_hand(draw, demo_market, ai_theme):
    rows = draw("concentration").data
    row = rows[(rows["name"] == ai_theme.basket(TEXT).name_zh) & (rows["moment"] == date(2024, 3, 28))].iloc[0]
    shares = demo_market.securities()["total_shares"]
    caps = {}
    for symbol in ai_theme.symbols(TEXT):
        caps[symbol] = bars(demo_market, symbol, "close").loc[:"2024-03-28"].iloc[-1] * shares[symbol]
    weights = np.array(list(caps.values())) / sum(caps.values())
    assert row["herfindahl_cap"] == pytest.approx((weights**2).sum())
    assert row["effective_cap"] == pytest.approx(1 / (weights**2).sum())
    assert row["top_cap"] == pytest.approx(np.sort(weights)[-5:].sum())


# Valuation


def test_pe_then_and_now(draw, demo_market):
    data = draw("pe-then-now").data.set_index("symbol")
    row = data.loc["300364.SZ"]
    closes = bars(demo_market, "300364.SZ", "close")
    assert row["pe_then"] == pytest.approx(closes.loc[:"2024-03-28"].iloc[-1] / row["eps_then"])
    assert row["pe_now"] == pytest.approx(closes.iloc[-1] / row["eps_now"])
    members = data.drop(index="")
    assert data.loc["", "price_change"] == pytest.approx(members["price_change"].median())


def test_revisions_are_changes_of_the_same_year(draw):
    data = draw("revisions").data
    assert (data["fiscal_year"] == 2024).all()
    assert data["revision"].to_numpy() == pytest.approx(
        ((data["eps_now"] - data["eps_then"]) / data["eps_then"].abs()).to_numpy()
    )
    assert list(data["revision"]) == sorted(data["revision"], reverse=True)


def test_forward_pe_of_some_sessions_by_a_loop(demo_market, ai_theme):
    """Each session on its own, from the point-in-time consensus of that day: price over EPS of the year after the last reported."""
    definition = next(one for one in book(ai_theme, HTSC) if one.id == "forward-pe")
    exhibit = definition(demo_market, ai_theme)
    drawn = exhibit.data.set_index("session")
    symbols = list(ai_theme.symbols(f"{HTSC}/opportunities", overseas=True))
    currency = {symbol: "HKD" if symbol.endswith(".HK") else "CNY" for symbol in symbols}
    marks = ", ".join("?" for _ in symbols)
    for day in (date(2022, 6, 15), date(2023, 4, 20), date(2024, 5, 22)):
        held = demo_market.consensus(symbols, as_of=day)
        last = demo_market.sql(
            f"SELECT symbol, last(close ORDER BY session) AS close FROM bars WHERE symbol IN ({marks}) AND session <= ? "
            "GROUP BY symbol", [*symbols, day],
        ).set_index("symbol")["close"]  # fmt: skip
        multiples, known, losses = [], 0, 0
        for symbol in symbols:
            rows = held[held["symbol"] == symbol]
            actual = rows.loc[rows["kind"] == "A", "fiscal_year"]
            floor = day.year if day.month >= 5 else day.year - 1
            year = max(actual.max() + 1, floor) if len(actual) else day.year
            eps = rows.loc[(rows["fiscal_year"] == year) & (rows["currency"] == currency[symbol]), "eps"]
            known += len(eps)
            losses += int((eps <= 0).sum())
            multiples += [last[symbol] / value for value in eps if value > 0]
        row = drawn.loc[day]
        assert (row["n_eps"], row["n_loss"]) == (known, losses)
        assert row["median"] == pytest.approx(float(np.median(multiples)))
    least, most = int(drawn["n_eps"].min()), int(drawn["n_eps"].max())
    assert f"每日计入{least}至{most}家（共{len(symbols)}家）" in exhibit.note


def test_bands_touch_the_index_where_its_multiple_is_the_quantile(draw):
    data = draw("pe-band").data
    known = np.sort(data["pe"].to_numpy())
    median = np.median(known)
    assert data["band_50%"].to_numpy() == pytest.approx((median * data["close"] / data["pe"]).to_numpy())
    near = data.iloc[(data["pe"] - median).abs().argmin()]
    assert near["band_50%"] / near["close"] == pytest.approx(median / near["pe"])


# What may go wrong


@pytest.mark.parametrize("report", ["glsc-20231229", "hfzq-202402", HTSC, "tfzq-20240309"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_book_has_the_four_chapters(demo_market, ai_theme, report, lang):
    for chapter in CHAPTERS:
        definitions = chapter(ai_theme, report)
        assert definitions
        for definition in definitions:
            if definition.id == "forward-pe" and lang == "en":
                continue  # the same numbers again, and the slowest of them
            exhibit = definition(demo_market, ai_theme, lang=lang)
            assert exhibit.status == "ok", (exhibit.id, exhibit.reason)
            assert set(exhibit.content.columns) <= set(exhibit.data.columns)
            assert exhibit.simulated == exhibit.content.from_market
    ids = [definition.id for definition in book(ai_theme, report)]
    assert len(set(ids)) == len(ids)


def test_nothing_after_the_as_of_date_leaks(draw):
    day = date(2024, 4, 10)
    heat = draw("release-heatmap", as_of=day).data
    assert heat["day0"].max() < day
    assert draw("turnover-share", as_of=day).data["session"].max() == day
    assert draw("pe-band", as_of=day).data["session"].max() == day
    early, late = (draw("crowding-releases", as_of=moment).data.set_index("day0") for moment in (day, None))
    assert early.loc[date(2024, 2, 19)].drop("release").equals(late.loc[date(2024, 2, 19)].drop("release"))
    assert np.isnan(early.loc[date(2024, 3, 18), "share_month"])


def test_before_publication_there_is_no_after(draw):
    day = "2024-03-01"
    assert draw("pe-then-now", as_of=day).status == "unavailable"
    assert "2024-03-01不晚于报告发布日2024-03-28" in draw("pe-then-now", as_of=day).reason
    assert set(draw("correlation-text-corpus", as_of=day).data["side"]) == {"发布日前"}
    assert not [name for name in draw("crowding-summary", as_of=day).data if name.endswith("_now")]
    assert set(draw("concentration", as_of=day).data["moment"]) == {date(2024, 3, 1)}
    other_reports = draw("shared-names", HTSC, as_of="2023-06-01")
    assert other_reports.status == "unavailable"
    assert "只有一份报告" in other_reports.reason


def test_a_store_without_the_market_or_the_data_says_so(toy_market, ai_theme, toy_theme):
    found = {
        definition.id: definition(toy_market, ai_theme, lang="en")
        for chapter in CHAPTERS
        for definition in chapter(ai_theme, MSZQ)
    }
    assert found["release-heatmap"].status == "unavailable"
    assert found["pe-then-now"].status == "unavailable"
    assert all(exhibit.reason for exhibit in found.values() if exhibit.status == "unavailable")
    for chapter in CHAPTERS:
        for definition in chapter(toy_theme, "acme-20230615"):
            exhibit = definition(toy_market, toy_theme)
            assert exhibit.status == "ok" or exhibit.reason


def test_a_room_is_read_once_for_a_snapshot_and_a_date(demo_market, ai_theme):
    room = study_room(demo_market, ai_theme, "2024-04-10")
    assert study_room(demo_market, ai_theme, "2024-04-10") is room
    assert study_room(demo_market, ai_theme, "2024-04-11") is not room
    assert room.theme_panel.sessions[-1].date() == date(2024, 4, 10)
