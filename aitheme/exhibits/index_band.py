"""The index of a report's sector in the bands of its own trailing PE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aitheme.analysis.bands import QUANTILES, index_band, indices_with_pe
from aitheme.calendar import calendar_for
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.native import NativeChart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import altair as alt

    from aitheme.analysis.bands import IndexBand
    from aitheme.charts.frame import Heading
    from aitheme.charts.levels import Line

__all__ = ["BAND_COLOURS", "index_band_exhibit", "published_mark", "quantile_words"]

_INDEX_SOURCE = ("指数点位与滚动市盈率（中证指数）", "Index closes and trailing PE (China Securities Index)")
_YEARS_BEFORE = 3
# The nearest index with a PE: the sector's own, then the theme's, then the whole market.
_SECTOR_INDEX = {"计算机": ("930651.CSI",), "通信": ("931160.CSI",), "电子": ("H30184.CSI",)}
_WIDER = ("930713.CSI", "931071.CSI", "000985.SH", "000300.SH")
_INDEX_EN = {
    "930651.CSI": "CSI Computer", "931160.CSI": "CSI Communication Equipment", "H30184.CSI": "CSI Semiconductor",
    "930713.CSI": "CSI Artificial Intelligence", "931071.CSI": "CSI AI Industry", "000985.SH": "CSI All Share",
    "000300.SH": "CSI 300",
}  # fmt: skip
_BANDS = tuple(f"band_{quantile:.0%}" for quantile in QUANTILES)
BAND_COLOURS = ("#9DB8D2", "#7D9CBD", "#5B7DA6", "#7D9CBD", "#9DB8D2")


def quantile_words(context: Context, quantile: float, pe: float) -> str:
    """Return the label of a quantile of a multiple."""
    return context.t(f"{quantile:.0%}分位 {pe:.0f}倍", f"{quantile:.0%}: {pe:.0f}x")


def published_mark(context: Context) -> tuple[date, str]:
    """Return the session of publication and its label on a chart."""
    published = context.report.published
    words = context.t(f"报告发布 {published:%y/%m/%d}", f"Published {published:%y/%m/%d}")
    return calendar_for("XSHG").on_or_after(published), words


def index_band_exhibit(report: str) -> ExhibitDefinition:
    """Define the chart of the nearest index in the bands of its own trailing PE."""

    def build(context: Context) -> Content:
        last = context.market.as_of(context.as_of)
        symbol, wider = _band_index(context, last)
        start = context.until.replace(year=context.until.year - _YEARS_BEFORE, day=min(context.until.day, 28))
        band = index_band(context.market, symbol, start, last)
        name = context.t(band.name, _INDEX_EN.get(symbol, band.name))
        data = band.table.rename(columns={q: f"band_{q:.0%}" for q in QUANTILES}).rename_axis("session").reset_index()
        data = data.assign(session=[stamp.date() for stamp in band.table.index])

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.levels import level_lines

            wide = band.table.rename(columns=str)
            return level_lines(
                wide, _band_lines(context, band, name), heading, percent=False, mark=published_mark(context)
            )

        columns = {
            "session": Column("日期", "Date", "date"),
            "close": Column(f"{band.name}收盘（点）", f"{name} close (points)", "price"),
            "pe": Column("PE（TTM）", "PE (trailing)", "decimal"),
            **{f"band_{q:.0%}": Column(f"{q:.0%}分位", f"{q:.0%} quantile", "price") for q in QUANTILES},
        }
        pe = float(band.table["pe"].dropna().iloc[-1])
        subtitle = context.t(
            f"{name}：收盘点位与其滚动市盈率10/25/50/75/90%分位所对应的点位；{band.table.index[0]:%Y-%m-%d}以来；"
            f"最新{pe:.1f}倍，处于{band.percentile:.0%}分位",
            f"{name}: close, and where it would stand at the 10/25/50/75/90% quantiles of its trailing PE since "
            f"{band.table.index[0]:%Y-%m-%d}; now {pe:.1f}x, at the {band.percentile:.0%} quantile",
        )
        note = _note(context, name, wider=wider)
        return Content(
            data, columns, *_INDEX_SOURCE, subtitle, note, last, draw,
            NativeChart("line", "session", ("close", *_BANDS), quiet=_BANDS),
        )  # fmt: skip

    title = ("指数市盈率通道（PE Band）", "The index in its PE bands")
    return ExhibitDefinition("pe-band", report, "附图", *title, "chart", "valuation", build)


def _note(context: Context, name: str, *, wider: bool) -> str:
    steps = context.t(
        "通道为分位倍数乘以指数所含盈利（收盘÷市盈率），台阶为财报入账、样本调整或供应商改口径",
        "a band is the quantile times the earnings in the index (close / PE); its steps are results coming in, changes of the "
        "sample or of the vendor's method",
    )
    if not wider:
        return steps
    sector = context.t(context.report.sector_zh, context.report.sector_en)
    stand_in = context.t(
        f"行情库没有{sector}行业指数的市盈率，以{name}代",
        f"the store holds no PE of a {sector} index: {name} stands in",
    )
    return context.t(f"{stand_in}；{steps}", f"{stand_in}; {steps}")


def _band_index(context: Context, last: date) -> tuple[str, bool]:
    """Return the nearest index with a PE, and whether it is wider than the sector."""
    held = indices_with_pe(context.market, as_of=last)
    own = _SECTOR_INDEX.get(context.report.sector_zh, ())
    for symbol in (*own, *_WIDER):
        if symbol in held:
            return symbol, symbol not in own
    wanted = "、".join((*own, *_WIDER))
    raise UnavailableError(
        context.t(
            f"行情库没有这些指数的市盈率：{wanted}；用akshare或archive源刷新可取得",
            f"the store holds no PE of these indices: {wanted.replace('、', ', ')}; refresh with the akshare or archive source",
        )
    )


def _band_lines(context: Context, band: IndexBand, name: str) -> Sequence[Line]:
    from aitheme.charts.levels import Line
    from aitheme.charts.style import PALETTE

    close = float(band.table["close"].iloc[-1])
    lines = [Line("close", f"{name} {close:,.0f}", PALETTE[0], width=2.0)]
    return lines + [
        Line(str(quantile), quantile_words(context, quantile, band.quantiles[quantile]), colour, width=1.1)
        for quantile, colour in zip(QUANTILES, BAND_COLOURS, strict=True)
    ]
