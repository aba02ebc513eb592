"""Where labels go so that none covers another: pure geometry in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["dodge", "stagger"]


def dodge(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions on a line apart until neighbours are at least `gap` away, as little as possible.

    Parameters
    ----------
    wanted
        Positions in any order.
    gap
        Smallest distance between two.
    low, high
        Bounds; where they leave too little room the gap shrinks evenly.

    Returns
    -------
    list of float
        New positions in the order given; the order along the line is kept.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    # Blocks of touching labels, each centred on the mean of what its members want (isotonic pooling).
    blocks: list[tuple[float, int]] = []
    for rank, index in enumerate(order):
        centre, size = wanted[index] - gap * rank, 1
        while blocks and blocks[-1][0] > centre:
            earlier, count = blocks.pop()
            centre, size = (earlier * count + centre * size) / (count + size), count + size
        blocks.append((centre, size))
    flat = [centre for centre, size in blocks for _ in range(size)]
    result = [0.0] * len(wanted)
    for rank, index in enumerate(order):
        room_above = high - gap * (len(wanted) - 1)
        result[index] = min(max(flat[rank], low), room_above) + gap * rank
    return result


def stagger(stems: Sequence[float], spans: Sequence[tuple[float, float]], gap: float = 6.0) -> list[int]:
    """Return the row of each label of a strip above a plot, 0 on top; stems hang from their label's row downwards.

    Parameters
    ----------
    stems
        x of the stems.
    spans
        Left and right edge of each label.
    gap
        Smallest distance between two labels of a row.

    Returns
    -------
    list of int
        Rows in which no label touches another and no stem crosses a text.
    """
    rows: list[int] = []
    for x, (left, right) in zip(stems, spans, strict=True):
        row = 0
        while any(
            (row == other and left < high + gap and low < right + gap)
            or (row <= other and low <= x <= high)
            or (other <= row and left <= stem <= right)
            for other, stem, (low, high) in zip(rows, stems, spans, strict=False)
        ):
            row += 1
            if row > len(stems):
                break
        rows.append(row)
    return rows
