"""Charts to SVG and PNG with a registered font: no browser, no network, several at a time."""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import local
from typing import TYPE_CHECKING, Any

from aitheme.charts.face import drawing_font, font_for
from aitheme.charts.fonts import FONT_STACK, find_font
from aitheme.errors import AithemeError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PNG_SCALE", "Drawing", "render", "render_all", "submit", "svg_to_png", "vegalite_to_svg"]

PNG_SCALE = 2
_UNSEEN = re.compile(r'<[^<>]* opacity="0"[^<>]*/>')
_WORTH_A_PROCESS = 4
_MOST_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart in both image forms.

    Parameters
    ----------
    svg
        Text stays text, set in a stack of Chinese fonts.
    png
        Bytes at twice the pixel size.
    """

    svg: str
    png: bytes


def vegalite_to_svg(spec: dict[str, Any]) -> str:
    """Render a Vega-Lite specification.

    Raises
    ------
    FontError
        There is no Chinese font, or it lacks a character of the chart.
    """
    import vl_convert

    text = json.dumps(_seen(spec), ensure_ascii=False)
    family = font_for(text).family
    # As a dictionary: numbers that the renderer reads from text differ in their last digit.
    svg: str = vl_convert.vegalite_to_svg(json.loads(text.replace(FONT_STACK, family)))
    # The SVG offers a viewer without the one font the usual alternatives.
    return svg.replace(f'font-family="{family}"', f'font-family="{FONT_STACK}"')


def _seen(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a specification without the thousands of unseen points that a pointer reads; the layer and its brush stay."""
    if "layer" in spec:
        return {**spec, "layer": [_seen(layer) for layer in spec["layer"]]}
    mark = spec.get("mark")
    if isinstance(mark, dict) and (mark["type"], mark.get("opacity")) == ("point", 0):
        return {**spec, "transform": [*spec.get("transform", []), {"filter": "false"}]}
    return spec


def svg_to_png(svg: str) -> bytes:
    """Render an SVG at twice its size.

    Raises
    ------
    FontError
        There is no Chinese font, or it lacks a character of the text.
    """
    import vl_convert

    own = svg.replace(FONT_STACK, font_for(svg).family)
    # What is only there for a pointer to hit would cost a layer of its own each.
    png: bytes = vl_convert.svg_to_png(_UNSEEN.sub("", own), scale=PNG_SCALE)
    return png


def render(spec: dict[str, Any] | str) -> Drawing:
    """Render a Vega-Lite specification or a finished SVG."""
    svg = spec if isinstance(spec, str) else vegalite_to_svg(spec)
    return Drawing(svg, svg_to_png(svg))


def submit(spec: dict[str, Any] | str) -> Future[Drawing]:
    """Start rendering in another process and return at once; the caller goes on with the next exhibit's data.

    The processes are fresh interpreters fed over pipes and live until this one ends: the renderer holds the interpreter
    lock while it works and does not survive a fork, and a script that calls this needs no main guard.
    """
    return _pool().submit(_render_elsewhere, spec)


def render_all(specs: Sequence[dict[str, Any] | str]) -> list[Drawing]:
    """Render many charts, in order; in other processes where there are enough of them.

    Raises
    ------
    FontError
        As for :func:`render`.
    """
    if len(specs) < _WORTH_A_PROCESS:
        return [render(spec) for spec in specs]
    return [future.result() for future in [submit(spec) for spec in specs]]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(_MOST_PROCESSES, os.cpu_count() or 1), thread_name_prefix="aitheme-render")


class _Helper:
    """A rendering process: a line of JSON in, a line of JSON out."""

    def __init__(self) -> None:
        # Made here where it is missing: what a helper logs is not seen.
        drawing_font(find_font())
        command = [sys.executable, "-m", "aitheme.charts.render"]
        self._process = subprocess.Popen(  # noqa: S603 (our own module)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        atexit.register(self.close)

    def render(self, spec: dict[str, Any] | str) -> Drawing | None:
        """Return the drawing, or None where the process failed at it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(spec).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            return None
        return None if answer is None else Drawing(answer[0], base64.b64decode(answer[1]))

    def close(self) -> None:
        """End the process; it stops by itself when its input does."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()


_own = local()


def _render_elsewhere(spec: dict[str, Any] | str) -> Drawing:
    """Render in this thread's process; where that fails, here, so that the error is the real one."""
    if not hasattr(_own, "helper"):
        _own.helper = _Helper()
    drawing: Drawing | None = _own.helper.render(spec)
    return drawing if drawing is not None else render(spec)


def _serve() -> None:
    """Answer each specification on standard input with a drawing on standard output, null where it cannot be drawn."""
    for line in sys.stdin:
        try:
            drawing = render(json.loads(line))
            answer: Any = (drawing.svg, base64.b64encode(drawing.png).decode())
        except (AithemeError, ValueError, RuntimeError):
            answer = None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
