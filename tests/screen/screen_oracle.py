"""Every column a second time: one symbol after the other, in plain pandas."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import t as student

from aitheme.symbols import board_of, price_limit

CARS = ("mean_car_releases", "t_car_releases", "p_car_releases", "n_car_releases")
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
    held = securities(market, as_of)
    records = {
        name: market.sql(f"SELECT * FROM {name} WHERE published <= ?", [as_of])
        for name in ("consensus", "broker_forecasts", "reported_eps")
    }
    cars = release_cars(market, theme, as_of, sessions)
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
            **_estimates(
                {name: part[part["symbol"] == symbol] for name, part in records.items()}, own["close"].iloc[-1], as_of
            ),
            **_theme(theme, symbol, as_of, sessions),
            **cars(symbol),
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


def securities(market, as_of):
    """The list with the last name seen and the share counts in force, symbol by symbol."""
    held = market.sql("SELECT * FROM securities").set_index("symbol")
    names = market.sql("SELECT * FROM names WHERE seen <= ? ORDER BY seen", [as_of])
    counts = market.sql("SELECT * FROM share_counts WHERE effective <= ? ORDER BY effective", [as_of])
    for row in names.itertuples():
        if row.symbol in held.index:
            held.loc[row.symbol, ["name", "st"]] = [row.name, row.st]
    for row in counts.itertuples():
        if row.symbol in held.index:
            held.loc[row.symbol, ["total_shares", "float_shares"]] = [row.total_shares, row.float_shares]
    return held


def stamp(day):
    return pd.Timestamp(day)


def brokers_latest(forecasts, year, day, currency=None):
    """Each broker's latest EPS of the last 180 days, of the currency most brokers write in; forecasts in order of time."""
    by_currency = {}
    for row in forecasts:
        known = stamp(day) - pd.Timedelta(days=180) < row.published <= stamp(day)
        if known and row.fiscal_year == year and pd.notna(row.eps):
            by_currency.setdefault(row.currency, {})[row.broker] = (row.published, row.eps)
    if currency is not None:
        return currency, by_currency.get(currency, {})
    if not by_currency:
        return None, {}
    order = sorted(
        by_currency, key=lambda c: (-len(by_currency[c]), -max(d.value for d, _ in by_currency[c].values()), c)
    )
    return order[0], by_currency[order[0]]


def alike(one, other):
    return one == other or (pd.isna(one) and pd.isna(other))


def best_of(rows):
    """Last published; of several on a day the first source in the alphabet."""
    return min(rows, key=lambda row: (-stamp(row.published).value, row.source), default=None)


def known_eps(records, year, as_of):
    """One fiscal year: kind, eps, currency, source, published, analysts, dispersion of three brokers, revisions."""
    stated = [row for row in records["consensus"].itertuples() if row.fiscal_year == year]
    annual = [
        row for row in records["reported_eps"].itertuples()
        if stamp(row.period_end) == pd.Timestamp(year, 12, 31) and pd.notna(row.eps)
    ]  # fmt: skip
    actual = best_of([row for row in stated if row.kind == "A"])
    estimate = best_of([row for row in stated if row.kind == "E"])
    currency, brokers = brokers_latest(records["broker_forecasts"], year, as_of)
    values = [eps for _, eps in brokers.values()]
    fresh = estimate is not None and stamp(estimate.published) > stamp(as_of) - pd.Timedelta(days=30)
    if annual:
        last = max(annual, key=lambda row: stamp(row.published))
        row = {
            "kind": "A",
            "eps": last.eps,
            "currency": "CNY",
            "source": "reported",
            "published": stamp(last.published),
        }
    elif actual is not None or fresh or (estimate is not None and not values):
        chosen = actual or estimate
        row = {"kind": chosen.kind, "eps": chosen.eps, "currency": chosen.currency, "source": chosen.source}
        row |= {"published": stamp(chosen.published), "analysts": chosen.analysts}
    elif values:
        row = {"kind": "E", "eps": np.mean(values), "currency": currency, "source": "rebuilt", "analysts": len(values)}
        row["published"] = max(day for day, _ in brokers.values())
    else:
        return None
    same = values if currency == row["currency"] else []
    if pd.isna(row.get("analysts", np.nan)):
        row["analysts"] = len(same) if same else np.nan
    row["dispersion"] = np.std(same, ddof=1) / abs(np.mean(same)) if len(same) >= 3 else np.nan
    for days in (30, 90):
        row[f"revision_{days}"] = _revised(records, year, row, same, stamp(as_of) - pd.Timedelta(days=days))
    return row


def _revised(records, year, row, same, then):
    if row["kind"] == "A":
        return np.nan
    old = [
        one for one in records["consensus"].itertuples()
        if one.fiscal_year == year and one.source == row["source"] and alike(one.currency, row["currency"])
        and stamp(one.published) <= then
    ]  # fmt: skip
    if old:
        before, now = best_of(old).eps, row["eps"]
    else:
        _, brokers = brokers_latest(records["broker_forecasts"], year, then, row["currency"])
        if not brokers or not same:
            return np.nan
        before, now = np.mean([eps for _, eps in brokers.values()]), np.mean(same)
    return (now - before) / abs(before) if before != 0 else np.nan


