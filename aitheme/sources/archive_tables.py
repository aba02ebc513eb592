"""The small files of an archive: indices, overseas bars, factors, the stock list, capital expenditure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from aitheme.calendar import calendar_for
from aitheme.errors import ArchiveError, SymbolError
from aitheme.sources.archive_files import CAPEX, FACTORS, INDEX, OVERSEAS, STOCK_LIST, ArchiveFile, read_frame
from aitheme.sources.base import RETURN_APPROXIMATE, Batch, FetchRequest, empty_rejects, to_table
from aitheme.symbols import board_of, parse_symbol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["READERS"]

Reader = Callable[[ArchiveFile, FetchRequest], Iterator[Batch]]

_YI: Final = 1e8
_BILLION: Final = 1e9
# Index tickers that vendors spell with their own suffix.
_INDEX_SPELLINGS: Final = {"HSI.HI": "HSI.HK", "IXIC.GI": "IXIC.US", "SPX.GI": "SPX.US"}
_CAPEX_TICKERS: Final = {
    "META": "META.US",
    "MSFT": "MSFT.US",
    "GOOG": "GOOGL.US",
    "GOOGL": "GOOGL.US",
    "AMZN": "AMZN.US",
}
_PROVIDERS: Final = {"SI": "Shenwan", "CI": "CITIC", "CSI": "CSI", "SH": "CSI", "SZ": "CNI", "HK": "HSI", "US": "US"}


def _symbol(file: ArchiveFile, text: str) -> str:
    try:
        return str(parse_symbol(_INDEX_SPELLINGS.get(text, text)))
    except SymbolError as error:
        raise ArchiveError(f"archive: {file.path}: {error}") from error


def _symbols(file: ArchiveFile, column: pd.Series[str]) -> pd.Series[str]:
    return column.map({text: _symbol(file, text) for text in column.unique()})


def _window(frame: pd.DataFrame, request: FetchRequest) -> pd.DataFrame:
    if request.since is not None:
        frame = frame[frame["date"] >= str(request.since)]
    if request.until is not None:
        frame = frame[frame["date"] <= str(request.until)]
    return frame


def _refuse(frame: pd.DataFrame, key: list[str], exchange: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take out rows without a close, off the calendar or standing twice; return kept rows and rejects."""
    import numpy as np
    import pandas as pd

    if frame.empty:
        return frame, empty_rejects()
    frame = frame.sort_values(key, kind="stable").reset_index(drop=True)
    sessions = calendar_for(exchange).sessions(frame["date"].min().date(), frame["date"].max().date())
    missing = frame["close"].isna() | (frame["close"] <= 0)
    reason = np.select(
        [frame["date"].isna(), ~frame["date"].isin(sessions), frame.duplicated(key), missing],
        ["date does not parse", "not a trading session", "row stands twice", "close is missing or not positive"],
        default="",
    )
    bad = frame[reason != ""]
    rejects = pd.DataFrame(
        {
            "symbol": bad["symbol"],
            "session": bad["date"].dt.date,
            "reason": reason[reason != ""],
            "raw": [
                json.dumps({k: str(v) for k, v in row.items()}, ensure_ascii=False) for row in bad.to_dict("records")
            ],
        }
    )
    return frame[reason == ""], rejects


def _days(stamps: pd.Series[pd.Timestamp]) -> NDArray[np.datetime64]:
    """Return calendar dates as an array that Arrow reads without a Python object per row."""
    return stamps.to_numpy().astype("datetime64[D]")


def _positive(frame: pd.DataFrame, name: str) -> pd.Series[float]:
    """Return a price column with zeros (the vendor's blank) as missing."""
    import numpy as np
    import pandas as pd

    if name not in frame:
        return pd.Series(np.nan, index=frame.index)
    return frame[name].where(frame[name] > 0)


def index_bars(file: ArchiveFile, request: FetchRequest) -> Iterator[Batch]:
    """Yield index bars and the indices' names; turnover in 亿元 becomes CNY."""
    import numpy as np
    import pandas as pd

    frame = read_frame(file.path)
    frame["symbol"] = _symbols(file, frame["symbol"])
    names = frame.drop_duplicates("symbol")
    level = names["level"].astype("int64") if "level" in names else pd.Series(0, index=names.index)
    if "level" not in names:
        level = level.where(~names["symbol"].str.endswith(".SI"), 1)
    names = names.assign(level=level).sort_values("symbol")
    columns = {
        "symbol": names["symbol"],
        # CITIC dumps repeat the family in every name, which a chart's legend does not want.
        "name": names["name"].str.replace("(中信)", "", regex=False),
        "provider": [_PROVIDERS[symbol.rsplit(".", 1)[1]] for symbol in names["symbol"]],
        "level": names["level"],
    }
    yield Batch("indices", to_table("indices", columns), origin=file.path.name)
    kept, rejects = _refuse(_window(frame, request), ["symbol", "date"], "XSHG")
    blank = pd.Series(np.nan, index=kept.index)
    table = to_table(
        "index_bars",
        {
            "symbol": kept["symbol"],
            "session": _days(kept["date"]),
            **{name: _positive(kept, name) for name in ("open", "high", "low", "close")},
            "amount": kept["amount_yi"] * _YI if "amount_yi" in kept else blank,
            "pe_trailing": kept.get("pe", blank),
        },
    )
    yield Batch("index_bars", table, rejects, origin=file.path.name)


