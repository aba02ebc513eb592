"""Fill a store from the parameters cell of a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aitheme.errors import UnknownNameError

if TYPE_CHECKING:
    from aitheme.sources import FetchRequest, Source
    from aitheme.sources.akshare.plan import FetchPlan
    from aitheme.store import RefreshReport, StoreFiles
    from aitheme.themes import Theme

__all__ = ["fill_store", "live_plan"]

_SOURCES = ("demo", "archive", "akshare", "store")


def fill_store(
    source: str, data: str | Path, archive: str | Path = "", *, theme: Theme | str = "ai", universe: str = "all"
) -> RefreshReport | None:
    """Bring a store up to date as the parameters of a notebook say.

    Parameters
    ----------
    source
        ``demo``, ``archive`` or ``akshare``, or ``store`` to read what is there and ask nobody.
    data
        Store directory.
    archive
        Folder of dumps, for ``archive``.
    theme
        Registry, or the name of a packaged one.
    universe
        ``theme`` or ``all``.

    Returns
    -------
    RefreshReport or None
        None for ``store``.

    Raises
    ------
    AithemeError
        An unknown source, or a refresh that failed; the store keeps its last snapshot.
    """
    from aitheme.store import StoreFiles, open_market, refresh
    from aitheme.themes import load_theme

    if source not in _SOURCES:
        raise UnknownNameError.build("source", source, _SOURCES, f"use one of {', '.join(_SOURCES)}")
    if universe not in {"theme", "all"}:
        raise UnknownNameError.build("universe", universe, ("theme", "all"), "use theme or all")
    if source == "store":
        open_market(data).close()
        return None
    registry = load_theme(theme) if isinstance(theme, str) else theme
    files = StoreFiles(Path(data))
    kind: Literal["theme", "all"] = "theme" if universe == "theme" else "all"
    return refresh(files, *_asked(source, files, Path(archive) if archive else None, registry, kind), universe=kind)


def _asked(
    source: str, files: StoreFiles, archive: Path | None, theme: Theme, universe: str
) -> tuple[Source, FetchRequest]:
    from aitheme.cli.data import build_source
    from aitheme.cli.options import SourceName
    from aitheme.sources import FetchRequest

    origin = build_source(SourceName(source), archive, theme, files.root, universe)
    symbols = frozenset(theme.security) if universe == "theme" else None
    if source != "akshare":
        return origin, FetchRequest(symbols)
    from aitheme.sources.akshare import LiveRequest
    from aitheme.store.live import live_request

    return origin, live_request(files, LiveRequest(symbols))


def live_plan(data: str | Path, *, theme: Theme | str = "ai", universe: str = "theme") -> FetchPlan:
    """Return what a live refresh would ask of whom; nothing is sent.

    Parameters
    ----------
    data
        Store directory the refresh would bring up to date; what it holds is not asked for again.
    theme
        Registry, or the name of a packaged one.
    universe
        ``theme`` or ``all``.
    """
    from aitheme.sources.akshare import AkshareSource
    from aitheme.store import StoreFiles
    from aitheme.themes import load_theme

    registry = load_theme(theme) if isinstance(theme, str) else theme
    source, request = _asked("akshare", StoreFiles(Path(data)), None, registry, universe)
    assert isinstance(source, AkshareSource)
    return source.plan(request)