def _estimates(records, price, as_of):
    ordered = records["broker_forecasts"].sort_values(["published", "report"], kind="stable")
    recent = ordered[pd.to_datetime(ordered["published"]) > stamp(as_of) - pd.Timedelta(days=280)]
    records = records | {"broker_forecasts": list(recent.itertuples())}
    every = {year: known_eps(records, year, as_of) for year in range(as_of.year - 3, as_of.year + 5)}
    held = {y: row for y, row in every.items() if row and (pd.isna(row["currency"]) or row["currency"] == "CNY")}
    actual = [year for year, row in held.items() if row["kind"] == "A"]
    floor = as_of.year if as_of.month >= 5 else as_of.year - 1
    first = max(max(actual) + 1, floor) if actual else as_of.year
    eps = [held[first + k]["eps"] if first + k in held else np.nan for k in range(3)]

    def pe(value):
        return price / value if value > 0 else np.nan

    row = {"pe_ttm": pe(held[max(actual)]["eps"]) if actual else np.nan}
    row |= {f"pe_fy{k + 1}": pe(eps[k]) for k in range(3)}
    row["eps_growth"] = eps[1] / eps[0] - 1 if eps[0] > 0 else np.nan
    row["peg"] = row["pe_fy1"] / (100 * row["eps_growth"]) if row["eps_growth"] > 0 else np.nan
    now = held.get(first)
    row["consensus_age"] = np.nan if now is None else float((stamp(as_of) - now["published"]).days)
    for name in ("analysts", "revision_30", "revision_90", "dispersion"):
        row[name] = np.nan if now is None else float(now[name])
    return row


def release_cars(market, theme, as_of, sessions):
    """Mean CAR[0,4] over a stock's release days and its t, one stock and one day after the other."""
    public = {name for name, report in theme.reports.items() if report.published <= as_of}
    span = sessions[sessions >= pd.Timestamp(market.span[0])]
    index = market.sql("SELECT session, close FROM index_bars WHERE symbol = '000300.SH' AND session <= ?", [as_of])
    closes = pd.Series(index["close"].to_numpy(), index=pd.DatetimeIndex(index["session"])).reindex(span)
    benchmark = closes.pct_change(fill_method=None)

    def cars(symbol):
        models = {row.model for row in theme.links if row.symbol == symbol and row.report in public and row.model}
        days = {pd.Timestamp(r.day0) for r in theme.dated_releases() if r.model in models and r.day0 is not None}
        if not any(day <= span[-1] for day in days):
            return dict.fromkeys(CARS, np.nan)
        rows = market.sql("SELECT session, close * adj_factor AS level FROM bars WHERE symbol = ? AND session <= ?",
                          [symbol, as_of])  # fmt: skip
        level = pd.Series(rows["level"].to_numpy(), index=pd.DatetimeIndex(rows["session"])).sort_index()
        returns = level.pct_change(fill_method=None).reindex(span)
        loaded, found = np.zeros(len(span)), []
        for day in sorted(days):
            one = _car(returns, benchmark, span, day) if day in span else None
            if one is not None:
                found.append(one[0])
                loaded += one[1]
        if not found:
            # Linked to a release, but no window of it can be used yet: a count of none, not an unknown one.
            return dict.fromkeys(CARS, np.nan) | {"n_car_releases": 0.0}
        t = np.mean(found) / (np.sqrt((loaded**2).sum()) / len(found))
        p = 2 * student.sf(abs(t), 1.94 / 0.06)
        return dict(zip(CARS, (np.mean(found), t, p, float(len(found))), strict=True))

    return cars


def _car(returns, benchmark, span, day):
    at = span.get_loc(day)
    if at < 279 or at + 5 > len(span):
        return None
    y, x = returns.to_numpy(), benchmark.to_numpy()
    valid = np.isfinite(y) & np.isfinite(x)
    estimation = [t for t in range(at - 279, at - 29) if valid[t]]
    window = [t for t in range(at, at + 5) if valid[t]]
    if len(estimation) < 120 or not window:
        return None
    design = np.column_stack([np.ones(len(estimation)), x[estimation]])
    coefficients = np.linalg.lstsq(design, y[estimation], rcond=None)[0]
    abnormal = y - coefficients[0] - coefficients[1] * x
    past = [t for t in range(at - 279, at) if valid[t]]
    decay = np.array([0.94 ** (at - 1 - t) for t in past])
    sigma = np.sqrt((decay * abnormal[past] ** 2).sum() / decay.sum())
    weight = np.zeros(len(span))
    weight[window] = 1.0
    total = np.array([len(window), x[window].sum()])
    weight[estimation] -= design @ np.linalg.inv(design.T @ design) @ total
    return abnormal[window].sum(), sigma * weight


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
