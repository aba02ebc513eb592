"""Readers of the tables whose rows carry the day they became known: an answer as of a day holds nothing later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from aitheme.calendar import parse_date
from aitheme.consensus import REVISION_DAYS, WINDOW_DAYS, EstimateRecords, consensus_as_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import pandas as pd

    _Asked = tuple[frozenset[str] | None, date, int]

__all__ = ["SECURITIES_AS_OF", "DatedTables"]

CAPEX_LAG_DAYS: Final = 60
"""Vendors do not date capital expenditure; 60 days after a quarter is the latest filing date of an annual report in the
United States (large accelerated filers, Form 10-K)."""

SECURITIES_AS_OF: Final = """
    SELECT s.symbol, coalesce(n.name, s.name) AS name, s.currency, s.board, s.industry, s.listed,
        CASE WHEN s.delisted <= $as_of THEN s.delisted END AS delisted,
        CASE WHEN c.symbol IS NULL THEN s.total_shares ELSE c.total_shares END AS total_shares,
        CASE WHEN c.symbol IS NULL THEN s.float_shares ELSE c.float_shares END AS float_shares,
        CASE WHEN c.symbol IS NULL THEN s.shares_as_of ELSE c.effective END AS shares_as_of,
        coalesce(n.st, s.st) AS st, n.seen AS name_as_of
    FROM securities AS s
    LEFT JOIN (SELECT * FROM names WHERE seen <= $as_of
        QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY seen DESC) = 1) AS n ON n.symbol = s.symbol
    LEFT JOIN (SELECT * FROM share_counts WHERE effective <= $as_of
        QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY effective DESC) = 1) AS c ON c.symbol = s.symbol
    WHERE s.listed IS NULL OR s.listed <= $as_of ORDER BY s.symbol"""
_CHOSEN: Final = "($symbols IS NULL OR list_contains($symbols, symbol))"
_STATED: Final = f"""
    SELECT symbol, fiscal_year, kind, eps, currency, analysts, source, published FROM consensus
    WHERE {_CHOSEN} AND published <= $as_of ORDER BY published, source, symbol, fiscal_year"""  # noqa: S608
_FORECASTS: Final = f"""
    SELECT symbol, broker, published, fiscal_year, report, eps, currency, rating FROM broker_forecasts
    WHERE {_CHOSEN} AND published <= $as_of AND published > $since ORDER BY published, report, symbol, fiscal_year, broker
    """  # noqa: S608
_ANNUAL: Final = f"""
    SELECT symbol, year(period_end) AS fiscal_year, eps, 'CNY' AS currency, published FROM reported_eps
    WHERE {_CHOSEN} AND published <= $as_of AND month(period_end) = 12 AND eps IS NOT NULL
    ORDER BY published, symbol, fiscal_year"""  # noqa: S608
_BOX_OFFICE: Final = """
    SELECT month, gross, admissions, films, complete, known FROM (
        SELECT *, CASE WHEN complete AND row_number() OVER (PARTITION BY month, complete ORDER BY seen) = 1
            THEN least(seen, (month + INTERVAL 1 MONTH)::DATE) ELSE seen END AS known FROM box_office)
    WHERE known <= $as_of QUALIFY row_number() OVER (PARTITION BY month ORDER BY known DESC, seen DESC) = 1
    ORDER BY month"""
_MEMBERS: Final = """
    SELECT sector, symbol, seen, since, weight, provider FROM sector_members
    WHERE ($sector IS NULL OR sector = $sector) AND seen <= $as_of
    QUALIFY seen = max(seen) OVER (PARTITION BY sector) ORDER BY sector, symbol"""
_CAPEX: Final = f"""
    SELECT symbol, quarter_end, capex, currency, (quarter_end + {CAPEX_LAG_DAYS})::DATE AS known FROM capex
    WHERE {_CHOSEN} AND quarter_end + {CAPEX_LAG_DAYS} <= $as_of ORDER BY symbol, quarter_end"""  # noqa: S608


# A snapshot never changes, and the exhibits of a book ask for the same few days of the same names.
_CONSENSUS_HELD: Final = 8
_CONSENSUS: WeakKeyDictionary[DatedTables, OrderedDict[_Asked, pd.DataFrame]] = WeakKeyDictionary()


class DatedTables(ABC):
    """Point-in-time readers, shared by every snapshot.

    Each takes ``as_of`` (a date or its text; by default the last session) and, where it makes sense, the symbols wanted
    (by default all). Each says which day counts as the day a row became known.
    """

    @property
    @abstractmethod
    def span(self) -> tuple[date, date]:
        """First and last session with A-share bars."""

    @abstractmethod
    def _frame(self, query: str, parameters: dict[str, Any]) -> pd.DataFrame:
        """Run a query with named parameters."""

    def _moment(self, as_of: str | date | None) -> date:
        return self.span[1] if as_of is None else parse_date(as_of, "as_of")

    def _known(
        self, query: str, as_of: str | date | None, symbols: Iterable[str] | None = None, **more: Any
    ) -> pd.DataFrame:
        wanted: dict[str, Any] = {"as_of": self._moment(as_of), **more}
        if "$symbols" in query:
            wanted["symbols"] = None if symbols is None else list(dict.fromkeys(symbols))
        return self._frame(query, wanted)

    def securities(self, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the security list as of a day, by symbol.

        Names and special-treatment status are the latest seen by the day, share counts those in force; securities listed
        later are left out and a later delisting is not told. Where nothing dated is on record by the day, the undated list of
        the last refresh is given and its date says so: ``name_as_of`` is missing, ``shares_as_of`` lies after the day.

        Returns
        -------
        pandas.DataFrame
            name, currency, board, industry, listed, delisted, total_shares and float_shares (shares), shares_as_of, st,
            name_as_of. Board and industry are undated.
        """
        return self._known(SECURITIES_AS_OF, as_of).set_index("symbol")

    def estimate_records(
        self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None, since: str | date | None = None
    ) -> EstimateRecords:
        """Return every record on earnings per share public by a day.

        Parameters
        ----------
        symbols
            All by default.
        as_of
            Nothing published later is read.
        since
            Leave out broker forecasts published up to this day; all by default. Stated consensus and annual reports
            count however old they are.
        """
        chosen = None if symbols is None else list(symbols)
        early = parse_date(since, "since") if since is not None else parse_date("1990-01-01")
        return EstimateRecords(
            stated=self._known(_STATED, as_of, chosen),
            forecasts=self._known(_FORECASTS, as_of, chosen, since=early),
            reported=self._known(_ANNUAL, as_of, chosen),
        )

    def consensus(
        self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None, window_days: int = WINDOW_DAYS
    ) -> pd.DataFrame:
        """Return the earnings per share known or expected on a day: one row per symbol and fiscal year.

        In this order: the annual report from the day its number became known; a stated actual; a printed or vendor-seen
        consensus at most 30 days old; the consensus rebuilt from broker forecasts of the last `window_days`; an older
        stated one. ``source`` says which. See :mod:`aitheme.consensus` for the reasons.

        Parameters
        ----------
        symbols
            All by default.
        as_of
            Nothing published later is read.
        window_days
            How long a broker's forecast counts.

        Returns
        -------
        pandas.DataFrame
            symbol, fiscal_year, kind (A or E), eps (in ``currency``, per share), currency, analysts, source, published,
            eps_median, eps_low, eps_high, dispersion (ratio), brokers, revision_30 and revision_90 (ratios); see
            :func:`aitheme.consensus.consensus_as_of`.

        Raises
        ------
        DateRangeError
            `window_days` is not positive.
        """
        from datetime import timedelta

        moment = self._moment(as_of)
        chosen = None if symbols is None else frozenset(symbols)
        held = _CONSENSUS.setdefault(self, OrderedDict())
        key = chosen, moment, window_days
        if key not in held:
            since = moment - timedelta(days=max(window_days, 0) + max(REVISION_DAYS))
            held[key] = consensus_as_of(self.estimate_records(chosen, as_of=moment, since=since), moment, window_days)
        held.move_to_end(key)
        if len(held) > _CONSENSUS_HELD:
            held.popitem(last=False)
        return held[key].copy()

    def broker_forecasts(
        self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None
    ) -> pd.DataFrame:
        """Return dated forecasts of single brokers: symbol, broker, published, fiscal_year, report, eps, currency, rating.

        Known on the day of publication.
        """
        return self.estimate_records(symbols, as_of=as_of).forecasts

    def reported_eps(self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return reports of each period, the latest version known: EPS is to date within the fiscal year, in CNY.

        Known on ``published``: the first disclosure, or for a restated row the day of its restatement.
        """
        return self._known(
            f"""SELECT symbol, period_end, published, announced, eps, net_profit, revenue, restated FROM reported_eps
            WHERE {_CHOSEN} AND published <= $as_of
            QUALIFY row_number() OVER (PARTITION BY symbol, period_end ORDER BY published DESC) = 1
            ORDER BY symbol, period_end""",  # noqa: S608
            as_of, symbols,
        )  # fmt: skip

    def names(self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the name and special-treatment status last seen by a day: symbol, seen, name, st."""
        return self._known(
            f"""SELECT symbol, seen, name, st FROM names WHERE {_CHOSEN} AND seen <= $as_of
            QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY seen DESC) = 1 ORDER BY symbol""",  # noqa: S608
            as_of, symbols,
        )  # fmt: skip

    def share_counts(self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the changes of share counts up to a day: symbol, effective, total_shares, float_shares (shares), source.

        Known on the day they take effect.
        """
        return self._known(
            f"""SELECT symbol, effective, total_shares, float_shares, source FROM share_counts
            WHERE {_CHOSEN} AND effective <= $as_of ORDER BY symbol, effective""",  # noqa: S608
            as_of, symbols,
        )  # fmt: skip

    def suspensions(self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the suspensions begun by a day: symbol, start, end, reason; a later end is not told yet."""
        return self._known(
            f"""SELECT symbol, start, CASE WHEN "end" <= $as_of THEN "end" END AS "end", reason FROM suspensions
            WHERE {_CHOSEN} AND start <= $as_of ORDER BY symbol, start""",  # noqa: S608
            as_of, symbols,
        )  # fmt: skip

    def dividends(self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the dividends announced by a day; one without announcement date is known on its ex-date.

        ``cash_per_share`` is before tax in ``currency``, ``bonus_per_share`` new shares per share held.
        """
        return self._known(
            f"""SELECT * FROM dividends WHERE {_CHOSEN} AND coalesce(announced, ex_date) <= $as_of
            ORDER BY symbol, ex_date, report""",  # noqa: S608
            as_of, symbols,
        )  # fmt: skip

    def sector_members(self, sector: str | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the members of sectors as last seen by a day: sector, symbol, seen, since, weight (ratio), provider.

        Free vendors show today's members only, so there are none before the first refresh.
        """
        return self._known(_MEMBERS, as_of, sector=sector)

    def box_office(self, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return monthly box office: month, gross (CNY), admissions (tickets), films, complete, known.

        A complete month is known from the first day of the next one, a later correction and a month still running from the
        day they were seen.
        """
        return self._known(_BOX_OFFICE, as_of)

    def capex(self, symbols: Iterable[str] | None = None, *, as_of: str | date | None = None) -> pd.DataFrame:
        """Return quarterly capital expenditure: symbol, quarter_end, capex (currency units), currency, known.

        The vendor does not date it; it counts as known 60 days after the quarter, the latest filing date.
        """
        return self._known(_CAPEX, as_of, symbols)
