"""Who is in the simulated market, and what the theme's releases do to it.

Theme securities keep their real codes and names; everything else about them (industry, listing date, shares) is made up
where the theme does not say it. Background stocks are called 模拟 and use codes no exchange has given out.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aitheme.calendar import calendar_for
from aitheme.sources.simulation import stream
from aitheme.symbols import board_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aitheme.symbols import Board
    from aitheme.themes import Security, Theme

__all__ = [
    "INDICES",
    "INDUSTRIES",
    "MAINLAND",
    "EventEffect",
    "IndexSpec",
    "Profile",
    "Shock",
    "anchors",
    "background_profiles",
    "event_shocks",
    "theme_profiles",
]

Days = NDArray[np.datetime64]

MAINLAND = "XSHG"
_EXCHANGES: Mapping[str, str] = {"hk": "XHKG", "us": "XNYS"}
_CURRENCIES: Mapping[str, str] = {"XHKG": "HKD", "XNYS": "USD"}
_TMT = ("传媒", "计算机", "通信", "电子")
_OTHERS = (
    "农林牧渔", "基础化工", "钢铁", "有色金属", "汽车", "家用电器", "食品饮料", "纺织服饰", "轻工制造",
    "医药生物", "公用事业", "交通运输", "房地产", "商贸零售", "社会服务", "银行", "非银金融", "综合",
    "建筑材料", "建筑装饰", "电力设备", "机械设备", "国防军工", "煤炭", "石油石化", "环保", "美容护理",
)  # fmt: skip
INDUSTRIES = (*_TMT, *_OTHERS)
"""The 31 Shenwan level-1 industries."""

# A company's industry is guessed from its description; the first pattern that matches wins.
_KEYWORDS: Mapping[str, str] = {
    "非银金融": "证券公司|保险集团|投资银行",
    "医药生物": "医药|医学|诊断",
    "汽车": "乘用车",
    "轻工制造": "家具",
    "纺织服饰": "服装|羽绒服",
    "食品饮料": "饮料",
    "建筑装饰": "建筑企业",
    "商贸零售": "商品市场|百货",
    "传媒": "影视|电影|电视|TV|剧|游戏|出版|图书|广告|营销|文学|版权|动漫|媒体|传媒|院线|阅读|娱乐|新闻",
    "通信": "光模块|光器件|光通信|电信|交换机|通信设备",
    "电子": "芯片|半导体|处理器|GPU|摄像|监控|电路|耳机|显示|消费电子|光学",
}

_OPENED: Mapping[Board, date] = {
    "main": date(1995, 1, 3),
    "chinext": date(2009, 10, 30),
    "star": date(2019, 7, 22),
    "bse": date(2021, 11, 15),
    "hk": date(2000, 1, 4),
    "us": date(2000, 1, 4),
}
_MENTIONED = 0.3
_SETTLED_IN = timedelta(days=120)

# Code ranges beyond anything listed, so that a background stock can never be taken for a real one.
_RANGES: Mapping[str, tuple[int, str]] = {
    "SH": (605600, "SH"),
    "SZ": (3500, "SZ"),
    "chinext": (302500, "SZ"),
    "star": (689500, "SH"),
    "bse": (889500, "BJ"),
}
_PATTERN = (
    "SH", "chinext", "SZ", "star", "SH", "SZ", "chinext", "SH", "SZ", "bse",
    "chinext", "SH", "star", "SZ", "SH", "chinext", "SH", "SZ", "star", "chinext",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """A security of the simulated market.

    Parameters
    ----------
    symbol, name, board, industry
        As stored; the industry is one of :data:`INDUSTRIES`.
    kin
        Closeness to the theme, which scales the loading on its factor: 1 for names in its baskets.
    listed, delisted
        First session, and the first one without trading.
    st
        Special treatment, hence a 5 % limit on the main board.
    anchor
        Session and printed close the path is scaled to.
    """

    symbol: str
    name: str
    board: Board
    industry: str
    kin: float
    listed: date
    delisted: date | None = None
    st: bool = False
    anchor: tuple[date, float] | None = None

    @property
    def exchange(self) -> str:
        """Whose sessions the security trades on."""
        return _EXCHANGES.get(self.board, MAINLAND)

    @property
    def currency(self) -> str:
        """Trading currency."""
        return _CURRENCIES.get(self.exchange, "CNY")


def anchors(theme: Theme, start: date, end: date) -> dict[str, tuple[date, float]]:
    """Return the printed close of each stock: its latest one inside the span, on the session it means."""
    result: dict[str, tuple[date, float]] = {}
    for row in sorted(theme.estimates, key=lambda row: row.as_of):
        session = calendar_for(_EXCHANGES.get(board_of(row.symbol), MAINLAND)).on_or_before(row.as_of)
        if start <= session <= end:
            result[row.symbol] = (session, row.price)
    return result


def theme_profiles(theme: Theme, seed: int, days: Days) -> Iterator[Profile]:
    """Yield the theme's listed securities; `days` are the mainland sessions of the span."""
    sectors = _sectors(theme)
    grouped = _grouped(theme)
    fixed = anchors(theme, days[0].item(), days[-1].item())
    for symbol, security in theme.security.items():
        board = board_of(symbol)
        if board == "index":
            continue
        rng = stream(seed, symbol, "listing")
        # 301xxx codes are given out since 2021 and 688xxx since 2019: some of these listed inside the span.
        recent = symbol.startswith("301") or (board == "star" and rng.random() < 0.2)  # noqa: PLR2004 (one in five)
        listed = _listing(rng, board, days, inside=(0.05, 0.4) if recent and symbol not in fixed else None)
        if listed is not None:
            industry = _industry(security, sectors.get(symbol, ""))
            kin = 1.0 if symbol in grouped else _MENTIONED
            yield Profile(symbol, security.name_zh, board, industry, kin, listed, anchor=fixed.get(symbol))


