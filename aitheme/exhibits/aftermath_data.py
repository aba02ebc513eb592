"""The rows behind the chapters on what happened before and after a report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aitheme.analysis.aftermath import Outcome, Span, basket_outcomes, report_spans, stock_outcomes
from aitheme.exhibits.base import UnavailableError
from aitheme.exhibits.membership import headline_baskets, judged_baskets, whole_basket
from aitheme.exhibits.outcomes import market_of
from aitheme.exhibits.quotes import CITIC, PROVIDERS, SECTOR_EN, SHENWAN, choose_indices
from aitheme.exhibits.reasons import begins_later, ends_earlier
from aitheme.exhibits.scope import index_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from aitheme.exhibits.base import Context

__all__ = ["SECTOR", "Judged"]

SECTOR = "sector"
"""Id of the row of a report's sector index."""


@dataclass(frozen=True)
class Judged:
    """A report held against what followed, with the data up to the context's as-of date.

    Parameters
    ----------
    context
        Market, theme, report and language.

    Raises
    ------
    UnavailableError
        The data ends before publication, begins after it, or the report has no basket with an A-share.
    """

    context: Context

    def __post_init__(self) -> None:
        context = self.context
        first, last = context.market.span[0], context.market.as_of(context.as_of)
        published = context.report.published
        if last < published:
            raise ends_earlier(context)
        if published < first:
            raise begins_later(context)
        if not self.headline:
            raise UnavailableError(context.t("篮子没有A股成分", "no basket has an A-share member"))

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The run-up and the horizons."""
        report = self.context.report
        return report_spans(self.context.market, report.published, report.first_tradable, self.context.as_of)

    @cached_property
    def headline(self) -> tuple[str, ...]:
        """The main baskets, and the whole at the end where there is one."""
        theme, report = self.context.theme, self.context.report.id
        whole = whole_basket(theme, report)
        return (*headline_baskets(theme, report), *(() if whole is None else (whole,)))

    @cached_property
    def whole(self) -> str | None:
        """The basket that holds all the others."""
        return whole_basket(self.context.theme, self.context.report.id)

    def name(self, basket: str) -> str:
        """Return a basket's name in the language of the book."""
        if basket == self.whole:
            return self.context.t("全部标的", "All names")
        row = self.context.theme.basket(basket)
        return self.context.t(row.name_zh, row.name_en)

    @cached_property
    def _held(self) -> set[str]:
        return set(self.context.market.indices()["symbol"])

    def benchmark(self, market: str) -> str | None:
        """Return the broker's benchmark for a market (``A``, ``HK``, ``US``) where the store has it."""
        symbol = self.context.report.rating_scale.benchmarks.get(market)
        return symbol if symbol in self._held else None

    @property
    def benchmark_name(self) -> str:
        """The benchmark of the A-shares as a reader knows it; empty where the store has none."""
        symbol = self.benchmark("A")
        return "" if symbol is None else index_name(self.context, symbol)

    def missing_benchmarks(self, markets: Sequence[str]) -> str:
        """Say for which markets there is no comparison, and why; empty where all have one."""
        printed, notes = self.context.report.rating_scale.benchmarks, []
        words = {"A": ("A股", "A-shares"), "HK": ("港股", "Hong Kong"), "US": ("美股", "US")}
        for market in markets:
            name = self.context.t(*words[market])
            if market not in printed:
                notes.append(
                    self.context.t(f"评级说明未给出可用的{name}基准", f"the scale names no usable benchmark for {name}")
                )
            elif printed[market] not in self._held:
                notes.append(
                    self.context.t(
                        f"行情库没有{name}基准{printed[market]}",
                        f"the store lacks the {name} benchmark {printed[market]}",
                    )
                )
        return self.context.t("；", "; ").join(notes)

    def outcomes(self, basket: str) -> tuple[Outcome, ...]:
        """Return what a basket's A-shares made, one outcome per span."""
        symbols = self.context.theme.symbols(basket)
        return basket_outcomes(self.context.market, symbols, self.spans, benchmark=self.benchmark("A"))

    def basket_rows(self, kind: str, *, parts: bool) -> pd.DataFrame:
        """Return one row per basket and span of a kind, whether reached or not; with `parts` the sub-baskets too."""
        import pandas as pd

        theme, report = self.context.theme, self.context.report.id
        chosen = judged_baskets(theme, report) if parts else self.headline
        rows = [
            _row(basket, self.name(basket), outcome)
            for basket in chosen
            for outcome in self.outcomes(basket)
            if outcome.span.kind == kind
        ]
        return pd.DataFrame(rows).astype(dict.fromkeys(_NUMBERS, "float64"))

    def sector_rows(self, kind: str) -> tuple[pd.DataFrame, str]:
        """Return the rows of the sector index like those of baskets, and a sentence on its provider and rank."""
        import pandas as pd

        sector = self.context.report.sector_zh
        if sector not in SHENWAN:
            return pd.DataFrame(), self.context.t(f"没有{sector}的行业指数", f"no sector index is known for {sector}")
        name = self.context.t(f"{sector}行业指数", f"{SECTOR_EN[sector]} sector index")
        rows, ranks, bare = [], [], []
        for span in self.spans:
            if span.kind != kind:
                continue
            outcome, rank = self._sector_outcome(span)
            rows.append(_row(SECTOR, name, outcome))
            ranks += [rank] if rank else []
            bare += [str(span.sessions)] if span.dates is not None and outcome.total_return is None else []
        words = self.context.t("；", "; ").join(ranks)
        notes = [
            self.context.t(
                f"{name}（不含股息）在一级行业中的名次：{words}",
                f"Rank of the {name.lower()} (without dividends): {words}",
            )
            if ranks
            else "",
            self.context.t(
                f"行情库的{name}未覆盖{'、'.join(bare)}日区间",
                f"the store's {name.lower()} does not cover {', '.join(bare)} sessions",
            )
            if bare
            else "",
        ]
        note = self.context.t("；", "; ").join(text for text in notes if text)
        return pd.DataFrame(rows).astype(dict.fromkeys(_NUMBERS, "float64")), note

    def _sector_outcome(self, span: Span) -> tuple[Outcome, str]:
        from aitheme.analysis.aftermath import index_return
        from aitheme.returns import drawdown

        context = self.context
        if span.dates is None:
            return Outcome(span, 0), ""
        try:
            choice = choose_indices(context, [context.report.sector_zh], *span.dates)
        except UnavailableError:
            # Neither provider covers this span: the row stays empty, as one that is not reached.
            return Outcome(span, 0), ""
        path = choice.closes.iloc[:, 0].ffill()
        total = float(path.iloc[-1] / path.iloc[0] - 1.0)
        benchmark = self.benchmark("A")
        other = None if benchmark is None else index_return(context.market, benchmark, span)
        excess = None if other is None else total - other
        outcome = Outcome(span, 1, 1, total, other, excess, float(drawdown(path).min()))
        return outcome, self._rank(span)

    def _rank(self, span: Span) -> str:
        """Return the place of the sector among the level-1 indices of the provider of which the store has most."""
        assert span.dates is not None
        known, best = self.context.market.indices(), ""
        most = 1
        for provider, own in (("Shenwan", SHENWAN), ("CITIC", CITIC)):
            peers = list(known.loc[(known["provider"] == provider) & (known["level"] == 1), "symbol"])
            symbol = own[self.context.report.sector_zh]
            if symbol not in peers:
                continue
            closes = self.context.market.index_closes(peers, *span.dates)
            moves = (closes.iloc[-1] / closes.iloc[0] - 1.0).dropna()
            if symbol in moves and len(moves) > most:
                most, place = len(moves), int(moves.rank(ascending=False, method="min")[symbol])
                label = PROVIDERS[provider]
                best = self.context.t(
                    f"{span.sessions}日第{place}/{most}（{label[0].removesuffix('行业指数')}）",
                    f"{span.sessions} sessions {place} of {most} ({label[1].removesuffix(' index')})",
                )
        return best

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """Every listed company of the main baskets, Hong Kong and US ones too, in printed order."""
        theme = self.context.theme
        return tuple(dict.fromkeys(symbol for basket in self._all for symbol in theme.symbols(basket, overseas=True)))

    @property
    def _all(self) -> tuple[str, ...]:
        return self.headline if self.whole is None else (self.whole,)

    def unlisted(self) -> list[str]:
        """Return the names of the main baskets that are not listed."""
        rows = [row for basket in self._all for row in self.context.theme.member_rows(basket)]
        return list(dict.fromkeys(row.name_printed for row in rows if row.symbol is None))

    def stock_rows(self) -> pd.DataFrame:
        """Return one row per listed company and horizon after publication."""
        after = [span for span in self.spans if span.kind == "after"]
        benchmarks = {symbol: self.benchmark(market_of(symbol)) for symbol in self.listed}
        return stock_outcomes(self.context.market, self.listed, after, benchmarks=benchmarks)


_QUANTILE_NAMES = ("random_5", "random_25", "random_50", "random_75", "random_95")
_NUMBERS = ("total_return", "benchmark_return", "excess_return", "max_drawdown", "beat_share", "percentile",
            *_QUANTILE_NAMES)  # fmt: skip


def _row(basket: str, name: str, outcome: Outcome) -> dict[str, Any]:
    span = outcome.span
    return {
        "basket": basket,
        "name": name,
        "kind": span.kind,
        "sessions": span.sessions,
        "status": span.status,
        "start": span.start,
        "end": span.end,
        "members": outcome.members,
        "used": outcome.used,
        "total_return": outcome.total_return,
        "benchmark_return": outcome.benchmark_return,
        "excess_return": outcome.excess_return,
        "max_drawdown": outcome.max_drawdown,
        "beat_share": outcome.beat_share,
        "percentile": None if outcome.percentile is None else 100.0 * outcome.percentile,
        **dict(zip(_QUANTILE_NAMES, outcome.quantiles or (None,) * 5, strict=True)),
    }
