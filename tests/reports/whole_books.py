"""All five books from the simulated market, in every form, with what was drawn kept beside them for comparison."""

import hashlib
import json
import pickle
from dataclasses import dataclass

import pandas as pd

from aitheme.exhibits.native import NativeChart, NativePanels
from aitheme.reports import FORMATS, available_books, write_book
from aitheme.reports.sheets import sheet_form
from aitheme.reports.workbook import sheet_name

SIGNIFICANT = "%.6g"


@dataclass(frozen=True)
class Drawn:
    """What an exhibit was when its book was written."""

    id: str
    status: str
    lang: str
    kind: str
    caption: str
    source: str
    simulated: bool
    sheet: str
    native: object
    rows: pd.DataFrame | None
    columns: dict | None
    form: object
    outline: dict


def written(market, theme, folder):
    """Write the books below a folder, once; return what was drawn by book."""
    store = folder / "drawn.pickle"
    if not store.exists():
        books = {name: _book(market, theme, name, folder / name) for name in available_books(theme)}
        store.write_bytes(pickle.dumps(books))
    return pickle.loads(store.read_bytes())  # noqa: S301 (written a moment ago)


def _book(market, theme, name, folder):
    done = write_book(market, theme, name, folder, formats=FORMATS)
    return [_drawn(exhibit, number) for number, exhibit in enumerate(done.exhibits, start=1)]


def _drawn(exhibit, number):
    content = exhibit.content
    return Drawn(
        exhibit.id, exhibit.status, exhibit.lang, exhibit.kind, exhibit.caption, exhibit.source, exhibit.simulated,
        sheet_name(exhibit, number), None if content is None else content.native,
        None if content is None else exhibit.data, None if content is None else dict(content.columns),
        None if content is None else sheet_form(exhibit), outline(exhibit),
    )  # fmt: skip


def outline(exhibit):
    """What a reader would notice of an exhibit, small enough to read in a diff."""
    if exhibit.content is None:
        return {"caption": exhibit.caption, "chapter": exhibit.chapter, "reason": exhibit.reason}
    content = exhibit.content
    labels = [f"{name}: {column.group(exhibit.lang)} {column.label(exhibit.lang)} ({column.kind})".replace(":  ", ": ")
              for name, column in content.columns.items()]  # fmt: skip
    data = exhibit.data[list(content.columns)].to_csv(index=False, float_format=SIGNIFICANT)
    drawn = marks(exhibit.figure()) if content.draw is not None else []
    native = content.native
    return {
        "caption": exhibit.caption,
        "chapter": exhibit.chapter,
        "subtitle": content.subtitle,
        "source": exhibit.source,
        "note": content.note,
        "columns": labels,
        "rows": len(exhibit.data),
        "first row": data.split("\n")[1] if len(exhibit.data) else "",
        "data": hashlib.sha256(data.encode()).hexdigest()[:16],
        "native": described(native),
        "marks": drawn,
    }


def described(native):
    """A native form in words."""
    if native is None:
        return None
    if isinstance(native, NativePanels):
        return "; ".join(described(chart) for chart in native.charts)
    if isinstance(native, NativeChart):
        return f"{native.kind} of {', '.join(native.values)} by {native.category}"
    fields = {name: getattr(native, name) for name in native.__slots__}
    return f"{type(native).__name__} of {', '.join(f'{name} {value}' for name, value in fields.items() if value)}"


def marks(spec):
    """One line per run of equal layers: mark, fields and number of rows."""
    lines = []
    for layer in spec.get("layer", [spec]):
        mark = layer.get("mark", {})
        kind = mark if isinstance(mark, str) else mark.get("type", "group")
        fields = [f"{channel} {entry['field']}" for channel, entry in sorted(layer.get("encoding", {}).items())
                  if isinstance(entry, dict) and "field" in entry]  # fmt: skip
        data = layer.get("data", spec.get("data", {}))
        count = len(spec.get("datasets", {}).get(data["name"], [])) if "name" in data else len(data.get("values", []))
        line = f"{kind}({', '.join(fields)}) of {count}"
        if lines and lines[-1][0] == line:
            lines[-1][1] += 1
        else:
            lines.append([line, 1])
    return [line if times == 1 else f"{line} x{times}" for line, times in lines]


def as_json(outlines):
    return json.dumps(outlines, ensure_ascii=False, indent=1) + "\n"