def background_profiles(count: int, seed: int, days: Days) -> Iterator[Profile]:
    """Yield `count` stocks outside the theme: all boards and industries, two under special treatment, one delisted."""
    used: Counter[str] = Counter()
    for number in range(count):
        round_, place = divmod(number, len(_PATTERN))
        first, suffix = _RANGES[_PATTERN[place]]
        symbol = f"{first + used[_PATTERN[place]]:06d}.{suffix}"
        used[_PATTERN[place]] += 1
        board = board_of(symbol)
        st = number in {0, len(_PATTERN)}
        inside = (0.1, 0.85) if (place + 3 * round_) % 12 == 5 else None  # noqa: PLR2004 (one in twelve lists)
        listed = _listing(stream(seed, symbol, "listing"), board, days, inside=None if st else inside)
        if listed is None:
            continue
        tmt = (place + round_) % 5 == 0
        industry = _TMT[number // 5 % 4] if tmt else _OTHERS[number % len(_OTHERS)]
        delisted = days[int(0.85 * len(days))].item() if number == len(_PATTERN) else None
        name = f"{'*ST' if st else ''}模拟{symbol[:6]}"
        yield Profile(symbol, name, board, industry, 0.25 if tmt else 0.0, listed, delisted, st)


def _listing(rng: np.random.Generator, board: Board, days: Days, inside: tuple[float, float] | None) -> date | None:
    """Return a listing date: in a part of the span, or long before it; None for a board that opens after the span."""
    first, last = days[0].item(), days[-1].item()
    draw = rng.random()
    opened = _OPENED[board]
    latest = first - _SETTLED_IN
    if inside is None and opened < latest:
        day = opened + timedelta(days=int(draw * (latest - opened).days))
        return calendar_for(_EXCHANGES.get(board, MAINLAND)).on_or_after(day)
    if opened > last:
        return None
    low, high = inside or (0.0, 0.4)
    begin = max(int(low * len(days)), int(np.searchsorted(days, np.datetime64(opened))))
    position = begin + int(draw * (high - low) * (len(days) - begin))
    session: date = days[min(position, len(days) - 1)].item()
    return session


def _grouped(theme: Theme) -> frozenset[str]:
    """Return the symbols in the theme's baskets; its other securities are only mentioned."""
    return frozenset(member.symbol for member in theme.members if member.symbol is not None)


def _sectors(theme: Theme) -> dict[str, str]:
    """Return the sector of the first report that groups a security."""
    result: dict[str, str] = {}
    for member in theme.members:
        report = theme.reports.get(member.basket.split("/", 1)[0])
        if member.symbol is not None and report is not None:
            result.setdefault(member.symbol, report.sector_zh)
    return result


def _industry(security: Security, sector: str) -> str:
    """Guess an industry from what the theme says about a company, else from its report's sector."""
    for industry, words in _KEYWORDS.items():
        if re.search(words, security.description_zh):
            return industry
    return sector if sector in INDUSTRIES else "计算机"


@dataclass(frozen=True, slots=True)
class EventEffect:
    """Abnormal returns (ratios) a release causes, on day 0 and on each of the next four sessions.

    ``linked`` applies to companies linked to the released model, ``others`` to the other names in the theme's baskets.
    """

    linked: float
    linked_drift: float = 0.0
    others: float = 0.0
    others_drift: float = 0.0


DRIFT_SESSIONS = 4
_HEADLINES: Mapping[str, EventEffect] = {
    "kimi-20240318": EventEffect(0.060, 0.008, others=0.020, others_drift=0.003),
    "sora-20240216": EventEffect(0.070, 0.006, others=0.030, others_drift=0.004),
}
_BY_KIND: Mapping[str, EventEffect] = {
    "release": EventEffect(0.012, 0.001),
    "opening": EventEffect(0.010, 0.001),
    "upgrade": EventEffect(0.006),
    "open-source": EventEffect(0.006),
    "preview": EventEffect(0.006),
    "hardware": EventEffect(0.006),
    "partnership": EventEffect(0.008),
    "application": EventEffect(0.005),
    "pricing": EventEffect(0.004),
}


@dataclass(frozen=True, slots=True)
class Shock:
    """One injected abnormal return (ratio)."""

    release: str
    symbol: str
    session: date
    effect: float


def event_shocks(theme: Theme, profiles: list[Profile], days: Days) -> Iterator[Shock]:
    """Yield what the theme's dated releases add to fair returns of mainland stocks on the mainland sessions `days`."""
    mainland = {row.symbol: row.listed for row in profiles if row.exchange == MAINLAND}
    grouped = _grouped(theme)
    for release in theme.dated_releases():
        effect = _HEADLINES.get(release.id) or _BY_KIND.get(release.kind)
        row = int(np.searchsorted(days, np.datetime64(release.day0)))
        if effect is None or row == len(days) or days[row] != np.datetime64(release.day0):
            continue
        linked = set(theme.linked_symbols(release.model)) if release.model is not None else set()
        for offset, session in enumerate(days[row : row + 1 + DRIFT_SESSIONS].tolist()):
            near, far = (effect.linked, effect.others) if offset == 0 else (effect.linked_drift, effect.others_drift)
            for symbol, listed in mainland.items():
                size = near if symbol in linked else far if symbol in grouped else 0.0
                if size != 0.0 and listed <= session:
                    yield Shock(release.id, symbol, session, size)


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index as a combination of factors: the market plus loadings, and noise of its own (daily volatility).

    ``base`` is the level before the first session, ``pe`` its trailing PE there (0 for none).
    """

    symbol: str
    name: str
    provider: str
    level: int
    base: float
    exchange: str = MAINLAND
    smb: float = 0.0
    hml: float = 0.0
    industry: str | None = None
    noise: float = 0.0005
    pe: float = 0.0


def _industry_indices() -> Iterator[IndexSpec]:
    shenwan = {"传媒": "801760.SI", "计算机": "801750.SI", "通信": "801770.SI", "电子": "801080.SI"}
    citic = {"传媒": "CI005028.CI", "计算机": "CI005027.CI", "通信": "CI005026.CI", "电子": "CI005025.CI"}
    for name, symbol in shenwan.items():
        yield IndexSpec(symbol, name, "Shenwan", 1, 3000.0, smb=0.5, hml=-0.2, industry=name, noise=0.001)
    for name, symbol in citic.items():
        yield IndexSpec(symbol, name, "CITIC", 1, 3500.0, smb=0.5, hml=-0.2, industry=name, noise=0.0015)
    second = {"媒体": "CI005846", "广告营销": "CI005847", "文化娱乐": "CI005848", "互联网媒体": "CI005849"}
    third = {
        "游戏": "CI005577", "影视": "CI005575", "出版": "CI005369", "广播电视": "CI005572",
        "互联网影视音频": "CI005581", "互联网广告营销": "CI005573",
    }  # fmt: skip
    for level, names, noise in ((2, second, 0.005), (3, third, 0.009)):
        for name, code in names.items():
            yield IndexSpec(f"{code}.CI", name, "CITIC", level, 2500.0, smb=0.6, hml=-0.2, industry="传媒", noise=noise)


INDICES: tuple[IndexSpec, ...] = (
    IndexSpec("000300.SH", "沪深300", "CSI", 0, 4000.0, smb=-0.15, hml=0.1, pe=13.0),
    IndexSpec("000985.SH", "中证全指", "CSI", 0, 5000.0, smb=0.15, pe=18.0),
    IndexSpec("HSI.HK", "恒生指数", "HSI", 0, 20000.0, "XHKG"),
    IndexSpec("SPX.US", "标普500", "S&P", 0, 4000.0, "XNYS"),
    IndexSpec("IXIC.US", "纳斯达克综合指数", "Nasdaq", 0, 13000.0, "XNYS", hml=-0.5, industry="计算机", noise=0.002),
    *_industry_indices(),
)
