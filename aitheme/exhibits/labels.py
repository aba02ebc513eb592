"""What the parts of a book are called: chapters, labels and sources, in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CHAPTERS", "Chapter", "english_label", "numbered", "source_name"]

Chapter = Literal[
    "print", "baskets", "before", "after", "rating", "across", "releases", "valuation", "crowding", "members"
]

CHAPTERS: Mapping[Chapter, tuple[str, str]] = {
    "print": ("报告图表", "Exhibits of the report"),
    "baskets": ("篮子", "Baskets"),
    "before": ("发布之前", "Before publication"),
    "after": ("发布之后", "After publication"),
    "rating": ("评级", "Ratings"),
    "across": ("各报告对照", "Across the reports"),
    "releases": ("模型发布的影响", "What releases moved"),
    "valuation": ("估值与盈利预测", "Valuation and estimates"),
    "crowding": ("拥挤度与市场宽度", "Crowding and breadth"),
    "members": ("成分：相关、重叠与集中", "Members: correlation, overlap, concentration"),
}
"""Chapters of a book in their order, with Chinese and English names."""

_SOURCES = {
    "archive": ("本地行情档案", "local archive"),
    "demo": ("模拟行情", "simulated market"),
    "akshare": ("akshare", "akshare"),
}
_WORDS = (
    ("封面走势图", "Cover chart"), ("行业走势图", "Cover chart"), ("投资评级声明", "Rating statement"),
    ("评级说明", "Rating scale"), ("相关报告", "Related reports"), ("相关研究", "Related research"),
    ("（时间线）", " (timeline)"), ("（图）", " (chart)"), ("（设定）", " (settings)"), ("（微调）", " (fine-tuning)"),
    ("（结构）", " (structure)"),
    ("封面表", "Cover table"), ("封面图", "Cover chart"), ("正文", "Text"), ("附图", "Our figure "), ("附表", "Our table "),
    ("图表", "Exhibit "), ("图", "Figure "), ("表", "Table "), ("（数据）", " (data)"), ("、", ", "),
)  # fmt: skip
_OWN = re.compile(r"附[图表]")


def english_label(label: str) -> str:
    """Return a printed label in English: ``图表17（数据）`` is ``Exhibit 17 (data)``."""
    text = label
    for zh, en in _WORDS:
        text = text.replace(zh, en)
    return text.strip()


def source_name(source: str, lang: str) -> str:
    """Return the name of a store's source as readers know it."""
    return _SOURCES.get(source, (source, source))[0 if lang == "zh" else 1]


def numbered(labels: Iterable[str]) -> list[str]:
    """Return labels with those a report did not print (``附图``, ``附表``) numbered, each kind from 1 on.

    >>> numbered(["图1", "附图", "附表", "附图"])
    ['图1', '附图1', '附表1', '附图2']
    """
    counts: dict[str, int] = {}
    result = []
    for label in labels:
        if _OWN.fullmatch(label):
            counts[label] = counts.get(label, 0) + 1
            result.append(f"{label}{counts[label]}")
        else:
            result.append(label)
    return result
