"""Every column a second time: one symbol after the other, in plain pandas."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from aitheme.symbols import board_of, price_limit

BOARDS = {"main", "chinext", "star", "bse"}


def all_sessions(market, as_of):
    rows = market.sql("SELECT session FROM sessions WHERE exchange = 'XSHG' AND session <= ? ORDER BY 1", [as_of])
    return pd.DatetimeIndex(rows["session"])


def oracle(market, theme, as_of):
    """Return symbol x column, NaN / None / NaT for NULL, of the names with a bar in the last 250 sessions."""
    as_of = date.fromisoformat(as_of)
    sessions = all_sessions(market, as_of)
    bars = market.sql("SELECT * FROM bars WHERE session <= ? ORDER BY symbol, session", [as_of])
    bars["session"] = pd.to_datetime(bars["session"])
    index = market.sql("SELECT session, close FROM index_bars WHERE symbol = '000300.SH' AND session <= ?", [as_of])
    benchmark = pd.Series(index["close"].to_numpy(), index=pd.DatetimeIndex(index["session"])).reindex(sessions)
    held = market.sql("SELECT * FROM securities").set_index("symbol")
    consensus = market.sql("SELECT * FROM consensus WHERE published <= ?", [as_of])
    start = pd.Timestamp(market.span[0])
    rows = {}
    for symbol, part in bars.groupby("symbol"):
        own = part.set_index("session")
        if board_of(symbol) not in BOARDS or own.index[-1] < sessions[-250:][0]:
            continue
        security = held.loc[symbol] if symbol in held.index else pd.Series(dtype=object)
        row = {
            **_prices(symbol, own, sessions, benchmark, start),
            **_security(symbol, own, security, sessions),
            **_estimates(consensus[consensus["symbol"] == symbol], own["close"].iloc[-1], as_of),
            **_theme(theme, symbol, as_of, sessions),
        }
        rows[symbol] = row
    frame = pd.DataFrame.from_dict(rows, orient="index")
    for n in (1, 5, 20, 60, 120, 250):
        groups = frame.groupby("industry")[f"ret_{n}"]
        mean = groups.transform("mean").where(groups.transform("count") >= 5)
        frame[f"excess_ind_{n}"] = frame[f"ret_{n}"] - mean
    return frame


def _prices(symbol, own, sessions, benchmark, store_start):
    window = sessions[-281:]
    level = (own["close"] * own["adj_factor"]).reindex(window)
    filled = level.ffill()
    row = {"symbol": symbol, "board": board_of(symbol), "suspended": own.index[-1] != sessions[-1]}
    row |= {"price": own["close"].iloc[-1], "price_session": own.index[-1]}
    for n in (1, 5, 20, 60, 120, 250):
        known = len(window) > n
        row[f"ret_{n}"] = filled.iloc[-1] / filled.iloc[-1 - n] - 1 if known else np.nan
        move = benchmark.iloc[-1] / benchmark.iloc[-1 - n] - 1 if known else np.nan
        row[f"excess_{n}"] = row[f"ret_{n}"] - move
    daily = level.pct_change(fill_method=None).iloc[1:].iloc[-250:]
    recent = daily.iloc[-60:].dropna()
    row["vol_60"] = recent.std() * np.sqrt(242) if len(recent) >= 40 else np.nan
    both = pd.concat([daily, benchmark.pct_change(fill_method=None).reindex(daily.index)], axis=1).dropna().to_numpy()
    row["beta_250"] = row["idio_vol"] = np.nan
    if len(both) >= 120:
        design = np.column_stack([np.ones(len(both)), both[:, 1]])
        coefficients = np.linalg.lstsq(design, both[:, 0], rcond=None)[0]
        residual = both[:, 0] - design @ coefficients
        row["beta_250"] = coefficients[1]
        row["idio_vol"] = np.sqrt(residual @ residual / (len(both) - 2)) * np.sqrt(242)
    row["dist_high_250"] = filled.iloc[-1] / level.iloc[-250:].max() - 1
    row["limit_up_20"] = sum(limit_up(symbol, own, sessions, day, store_start) for day in sessions[-20:])
    last = own.reindex(sessions[-20:])
    row["turnover"] = last["turnover"].iloc[-1]
    row["turnover_20"] = last["turnover"].mean()
    row["amount_20"] = last["amount"].mean()
    row["approximate"] = bool((own.reindex(sessions[-250:])["quality"].dropna().astype(int) & 2).any())
    return row


def limit_up(symbol, own, sessions, day, store_start):
    """Whether a close stands at the upper limit, from the exchange's rule."""
    if day not in own.index or own.index[0] == day:
        return False
    at = own.index.get_loc(day)
    before, today = own.iloc[at - 1], own.iloc[at]
    reference = before["close"] * before["adj_factor"] / today["adj_factor"]
    age = len(sessions[(sessions >= own.index[0]) & (sessions <= day)]) if own.index[0] > store_start else None
    limit = price_limit(symbol, day.date(), listed_sessions=age).up
    if limit is None:
        return False
    return bool(today["close"] >= round(reference * (1 + limit), 2) - max(0.005, 0.002 * today["close"]))


