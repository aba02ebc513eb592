"""Event studies that hold their size when every stock shares the event day.

The public names load on first use, so importing the package stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Event": "windows",
    "EventStudyResult": "result",
    "MODELS": "models",
    "SCALES": "portfolio",
    "StudyError": "errors",
    "Universe": "universe",
    "TESTS": "battery",
    "adjust_family": "family",
    "attribute_regression": "crosssection",
    "basket_effects": "shared",
    "bhar_tests": "longrun",
    "calendar_time_portfolio": "longrun",
    "equal_weight_market": "benchmarks",
    "event_study": "study",
    "group_effects": "crosssection",
    "heatmap": "family",
    "leave_one_out_mean": "benchmarks",
    "matched_controls": "control",
    "portfolio_statistic": "portfolio",
}

__all__ = [
    "MODELS",
    "SCALES",
    "TESTS",
    "Event",
    "EventStudyResult",
    "StudyError",
    "adjust_family",
    "attribute_regression",
    "basket_effects",
    "bhar_tests",
    "calendar_time_portfolio",
    "equal_weight_market",
    "event_study",
    "group_effects",
    "heatmap",
    "leave_one_out_mean",
    "matched_controls",
    "portfolio_statistic",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
