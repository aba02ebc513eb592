"""Event studies of a theme's baskets around its releases, on a market snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aitheme.analysis.baskets import resolve_members
from aitheme.calendar import calendar_for
from aitheme.errors import DateRangeError, UnknownNameError
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from aitheme.eventstudy import EventStudyResult, Universe
    from aitheme.panel import Panel, Provenance
    from aitheme.store import Market
    from aitheme.themes import Theme

__all__ = ["EQUAL_WEIGHT", "INDUSTRY", "BasketStudy", "StudyRoom", "compare_groups", "study_all", "study_release"]

EQUAL_WEIGHT = "equal-weight"
INDUSTRY = "industry"
FACTOR_SETS: Mapping[str, tuple[str, ...]] = {
    "ff3": ("mkt_rf", "smb", "hml"),
    "carhart": ("mkt_rf", "smb", "hml", "umd"),
    "ff5": ("mkt_rf", "smb", "hml", "rmw", "cma"),
}
_SIZE_GROUPS = 3
# Sessions back to look for the last close of a suspended stock when it is sized.
_RECENT = 60


@dataclass(frozen=True, slots=True)
class BasketStudy:
    """An event study with what it was about.

    Parameters
    ----------
    basket, event
        Ids.
    result
        The study.
    provenance
        Snapshot and as-of date.
    """

    basket: str
    event: str
    result: EventStudyResult
    provenance: Provenance

    def to_dict(self) -> dict[str, Any]:
        """Return the study as JSON-ready values with its basket and provenance."""
        return {
            "basket": self.basket,
            **self.result.to_dict(),
            "source": self.provenance.source,
            "snapshot": self.provenance.snapshot,
            "as_of": self.provenance.as_of.isoformat(),
            "simulated": self.provenance.simulated,
        }


class StudyRoom:
    """Returns, benchmarks and releases of one snapshot, read once for many studies.

    Parameters
    ----------
    market, theme
        Snapshot and registry.
    """

    def __init__(self, market: Market, theme: Theme) -> None:
        self.market = market
        self.theme = theme
        self._strata: dict[pd.Timestamp, pd.Series[str]] = {}
        self._benchmarks: dict[str, tuple[pd.Series[float], str]] = {}

    @cached_property
    def universe(self) -> Panel:
        """Bars of every A-share of the store."""
        symbols = self.market.sql("SELECT DISTINCT symbol FROM bars ORDER BY symbol")["symbol"]
        return self.market.panel([symbol for symbol in symbols if board_of(symbol) not in {"hk", "us"}])

    @cached_property
    def theme_panel(self) -> Panel:
        """Bars of the theme's A-shares."""
        symbols = [symbol for symbol in self.theme.security if board_of(symbol) not in {"hk", "us"}]
        return self.market.panel(symbols)

    @cached_property
    def industries(self) -> pd.Series[str]:
        """Industry by symbol, as far as the store knows it."""
        return self.market.securities()["industry"].dropna()

    @cached_property
    def releases(self) -> tuple[tuple[str, pd.Timestamp], ...]:
        """Id and day 0 of every release inside the data."""
        import pandas as pd

        first, last = self.market.span
        return tuple(
            (release.id, pd.Timestamp(release.day0))
            for release in self.theme.dated_releases()
            if release.day0 is not None and first <= release.day0 <= last
        )

    def day0(self, event: str) -> pd.Timestamp:
        """Return a release's day 0.

        Raises
        ------
        UnknownNameError
            No such release.
        DateRangeError
            The release has no exact day, or lies outside the data.
        """
        import pandas as pd

        moment = self.theme.release(event).day0
        if moment is None:
            raise DateRangeError(f"event: {event} has no exact day, so it has no day 0; choose one of `aitheme events`")
        first, last = self.market.span
        if not first <= moment <= last:
            raise DateRangeError(f"event: day 0 of {event} is {moment}, outside the store's data ({first} to {last})")
        return pd.Timestamp(moment)

    def benchmark(self, name: str, symbols: Sequence[str]) -> tuple[pd.Series[float] | pd.DataFrame, str]:
        """Return benchmark returns and their label.

        Parameters
        ----------
        name
            An index symbol, ``equal-weight`` (mean of all A-shares of the store), or ``industry`` (mean of the other
            stocks of each stock's industry).
        symbols
            Stocks that need a benchmark.

        Raises
        ------
        UnknownNameError
            The store has no such index.
        """
        from aitheme.eventstudy import equal_weight_market, leave_one_out_mean

        if name == EQUAL_WEIGHT:
            return equal_weight_market(
                self.universe.returns
            ), f"equal-weight mean of {len(self.universe.symbols):,} A-shares"
        if name == INDUSTRY:
            known = self.industries
            missing = [symbol for symbol in symbols if symbol not in known.index]
            if missing:
                raise UnknownNameError(
                    f"benchmark: 'industry' needs an industry for {missing[0]} ({len(missing)} missing); "
                    "use an index symbol or refresh with a stock list"
                )
            returns = self.universe.returns[[symbol for symbol in self.universe.symbols if symbol in known.index]]
            return leave_one_out_mean(returns, known, symbols), "leave-one-out industry mean"
        if name not in self._benchmarks:
            closes = self.market.index_closes([name])[name]
            self._benchmarks[name] = (
                (closes.ffill() / closes.ffill().shift() - 1).where(closes.notna()).rename(name),
                name,
            )
        return self._benchmarks[name]

    def factors(self, names: str) -> pd.DataFrame:
        """Return daily factor returns of a named set (``ff3``, ``carhart``, ``ff5``) or of columns joined by commas.

        Raises
        ------
        UnknownNameError
            The store has no factors, or not this one.
        """
        table = self.market.factor_returns()
        wanted = FACTOR_SETS.get(names, tuple(part.strip() for part in names.split(",")))
        for name in wanted:
            if name not in table.columns:
                known = [*FACTOR_SETS, *table.columns]
                raise UnknownNameError.build("factors", name, known, "the store holds what its source delivered")
        return table[[*wanted, *(["rf"] if "rf" in table.columns else [])]]

    @cached_property
    def wider_market(self) -> Universe:
        """Returns of every A-share, for random baskets and donors."""
        from aitheme.eventstudy import Universe

        return Universe(self.universe.returns)

    @cached_property
    def _shares(self) -> pd.Series[float]:
        return self.market.securities()["total_shares"]

    def strata(self, event: pd.Timestamp) -> pd.Series[str]:
        """Return board and size group of every A-share before an event, to match random baskets on."""
        if event not in self._strata:
            self._strata[event] = self._board_and_size(event)
        return self._strata[event]

    def _board_and_size(self, event: pd.Timestamp) -> pd.Series[str]:
        import numpy as np
        import pandas as pd

        panel = self.universe
        before = panel.close.index < event
        closes = panel.close[before].tail(_RECENT).ffill().iloc[-1] if before.any() else panel.close.iloc[0]
        value = closes.to_numpy() * self._shares.reindex(closes.index).to_numpy()
        order = pd.Series(value).rank(pct=True).to_numpy()
        size = np.where(np.isfinite(order), np.ceil(np.nan_to_num(order) * _SIZE_GROUPS), 0).astype(int)
        names = [f"{board_of(symbol)}/{group}" for symbol, group in zip(panel.symbols, size.tolist(), strict=True)]
        return pd.Series(names, index=list(panel.symbols), dtype=object)


