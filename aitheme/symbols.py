"""One canonical symbol for each security, and every vendor's spelling of it in and out.

A canonical symbol is ``CODE.MARKET``: six digits for mainland exchanges (``300364.SZ``, ``600633.SH``,
``920000.BJ``), five for Hong Kong (``00772.HK``), the ticker for the United States (``BIDU.US``); mainland
indices keep their exchange (``000300.SH``), Shenwan indices end in ``.SI``, CITIC indices in ``.CI``, Hong Kong
and American indices use their ticker (``HSI.HK``, ``SPX.US``).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from aitheme.errors import SymbolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Board", "Market", "PriceLimit", "Symbol", "SymbolDirectory", "board_of", "parse_symbol", "price_limit"]

Market = Literal["SH", "SZ", "BJ", "HK", "US", "SI", "CI", "CSI"]
Board = Literal["main", "chinext", "star", "bse", "hk", "us", "index"]
Vendor = Literal["wind", "bloomberg", "eastmoney", "sina", "tencent", "plain"]

_HK_DIGITS = 5
_CN_DIGITS = 6
_CN_MARKETS = ("SH", "SZ", "BJ")
_SUFFIXES: Mapping[str, Market] = {
    "SH": "SH", "SS": "SH", "XSHG": "SH", "SSE": "SH",
    "SZ": "SZ", "XSHE": "SZ", "SZSE": "SZ",
    "BJ": "BJ", "BSE": "BJ", "XBEI": "BJ",
    "HK": "HK", "XHKG": "HK",
    "US": "US", "O": "US", "OQ": "US", "N": "US", "UN": "US", "UW": "US", "UQ": "US",
    "SI": "SI", "SWI": "SI",
    "WI": "CI", "CI": "CI", "CSI": "CSI",
}  # fmt: skip
_SECID: Mapping[str, str] = {"SH": "1", "SZ": "0", "BJ": "0", "HK": "116", "US": "105"}
_PATTERNS = (
    re.compile(r"^(?P<market>\d{1,3})\.(?P<code>[A-Z0-9]{1,6})$"),
    re.compile(r"^(?P<code>[A-Z0-9]+)[. :](?P<market>[A-Z0-9]{1,4})$"),
    re.compile(r"^(?P<market>SH|SZ|BJ|HK)[. :]?(?P<code>\d{5,6})$"),
    re.compile(r"^(?P<market>US)[. :]?(?P<code>[A-Z]{1,6})$"),
)
_SPELLINGS = "300364.SZ, sz300364, 300364 CH, 0772.HK, BIDU US or a registered Chinese short name"


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """A security or index, known by code and market.

    Parameters
    ----------
    code
        Six digits (mainland), five digits (Hong Kong) or a ticker.
    market
        ``SH SZ BJ HK US``, or ``SI`` (Shenwan), ``CI`` (CITIC), ``CSI`` for index families of their own.
    """

    code: str
    market: Market

    def __str__(self) -> str:
        """Return the canonical form, for example ``300364.SZ``."""
        return f"{self.code}.{self.market}"

    @property
    def board(self) -> Board:
        """The listing board, which decides the daily price limit."""
        return board_of(str(self))

    @property
    def currency(self) -> str:
        """Trading currency: CNY, HKD or USD."""
        return {"HK": "HKD", "US": "USD"}.get(self.market, "CNY")

    def spelled(self, vendor: Vendor) -> str:
        """Return the symbol as a vendor writes it.

        Parameters
        ----------
        vendor
            ``wind`` (``300364.SZ``, ``0772.HK``), ``bloomberg`` (``300364 CH``), ``eastmoney`` (``0.300364``),
            ``sina`` and ``tencent`` (``sz300364``, ``hk00772``, ``usBIDU``), ``plain`` (``300364``).
        """
        if vendor == "plain":
            return self.code
        if vendor == "wind":
            return f"{self.code.lstrip('0').zfill(4)}.HK" if self.market == "HK" and self.code.isdigit() else str(self)
        if vendor == "bloomberg":
            return f"{self.code.lstrip('0')} HK" if self.market == "HK" else f"{self.code} {self._bloomberg_suffix}"
        if vendor == "eastmoney":
            return f"{_SECID.get(self.market, '90')}.{self.code}"
        return f"{self.market.lower()}{self.code}"

    @property
    def _bloomberg_suffix(self) -> str:
        return "CH" if self.market in _CN_MARKETS else self.market


def _mainland_market(code: str) -> Market | None:
    """Exchange of a bare six-digit share code; None where the prefix belongs to no share."""
    if code.startswith(("600", "601", "603", "605", "688", "689", "900")):
        return "SH"
    if code.startswith(("000", "001", "002", "003", "300", "301", "302", "200")):
        return "SZ"
    if code.startswith(("920", "43", "82", "83", "87", "88")):
        return "BJ"
    return None


def board_of(symbol: str) -> Board:
    """Return the board of a canonical symbol (``main chinext star bse hk us index``)."""
    code, _, market = symbol.rpartition(".")
    if market == "HK":
        return "hk" if code.isdigit() else "index"
    if market == "US":
        return "index" if code in {"SPX", "IXIC", "NDX", "DJI"} else "us"
    if market == "BJ":
        return "bse" if not code.startswith("899") else "index"
    if market == "SH" and _mainland_market(code) == "SH":
        return "star" if code.startswith(("688", "689")) else "main"
    if market == "SZ" and _mainland_market(code) == "SZ":
        return "chinext" if code.startswith(("300", "301", "302")) else "main"
    return "index"


def parse_symbol(text: str) -> Symbol:
    """Read any usual spelling of a code.

    Parameters
    ----------
    text
        ``300364``, ``300364.SZ``, ``sz300364``, ``300364 CH``, ``772 HK``, ``0772.HK``, ``BIDU US``, ``105.BIDU``,
        with fullwidth characters allowed. A bare six-digit code is a share; an index needs its market.

    Returns
    -------
    Symbol

    Raises
    ------
    SymbolError
        The text is no known spelling, or the market contradicts the code.
    """
    folded = unicodedata.normalize("NFKC", str(text)).strip().upper()
    if re.fullmatch(r"\d{6}", folded):
        market = _mainland_market(folded)
        if market is None:
            raise SymbolError(f"symbol: {text!r} has no A-share prefix; an index needs its market, like 000300.SH")
        return Symbol(folded, market)
    for pattern in _PATTERNS:
        match = pattern.match(folded)
        if match:
            return _build(text, match["code"], match["market"])
    raise SymbolError(f"symbol: {text!r} is not a code that can be read; write it like {_SPELLINGS}")


def _build(text: str, code: str, suffix: str) -> Symbol:
    """Combine code and market suffix, checking one against the other."""
    if suffix in {"CH", "CN", "C1", "C2"} or (suffix in {"0", "1"} and len(code) == _CN_DIGITS):
        market = _mainland_market(code)
        if market is None:
            raise SymbolError(f"symbol: {text!r} has no A-share prefix; write it like {_SPELLINGS}")
        return Symbol(code, market)
    suffix = {"116": "HK", "105": "US", "106": "US", "107": "US"}.get(suffix, suffix)
    if suffix not in _SUFFIXES:
        known = ", ".join(sorted(set(_SUFFIXES.values())))
        raise SymbolError(f"symbol: {text!r} ends in {suffix!r}; known markets are {known}")
    market = _SUFFIXES[suffix]
    if market == "HK" and code.isdigit():
        if len(code.lstrip("0")) > _HK_DIGITS:
            raise SymbolError(f"symbol: {text!r} has too many digits for Hong Kong; write it like 00772.HK")
        return Symbol(code.lstrip("0").zfill(_HK_DIGITS), market)
    if market in _CN_MARKETS and not re.fullmatch(r"\d{6}", code):
        raise SymbolError(f"symbol: {text!r} needs six digits for {market}; write it like 300364.SZ")
    expected = _mainland_market(code) if market in _CN_MARKETS else None
    if expected not in (None, market) and not code.startswith(("000", "88", "900", "200")):
        raise SymbolError(f"symbol: {text!r} says {market}, but code {code} is listed in {expected}")
    return Symbol(code, market)


class SymbolDirectory:
    """Names to symbols, for input that is a Chinese short name or an alias.

    Parameters
    ----------
    names
        Pairs of canonical symbol and one of its names. A name may point to several symbols (a dual listing);
        looking it up is then an error that lists them.
    """

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for symbol, name in names:
            owners = self._by_name.setdefault(self._fold(name), [])
            if symbol not in owners:
                owners.append(symbol)

    @staticmethod
    def _fold(name: str) -> str:
        return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).upper()

    def __contains__(self, name: str) -> bool:
        return self._fold(name) in self._by_name

    def resolve(self, text: str) -> str:
        """Return the canonical symbol for a code in any spelling or a unique name.

        Raises
        ------
        SymbolError
            Nothing matches, or several securities share the name.
        """
        owners = self._by_name.get(self._fold(text), [])
        if len(owners) == 1:
            return owners[0]
        if owners:
            raise SymbolError(f"symbol: {text!r} names {len(owners)} securities ({', '.join(owners)}); give the code")
        return str(parse_symbol(text))


@dataclass(frozen=True, slots=True)
class PriceLimit:
    """Daily price limits as ratios of the previous close; ``None`` means no limit."""

    up: float | None
    down: float | None


_FREE = PriceLimit(None, None)
_CHINEXT_REFORM = date(2020, 8, 24)
_REGISTRATION_REFORM = date(2023, 4, 10)
_FREE_SESSIONS = 5
_MAIN_FIRST_DAY = PriceLimit(0.44, -0.36)


def price_limit(symbol: str, session: date, *, st: bool = False, listed_sessions: int | None = None) -> PriceLimit:
    """Return the daily price limit that applied to a stock on a session.

    Parameters
    ----------
    symbol
        Canonical symbol.
    session
        The trading day.
    st
        Whether the stock was under special treatment that day.
    listed_sessions
        Sessions since listing, the first being 1; ``None`` when long listed.

    Returns
    -------
    PriceLimit
        Ratios: ±10 % main board (±5 % ST), ±20 % ChiNext since 2020-08-24 and STAR, ±30 % BSE. The first five
        sessions of a STAR, reformed ChiNext, or (since 2023-04-10) main-board listing and the first of a BSE listing
        are free; an older main-board listing moved between -36 % and +44 % on its first day.
    """
    board = board_of(symbol)
    age = listed_sessions if listed_sessions is not None else _FREE_SESSIONS + 1
    if board in {"hk", "us", "index"} or (board == "bse" and age <= 1):
        return _FREE
    if board == "bse":
        return PriceLimit(0.30, -0.30)
    if board == "star" or (board == "chinext" and session >= _CHINEXT_REFORM):
        return _FREE if age <= _FREE_SESSIONS else PriceLimit(0.20, -0.20)
    if age <= _FREE_SESSIONS and board == "main" and session >= _REGISTRATION_REFORM:
        return _FREE
    if age <= 1:
        return _MAIN_FIRST_DAY
    return PriceLimit(0.05, -0.05) if st else PriceLimit(0.10, -0.10)