def overseas_bars(file: ArchiveFile, request: FetchRequest) -> Iterator[Batch]:
    """Yield Hong Kong and American bars (adjusted dumps: factor 1, flagged approximate) and overseas indices."""
    import numpy as np
    import pandas as pd

    frame = read_frame(file.path)
    frame["symbol"] = _symbols(file, frame["symbol"])
    frame = _window(frame, request)
    is_index = frame["symbol"].map(board_of) == "index"
    for part, dataset in ((frame[is_index], "index_bars"), (frame[~is_index], "bars")):
        if dataset == "bars" and request.symbols is not None:
            part = part[part["symbol"].isin(request.symbols)]  # noqa: PLW2901 (narrowing the part is the point)
        if part.empty:
            continue
        exchange = str(part["symbol"].iloc[0]).rsplit(".", 1)[1]
        kept, rejects = _refuse(part, ["symbol", "date"], exchange)
        blank = pd.Series(np.nan, index=kept.index)
        columns = {
            "symbol": kept["symbol"],
            "session": _days(kept["date"]),
            **{name: _positive(kept, name) for name in ("open", "high", "low", "close")},
            "amount": blank,
            "pe_trailing": blank,
            "volume": kept.get("volume", blank),
            "turnover": blank,
            "adj_factor": blank.fillna(1.0),
            "quality": blank.fillna(RETURN_APPROXIMATE),
        }
        notes = (
            () if dataset == "index_bars" else ("adjusted closes: factor 1, returns approximate, prices not as traded",)
        )
        yield Batch(dataset, to_table(dataset, columns), rejects, notes, file.path.name)
        if dataset == "index_bars":
            names = sorted(kept["symbol"].unique())
            known = {"HSI.HK": "恒生指数", "SPX.US": "标普500", "IXIC.US": "纳斯达克综合指数"}
            rows = {
                "symbol": names,
                "name": [known.get(name, name) for name in names],
                "provider": [_PROVIDERS[name.rsplit(".", 1)[1]] for name in names],
                "level": [0] * len(names),
            }
            yield Batch("indices", to_table("indices", rows), origin=file.path.name)


def factors(file: ArchiveFile, request: FetchRequest) -> Iterator[Batch]:
    """Yield daily factor returns (ratios) in long form."""
    frame = _window(read_frame(file.path), request)
    long = frame.melt("date", var_name="factor", value_name="value").dropna(subset=["value"])
    long = long.drop_duplicates(["factor", "date"]).sort_values(["factor", "date"])
    table = to_table("factors", {"factor": long["factor"], "session": _days(long["date"]), "value": long["value"]})
    yield Batch("factors", table, origin=file.path.name)


def stock_list(file: ArchiveFile, request: FetchRequest) -> Iterator[Batch]:
    """Yield names, boards, industries and share counts; the list's own date is its file name's year and month."""
    import pandas as pd

    frame = read_frame(file.path)
    frame["symbol"] = _symbols(file, frame["code"].astype(str))
    if request.symbols is not None:
        frame = frame[frame["symbol"].isin(request.symbols)]
    frame = frame.drop_duplicates("symbol").sort_values("symbol")
    # Eastmoney pads two-character names with spaces and writes B-share letters fullwidth.
    name = frame["name"].str.replace(r"\s+", "", regex=True).str.normalize("NFKC")
    stamp = pd.to_datetime(pd.Series([file.path.stem]).str.extract(r"(\d{4}-\d{2})")[0]).iloc[0]
    shares_as_of = None if pd.isna(stamp) else (stamp + pd.offsets.MonthEnd(0)).date()
    count = len(frame)
    table = to_table(
        "securities",
        {
            "symbol": frame["symbol"],
            "name": name,
            "currency": ["CNY"] * count,
            "board": [board_of(symbol) for symbol in frame["symbol"]],
            "industry": frame["行业"] if "行业" in frame else [None] * count,
            "listed": [None] * count,
            "delisted": [None] * count,
            "total_shares": frame["总股本"],
            "float_shares": frame["流通股"],
            "shares_as_of": [shares_as_of] * count,
            "st": name.str.upper().str.contains("ST", regex=False),
        },
    )
    yield Batch("securities", table, origin=file.path.name)


def capex(file: ArchiveFile, request: FetchRequest) -> Iterator[Batch]:
    """Yield quarterly capital expenditure in USD; blanks are quarters the archive does not have."""
    import pandas as pd

    frame = read_frame(file.path).dropna(subset=["capex_usd_bn"])
    unknown = sorted(set(frame["company"]) - set(_CAPEX_TICKERS))
    if unknown:
        raise ArchiveError(
            f"archive: {file.path}: company {unknown[0]!r} is not one of {', '.join(sorted(_CAPEX_TICKERS))}"
        )
    frame["symbol"] = frame["company"].map(_CAPEX_TICKERS)
    frame["quarter_end"] = pd.PeriodIndex(frame["calendar_quarter"], freq="Q").end_time.date
    if request.until is not None:
        frame = frame[frame["quarter_end"] <= request.until]
    frame = frame.sort_values(["symbol", "quarter_end"])
    columns = {
        "symbol": frame["symbol"],
        "quarter_end": frame["quarter_end"],
        "capex": frame["capex_usd_bn"] * _BILLION,
        "currency": ["USD"] * len(frame),
    }
    yield Batch("capex", to_table("capex", columns), origin=file.path.name)


READERS: Final[dict[str, Reader]] = {
    INDEX.name: index_bars,
    OVERSEAS.name: overseas_bars,
    FACTORS.name: factors,
    STOCK_LIST.name: stock_list,
    CAPEX.name: capex,
}