def _security(symbol, own, security, sessions):
    def get(name):
        value = security.get(name)
        return None if pd.isna(value) else value

    listed = get("listed")
    begin = own.index[0] if listed is None else min(pd.Timestamp(listed), own.index[0])
    price = own["close"].iloc[-1]
    total, floating = get("total_shares"), get("float_shares")
    return {
        "name": get("name"),
        "industry": get("industry"),
        "st": None if get("st") is None else bool(get("st")),
        "listing_age": float((sessions >= begin).sum()),
        "market_cap": np.nan if total is None else price * total,
        "float_cap": np.nan if floating is None else price * floating,
    }


def _latest(rows):
    """Last published; of several on a day the first source in the alphabet."""
    best = None
    for row in rows.itertuples():
        if (
            best is None
            or row.published > best.published
            or (row.published == best.published and row.source < best.source)
        ):
            best = row
    return best


def _estimates(rows, price, as_of):
    rows = rows[rows["currency"].isna() | (rows["currency"] == "CNY")].copy()
    rows["published"] = pd.to_datetime(rows["published"])
    latest = {year: _latest(part) for year, part in rows.groupby("fiscal_year")}
    actual = [year for year, row in latest.items() if row.kind == "A"]
    floor = as_of.year if as_of.month >= 5 else as_of.year - 1
    first = max(max(actual) + 1, floor) if actual else as_of.year
    eps = [latest[first + k].eps if first + k in latest else np.nan for k in range(3)]

    def pe(value):
        return price / value if value > 0 else np.nan

    row = {"pe_ttm": pe(latest[max(actual)].eps) if actual else np.nan}
    row |= {f"pe_fy{k + 1}": pe(eps[k]) for k in range(3)}
    row["eps_growth"] = eps[1] / eps[0] - 1 if eps[0] > 0 else np.nan
    row["peg"] = row["pe_fy1"] / (100 * row["eps_growth"]) if row["eps_growth"] > 0 else np.nan
    fy1 = rows[rows["fiscal_year"] == first]
    counted = _latest(fy1[fy1["analysts"].notna()])
    row["analysts"] = np.nan if counted is None else float(counted.analysts)
    now = latest.get(first)
    row["consensus_age"] = np.nan if now is None else float((pd.Timestamp(as_of) - now.published).days)
    for days in (30, 90):
        row[f"revision_{days}"] = np.nan
        if now is not None:
            early = fy1[
                (fy1["source"] == now.source) & (fy1["published"] <= pd.Timestamp(as_of) - pd.Timedelta(days=days))
            ]
            old = _latest(early)
            if old is not None and old.eps != 0:
                row[f"revision_{days}"] = (now.eps - old.eps) / abs(old.eps)
    recent = fy1[fy1["published"] > pd.Timestamp(as_of) - pd.Timedelta(days=180)]
    each = [_latest(part).eps for _, part in recent.groupby("source")]
    row["dispersion"] = np.std(each, ddof=1) / abs(np.mean(each)) if len(each) >= 3 else np.nan
    return row


def _theme(theme, symbol, as_of, sessions):
    public = {name for name, report in theme.reports.items() if report.published <= as_of}
    in_any = any(row.symbol == symbol and row.basket.split("/")[0] in public for row in theme.members)
    naming = {row.basket.split("/")[0] for row in theme.members if row.symbol == symbol}
    naming |= {row.report for row in (*theme.links, *theme.estimates) if row.symbol == symbol}
    security = theme.security.get(symbol)
    naming |= {part.split(":")[0] for part in security.mentions} if security else set()
    models = {row.model for row in theme.links if row.symbol == symbol and row.report in public and row.model}
    past = [
        (release.day0, release.id)
        for release in theme.dated_releases()
        if release.model in models and pd.Timestamp(release.day0) <= sessions[-1]
    ]
    day, name = max(past, default=(None, None))
    return {
        "in_any_basket": in_any,
        "n_reports": float(len(naming & public)),
        "last_release": pd.NaT if day is None else pd.Timestamp(day),
        "last_release_id": name,
        "sessions_since_release": np.nan if day is None else float((sessions > pd.Timestamp(day)).sum()),
    }
