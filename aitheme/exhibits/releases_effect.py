"""What releases did to a report's baskets: heatmap, paths of the headline days, linked against unlinked companies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aitheme.analysis.links import LEAST_LINKED, linked_effects
from aitheme.analysis.releases import (
    APART,
    ESTIMATION,
    MOST_DAYS,
    PATH_WINDOW,
    REACH,
    WINDOW,
    caar_panel,
    caar_paths,
    headline_days,
    release_days,
)
from aitheme.exhibits.base import Content, Context, ExhibitDefinition, UnavailableError
from aitheme.exhibits.columns import Column
from aitheme.exhibits.membership import headline_baskets
from aitheme.exhibits.native import NativeBand, NativeMatrix
from aitheme.exhibits.scope import basket_name, day_label, main_basket, release_names, room_of, shown_baskets
from aitheme.exhibits.uncounted import listing, uncounted, uncounted_main

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import altair as alt
    import pandas as pd

    from aitheme.analysis.releases import CaarPath, ReleaseDay, ReleaseDays
    from aitheme.charts.frame import Heading
    from aitheme.charts.heatmap import Cell
    from aitheme.themes import Theme

__all__ = ["release_chapter"]

_SOURCE = ("个股与指数日线", "Stock prices and indices")
_FULL_COLOUR = 0.15
_LEVELS = ((0.05, "**"), (0.10, "*"))
_RAW_LEVEL, _RAW_MARK = 0.05, "°"
_PANEL_EMS = 24.0
_MOST_REASONS = 4


def release_chapter(theme: Theme, report: str) -> tuple[ExhibitDefinition, ...]:
    """Return the exhibits on releases; none for a report without a basket of A-shares."""
    if not headline_baskets(theme, report):
        return ()
    return (_heatmap(report), _paths(report), _linked(report))


def _reasons(context: Context, days: Sequence[ReleaseDay]) -> list[str]:
    """Return in words which days cannot be studied and why."""
    words = {
        "before-data": context.t("估计窗口早于行情库", "the estimation window starts before the data"),
        "after-data": context.t("事件窗口尚未走完", "the event window is not over"),
    }
    texts = []
    for gap, reason in words.items():
        found = [day_label(context, day) for day in days if day.gap == gap]
        if found:
            shown = context.t("；", "; ").join(found[:_MOST_REASONS])
            more = len(found) - _MOST_REASONS
            shown += context.t(f"等{len(found)}日", f" and {more} more") if more > 0 else ""
            texts.append(context.t(f"未能检验（{reason}）：{shown}", f"Not studied ({reason}): {shown}"))
    return texts


def _shortfall(context: Context, days: ReleaseDays) -> UnavailableError:
    """Return the error for a panel without a single day."""
    nothing = context.t("没有可检验的发布事件", "no release can be studied")
    return UnavailableError(context.t("；", "; ").join([nothing, *_reasons(context, days.impossible)]))


def _heatmap(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        room = room_of(context)
        days = release_days(room, report)
        if not days.days:
            raise _shortfall(context, days)
        baskets = shown_baskets(context)
        panel = caar_panel(room, days.days, baskets)
        if panel["caar"].isna().all():
            raise UnavailableError(panel["reason"].iloc[0])
        data = _panel_rows(context, days, baskets, panel)

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.heatmap import heatmap

            rows = [day_label(context, day) for day in days.days]
            muted = [at for at, day in enumerate(days.days) if not day.mentioned]
            names = [_counted_name(context, basket) for basket in baskets]
            return heatmap(rows, names, _cells(context, days, baskets, panel), heading, muted=muted)

        return Content(
            data, _panel_columns(), *_SOURCE, _panel_subtitle(context, panel), _panel_note(context, days, panel), context.as_of,
            draw, NativeMatrix(("day0", "releases"), ("caar",), _FULL_COLOUR, "basket", mark="stars", muted="mentioned"),
        )  # fmt: skip

    title = ("模型发布与篮子：累计平均超额收益及显著性", "Releases and baskets: CAAR and its significance")
    return ExhibitDefinition("release-heatmap", report, "附图", *title, "chart", "releases", build)


def _counted_name(context: Context, basket: str) -> str:
    count = len(context.theme.symbols(basket))
    return context.t(f"{basket_name(context, basket)}（{count}）", f"{basket_name(context, basket)} ({count})")


def _panel_columns() -> Mapping[str, Column]:
    return {
        "day0": Column("首个反应日", "Day 0", "date", merge=True),
        "releases": Column("发布", "Releases", merge=True),
        "mentioned": Column("本报告提及次数", "Passages of the report", "integer"),
        "basket": Column("篮子", "Basket"),
        "n": Column("股票数", "Stocks", "integer"),
        "caar": Column("CAAR", "CAAR", "change"),
        "p_value": Column("p值（稳健）", "p-value (robust)", "probability"),
        "p_before": Column("p值（当晚可得）", "p-value (that evening)", "probability"),
        "benjamini_hochberg": Column("BH校正p值", "p-value after BH", "probability"),
        "holm": Column("Holm校正p值", "p-value after Holm", "probability"),
        "limit_closes": Column("涨跌停收盘（股×日）", "Closes at a limit (stock-days)", "integer"),
        "reason": Column("未计算的原因", "Why not computed"),
    }


def _panel_rows(context: Context, days: ReleaseDays, baskets: Sequence[str], panel: pd.DataFrame) -> pd.DataFrame:
    labels = {day.day0: day for day in days.days}
    names = {basket: basket_name(context, basket) for basket in baskets}
    found = [labels[day] for day in panel["day0"]]
    return panel.assign(
        releases=[release_names(context, day) for day in found],
        mentioned=[day.mentioned for day in found],
        basket_id=panel["basket"],
        stars=[_stars(row) if row["caar"] == row["caar"] else "" for row in panel.to_dict("records")],
        basket=[names[basket] for basket in panel["basket"]],
    )


def _cells(context: Context, days: ReleaseDays, baskets: Sequence[str], panel: pd.DataFrame) -> list[Cell]:
    from aitheme.charts.heatmap import BLANK, Cell, diverging
    from aitheme.charts.style import percent_label

    places = {day.day0: at for at, day in enumerate(days.days)}
    cells = []
    for row in panel.to_dict("records"):
        at = (places[row["day0"]], baskets.index(row["basket"]))
        if row["caar"] != row["caar"]:
            cells.append(Cell(*at, "", BLANK, row["reason"]))
            continue
        text = percent_label(row["caar"])
        tip = context.t(
            f"{text}；p={row['p_value']:.3f}，BH校正后{row['benjamini_hochberg']:.2f}；{row['n']}只",
            f"{text}; p={row['p_value']:.3f}, {row['benjamini_hochberg']:.2f} after BH; {row['n']} stocks",
        )
        cells.append(Cell(*at, text + _stars(row), diverging(row["caar"], _FULL_COLOUR), tip))
    return cells


def _stars(row: Mapping[Hashable, Any]) -> str:
    for level, stars in _LEVELS:
        if row["benjamini_hochberg"] < level:
            return stars
    return _RAW_MARK if row["p_value"] < _RAW_LEVEL else ""


def _panel_subtitle(context: Context, panel: pd.DataFrame) -> str:
    tests = int(panel["p_value"].notna().sum())
    raw = int((panel["p_value"] < _RAW_LEVEL).sum())
    kept = int((panel["benjamini_hochberg"] < _LEVELS[1][0]).sum())
    span = f"[{WINDOW[0]}, {WINDOW[1]}]"
    return context.t(
        f"窗口{span}个交易日，市场模型（沪深300）；{tests}次检验中{raw}次p<5%（若全无影响，预期约{tests * _RAW_LEVEL:.0f}次），"
        f"校正后{kept}次<10%",
        f"Window {span} sessions, market model (CSI 300); {raw} of {tests} tests have p<5% (about {tests * _RAW_LEVEL:.0f} "
        f"expected if nothing happened), {kept} below 10% after adjustment",
    )


def _panel_note(context: Context, days: ReleaseDays, panel: pd.DataFrame) -> str:
    mentioned = sum(bool(day.mentioned) for day in days.days)
    length, gap = ESTIMATION
    parts = [
        context.t(
            "** BH校正后<5%，* <10%，° 未校正p<5%；p值容许成分同日联动与波动变化（组合超额收益除以窗口两侧的加权波动）",
            "** <5% and * <10% after Benjamini-Hochberg over all cells, ° p<5% unadjusted; p allows for members moving "
            "together and for changing volatility",
        ),
        context.t(
            f"估计窗口为首个反应日前{length + gap - 1}至{gap}日；同一反应日的发布合为一行；黑字为本报告提及（{mentioned}日），"
            f"灰字为发布前后{REACH}个交易日内其他发布",
            f"estimation {length} sessions ending {gap} before day 0; releases with one day 0 are one row; black: "
            f"mentioned by the report ({mentioned} days), grey: others within {REACH} sessions of publication",
        ),
    ]
    parts.append(
        context.t(
            "窗口内其他消息同样计入，相邻行共享交易日，并非互相独立",
            "other news of the window counts too; neighbouring rows share sessions and are not independent",
        )
    )
    if days.left_out:
        parts.append(
            context.t(
                f"另有{days.left_out}日未列（至多{MOST_DAYS}行，先列本报告提及者，再列提及报告多者）",
                f"{days.left_out} more days do not fit (at most {MOST_DAYS} rows: mentioned ones first, then the most mentioned)",
            )
        )
    parts += [
        *_reasons(context, days.impossible),
        *_thin_cells(context, panel),
        *filter(None, [uncounted_main(context)]),
    ]
    provisional = panel["sessions_after"].min()
    from aitheme.eventstudy.volatility import SETTLED

    if provisional < SETTLED:
        parts.append(
            context.t(
                f"末行窗口后仅{provisional:.0f}个交易日，p值待定",
                f"the last window has {provisional:.0f} sessions after it: p is provisional",
            )
        )
    return context.t("；", "; ").join(parts)


def _thin_cells(context: Context, panel: pd.DataFrame) -> list[str]:
    """Say how many cells are empty or hold fewer stocks than their basket."""
    members = panel["basket"].map(lambda basket: len(context.theme.symbols(basket)))
    empty, thin = int(panel["caar"].isna().sum()), int((panel["caar"].notna() & (panel["n"] < members)).sum())
    words = []
    if empty:
        words.append(
            context.t(
                f"{empty}格无法检验，原因见数据表", f"{empty} cells could not be tested; the data names the reasons"
            )
        )
    if thin:
        words.append(
            context.t(
                f"{thin}格的股票数少于篮子成分（估计窗口内行情不足者不计），各格股票数见数据表",
                f"{thin} cells hold fewer stocks than their basket (too few sessions in the estimation window); the data has "
                "each cell's count",
            )
        )
    return words


def _paths(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        room, basket = room_of(context), main_basket(context)
        days = headline_days(room, report)
        if not days:
            raise UnavailableError(
                context.t(
                    "报告提及的发布事件在行情库中均无完整窗口；换用更长的行情库后可画",
                    "no release the report mentions has its whole window in the data; a longer store would draw it",
                )
            )
        every = caar_paths(room, days, basket)
        paths = [path for path in every if len(path.table)]
        if not paths:
            raise UnavailableError(every[0].reason)
        failed = [day_label(context, path.day) for path in every if not len(path.table)]

        def draw(heading: Heading) -> alt.LayerChart:
            from aitheme.charts.paths import PathPanel, path_panels

            panels = [
                PathPanel(
                    day_label(context, path.day, _PANEL_EMS),
                    _path_note(context, path),
                    path.table.rename(columns={"caar": "value"}),
                )
                for path in paths
            ]
            return path_panels(panels, heading)

        columns = {
            "release": Column("发布", "Release", merge=True),
            "day": Column("交易日（相对）", "Session", "integer"),
            "caar": Column("CAAR", "CAAR", "change"),
            "low": Column("安慰剂5%", "Placebo 5%", "change"),
            "high": Column("安慰剂95%", "Placebo 95%", "change"),
        }
        first, last = PATH_WINDOW
        subtitle = context.t(
            f"{basket_name(context, basket)}，{first}至+{last}日CAAR，市场模型（沪深300）；灰带为同一篮子安慰剂日期路径的5-95%",
            f"{basket_name(context, basket)}, CAAR from {first} to +{last}, market model (CSI 300); grey: 5-95% of the same "
            "basket's paths at placebo dates",
        )
        return Content(
            _path_rows(context, paths), columns, *_SOURCE, subtitle, _path_words(context, basket, failed), context.as_of, draw,
            NativeBand("release", "day", "caar", "low", "high", 0),
        )  # fmt: skip

    title = ("报告重点发布前后的路径与安慰剂区间", "The report's headline releases: paths and placebo bands")
    return ExhibitDefinition("release-paths", report, "附图", *title, "chart", "releases", build)


def _path_note(context: Context, path: CaarPath) -> str:
    band = (
        context.t(f"安慰剂{path.placebos}", f"{path.placebos} placebos")
        if path.placebos
        else context.t("无安慰剂带", "no band")
    )
    return context.t(f"p={path.p_value:.2f}；{path.n}只；{band}", f"p={path.p_value:.2f}; {path.n} stocks; {band}")


def _path_words(context: Context, basket: str, failed: Sequence[str]) -> str:
    shown = listing(context, failed)
    parts = [
        _path_method(context),
        context.t(f"无法检验、未画：{shown}", f"could not be studied and is not drawn: {shown}") if failed else "",
        uncounted(context, [basket]),
    ]
    return context.t("；", "; ").join(part for part in parts if part)


def _path_method(context: Context) -> str:
    return context.t(
        f"取本报告提及次数最多、彼此相距至少{APART}个交易日的至多四个反应日；安慰剂日期均在事件之前、窗口内无其他发布，其路径按事件前波动缩放；"
        "p值为窗口内CAAR的稳健检验，未作多重校正；虚线为首个反应日",
        f"up to four days the report mentions most, at least {APART} sessions apart; placebo dates lie before the event with no "
        "release in the window, their paths rescaled to the volatility before it; p: robust test of the window's CAAR, "
        "unadjusted; dashed: day 0",
    )


def _path_rows(context: Context, paths: Sequence[CaarPath]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(
        [
            path.table.assign(
                release=day_label(context, path.day),
                day0=path.day.day0,
                n=path.n,
                p_value=path.p_value,
                placebos=path.placebos,
            )
            for path in paths
        ],
        ignore_index=True,
    )


def _linked(report: str) -> ExhibitDefinition:
    def build(context: Context) -> Content:
        room = room_of(context)
        days = release_days(room, report)
        table, skipped = linked_effects(room, report, days.days)
        if table.empty:
            raise UnavailableError(
                context.t(
                    f"{skipped}个发布日都没有{LEAST_LINKED}家以上有足够行情的关联公司；换用更长的行情库后可比",
                    f"none of {skipped} release days has {LEAST_LINKED} linked companies with enough prices; a longer store would",
                )
            )
        known = {day.day0: day for day in days.days}
        data = table.assign(release=[release_names(context, known[day]) for day in table["day0"]])
        columns = {
            "day0": Column("首个反应日", "Day 0", "date"),
            "release": Column("发布", "Release"),
            "n_linked": Column("关联", "Linked", "integer", "家数", "Companies"),
            "n_unlinked": Column("其他", "Others", "integer", "家数", "Companies"),
            "linked": Column("关联", "Linked", "change", "CAAR", "CAAR"),
            "unlinked": Column("其他", "Others", "change", "CAAR", "CAAR"),
            "difference": Column("差", "Difference", "change"),
            "p_value": Column("p值", "p-value", "probability"),
            "benjamini_hochberg": Column("BH校正", "After BH", "probability"),
        }
        subtitle = context.t(
            f"窗口[{WINDOW[0]}, {WINDOW[1]}]个交易日，市场模型（沪深300），等权；其他为主题内其余A股",
            f"Window [{WINDOW[0]}, {WINDOW[1]}] sessions, market model (CSI 300), equal weight; others: the theme's other A-shares",
        )
        note = context.t(
            "差额作为一条多空收益序列用同一稳健检验；关联取自各报告的公司—模型对应，含事后披露；"
            f"{skipped}个发布日因关联公司不足{LEAST_LINKED}家未列；只计A股，估计窗口内成交不足一半交易日者不计",
            "the difference is one long-short series under the same robust test; links are those the reports give, some known "
            f"only afterwards; {skipped} days with fewer than {LEAST_LINKED} linked companies are left out; A-shares only, without "
            "those that traded on less than half of the estimation window",
        )
        if broken := int(table["difference"].isna().sum()):
            note += context.t(f"；{broken}日无法检验，记“/”", f"; {broken} days could not be tested and show /")
        return Content(data, columns, *_SOURCE, subtitle, note, context.as_of)

    title = ("关联公司与非关联公司：发布后的CAAR之差", "Linked against unlinked companies after a release")
    return ExhibitDefinition("release-linked", report, "附表", *title, "table", "releases", build)
