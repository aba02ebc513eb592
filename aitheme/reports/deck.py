"""The PowerPoint form of a book: one exhibit per slide, long tables on several, all of it to be edited."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING, Any

from aitheme.errors import AithemeError
from aitheme.reports.plots import FONT, WATERMARK
from aitheme.reports.sheets import sheet_form
from aitheme.reports.slide_charts import add_charts, rgb
from aitheme.reports.slide_tables import add_grid, add_table, grid_size, table_pages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aitheme.exhibits import Exhibit

__all__ = ["MissingPackageError", "check_deck", "write_deck"]

# A slide of 13.33 x 7.5 inches; positions in inches.
_WIDTH, _HEIGHT, _EDGE = 13.333, 7.5, 0.5
_BODY = (_EDGE, 1.25, _WIDTH - 2 * _EDGE, 5.3)
_FOOT, _SMALL, _MOST_LINES = 10, 8, 4


class MissingPackageError(AithemeError):
    """An optional package that a format needs is not installed."""


def check_deck() -> None:
    """Make sure that slides can be written (MissingPackageError otherwise)."""
    if importlib.util.find_spec("pptx") is None:
        raise MissingPackageError("formats: pptx needs python-pptx; run `pip install python-pptx` or leave pptx out")


def write_deck(path: Path, exhibits: Sequence[Exhibit], images: Mapping[str, bytes], *, title: str) -> None:
    """Write all exhibits that are available.

    Parameters
    ----------
    path
        The .pptx file.
    exhibits
        In the order of the book.
    images
        PNG by exhibit id, for grids that would not be legible on a slide.
    title
        Text of the first slide.
    """
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    cover = _slide(deck)
    _text(cover, title, (_EDGE, 2.8, _WIDTH - 2 * _EDGE, 1.2), size=28)
    if any(exhibit.simulated for exhibit in exhibits):
        _text(cover, WATERMARK, (_EDGE, 4.0, _WIDTH - 2 * _EDGE, 0.6), size=18, colour="B22222")
    for exhibit in exhibits:
        if exhibit.content is not None:
            _exhibit_slides(deck, exhibit, images[exhibit.id])
    deck.save(str(path))


def _slide(deck: Any) -> Any:
    blank = 6
    return deck.slides.add_slide(deck.slide_layouts[blank])


def _text(slide: Any, text: str, box: tuple[float, float, float, float], *, size: int, colour: str = "222222") -> Any:
    from pptx.util import Inches, Pt

    shape = slide.shapes.add_textbox(*(Inches(side) for side in box))
    frame = shape.text_frame
    frame.word_wrap = True
    frame.text = text
    for paragraph in frame.paragraphs:
        paragraph.font.size, paragraph.font.name = Pt(size), FONT
        paragraph.font.color.rgb = rgb(colour)
    return shape


def _exhibit_slides(deck: Any, exhibit: Exhibit, image: bytes) -> None:
    """Draw charts, a coloured grid or a table, which goes on over further slides; a picture of an illegible grid."""
    form = sheet_form(exhibit)
    size = grid_size(form, _BODY, exhibit.lang) if form.shades is not None else 0
    if exhibit.kind == "table" and not form.plots and form.shades is None:
        pages = table_pages(exhibit, _BODY)
        for number, page in enumerate(pages, start=1):
            add_table(_framed(deck, exhibit, f" ({number}/{len(pages)})" if len(pages) > 1 else ""), page, _BODY)
        return
    slide = _framed(deck, exhibit)
    if form.plots:
        add_charts(slide, exhibit, form, _BODY)
    elif size:
        add_grid(slide, form, _BODY, exhibit.lang, size)
    else:
        _picture(slide, image)


def _framed(deck: Any, exhibit: Exhibit, part: str = "") -> Any:
    """Return a new slide with everything but the exhibit itself."""
    assert exhibit.content is not None
    slide = _slide(deck)
    inner = _WIDTH - 2 * _EDGE
    if exhibit.simulated:
        mark = _text(slide, WATERMARK, (2.2, 3.0, 9.0, 1.4), size=60, colour="EBEBEB")
        mark.rotation = -20
    _text(slide, exhibit.caption + part, (_EDGE, 0.3, inner, 0.5), size=20)
    _text(slide, exhibit.content.subtitle, (_EDGE, 0.78, inner, 0.4), size=12, colour="666666")
    foot = exhibit.heading.footer
    _text(slide, "\n".join(foot), (_EDGE, 6.6, inner, 0.7), size=_foot_size(foot, inner), colour="7F7F7F")
    return slide


def _foot_size(texts: Sequence[str], width: float) -> int:
    """Return the type size of the lines below: smaller where they would run off the slide."""
    from aitheme.charts.fonts import text_width

    points = width * 72.0
    lines = sum(-(-text_width(text, _FOOT) // points) for text in texts)
    return _FOOT if lines <= _MOST_LINES else _SMALL


def _picture(slide: Any, image: bytes) -> None:
    from pptx.util import Inches

    left, top, width, height = _BODY
    shape = slide.shapes.add_picture(io.BytesIO(image), Inches(left), Inches(top))
    scale = min(Inches(width) / shape.width, Inches(height) / shape.height)
    shape.width, shape.height = int(shape.width * scale), int(shape.height * scale)
    shape.left = int((Inches(_WIDTH) - shape.width) / 2)