def study_release(
    room: StudyRoom,
    basket: str,
    events: str | Iterable[str],
    *,
    model: str = "market",
    window: tuple[int, int] = (-5, 10),
    estimation: tuple[int, int] = (250, 30),
    benchmark: str | None = None,
    factors: str = "ff3",
    exclude_other_events: bool = False,
    random_baskets: bool = True,
    draws: int = 1000,
    **options: Any,
) -> BasketStudy:
    """Study a basket around one release, or pooled over several.

    Parameters
    ----------
    room
        Snapshot and registry.
    basket
        Basket id, report id, code or name; A-share members.
    events
        One release id or several.
    model, window, estimation, exclude_other_events, draws, options
        See :func:`aitheme.eventstudy.event_study`.
    benchmark
        Index symbol, ``equal-weight`` or ``industry``; the theme's benchmark by default.
    factors
        Factor set for ``model="factor"``.
    random_baskets
        Whether to compare with random baskets of the same boards and sizes (reads the whole market).

    Returns
    -------
    BasketStudy

    Raises
    ------
    AithemeError
        Unknown basket, event, benchmark or factor, or a study that its data cannot carry.
    """
    from aitheme.eventstudy import event_study

    symbols = [
        symbol
        for symbol in resolve_members(room.theme, basket, market=room.market)
        if board_of(symbol) not in {"hk", "us"}
    ]
    ids = [events] if isinstance(events, str) else list(events)
    days = [(event, room.day0(event)) for event in ids]
    held = set(room.theme_panel.symbols)
    panel = room.theme_panel if set(symbols) <= held else room.market.panel(symbols)
    returns = panel.returns[symbols]
    # An industry's own mean is the market of the industry model.
    chosen = INDUSTRY if model == "industry" else benchmark or room.theme.benchmark
    market_returns, label = room.benchmark(chosen, symbols) if model not in {"mean", "factor"} else (None, None)
    wide = (random_baskets and draws > 0 and len(ids) == 1) or model == "synthetic"
    result = event_study(
        returns,
        days,
        model=model,
        window=window,
        estimation=estimation,
        benchmark=market_returns,
        benchmark_name=label,
        factors=room.factors(factors) if model == "factor" else None,
        limit_state=panel.limit_state[symbols],
        other_events=[release for release in room.releases if release[0] not in ids],
        exclude_other_events=exclude_other_events,
        universe_returns=room.wider_market if wide else None,
        strata=room.strata(days[0][1]) if wide else None,
        draws=draws,
        **options,
    )
    name = ids[0] if len(ids) == 1 else f"{len(ids)} releases"
    return BasketStudy(basket, name, result, room.market.provenance(calendar_for("XSHG").horizon))


def study_all(room: StudyRoom, baskets: Iterable[str], **options: Any) -> pd.DataFrame:
    """Study each basket around every release inside the data, and adjust for having asked so often.

    Parameters
    ----------
    room
        Snapshot and registry.
    baskets
        Basket ids, report ids, codes or names.
    options
        As for :func:`study_release`.

    Returns
    -------
    pandas.DataFrame
        One row per basket and release: basket, event, day0, n, caar (ratio), rbar, n_eff, headline_test, headline_p, the
        family-wise (holm) and false-discovery (benjamini_hochberg, benjamini_yekutieli) adjusted p over all rows,
        naive_test, naive_p, reason (why a release could not be studied), and where the numbers come from.
    """
    import pandas as pd

    from aitheme.eventstudy import StudyError
    from aitheme.eventstudy.multiple import benjamini_hochberg, benjamini_yekutieli, holm

    rows: list[dict[str, Any]] = []
    # Release by release, so that what is worked out once for a date serves every basket; single days are not shown.
    for event, day0 in room.releases:
        for basket in baskets:
            row: dict[str, Any] = {"basket": basket, "event": event, "day0": day0.date().isoformat()}
            try:
                row |= _all_row(study_release(room, basket, event, **{"by_day": False, **options}))
            except StudyError as error:
                row["reason"] = str(error)
            rows.append(row)
    table = pd.DataFrame(rows, columns=[*_ALL_COLUMNS])
    p_values = table["headline_p"].to_numpy(dtype=float)
    for name, adjust in (
        ("holm", holm),
        ("benjamini_hochberg", benjamini_hochberg),
        ("benjamini_yekutieli", benjamini_yekutieli),
    ):
        table[name] = adjust(p_values)
    origin = room.market.provenance()
    return table.assign(
        model=options.get("model", "market"), benchmark=options.get("benchmark") or room.theme.benchmark,
        source=origin.source, snapshot=origin.snapshot, simulated=origin.simulated,
    )  # fmt: skip


_ALL_COLUMNS = (
    "basket", "event", "day0", "n", "caar", "rbar", "n_eff", "headline_test", "headline_p", "holm", "benjamini_hochberg",
    "benjamini_yekutieli", "naive_test", "naive_p", "reason",
)  # fmt: skip


def _all_row(done: BasketStudy) -> dict[str, Any]:
    result, head = done.result, done.result.headline
    return {
        "n": result.n,
        "caar": float(result.caar.iloc[-1]),
        "rbar": result.rbar,
        "n_eff": result.n_eff,
        "headline_test": head.test,
        "headline_p": head.p_value,
        "naive_test": head.naive_test,
        "naive_p": head.naive_p_value,
        "reason": head.reason,
    }


def compare_groups(room: StudyRoom, done: BasketStudy, by: str) -> pd.DataFrame:
    """Compare the CARs of groups of a study's stocks, with standard errors that allow for the common date.

    Parameters
    ----------
    room
        Snapshot and registry.
    done
        A study.
    by
        ``link`` (linked to the released model or not), ``basket`` (the basket's children) or ``board``.

    Raises
    ------
    UnknownNameError
        Another grouping.
    """
    import pandas as pd

    from aitheme.eventstudy import group_effects

    symbols = list(dict.fromkeys(symbol for unit in done.result.units for symbol in unit.symbols))
    groups: dict[str, str]
    if by == "board":
        groups = {symbol: str(board_of(symbol)) for symbol in symbols}
    elif by == "link":
        models = {room.theme.release(unit.event).model for unit in done.result.units}
        linked = {symbol for model in models if model is not None for symbol in room.theme.linked_symbols(model)}
        groups = {symbol: "linked" if symbol in linked else "unlinked" for symbol in symbols}
    elif by == "basket":
        owner: dict[str, str] = {}
        for member in room.theme.member_rows(done.basket):
            if member.symbol is not None:
                owner.setdefault(member.symbol, member.basket)
        groups = {symbol: owner.get(symbol, done.basket) for symbol in symbols}
    else:
        raise UnknownNameError.build("by", by, ("link", "basket", "board"), "choose one of them")
    table: pd.DataFrame = group_effects(done.result, pd.Series(groups))
    return table
